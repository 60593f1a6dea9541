/**
 * Follows the head of a fleet in a store: verify, decide what to run, fetch what is missing, hand over. One at a time;
 * what changes meanwhile is looked at afterwards, so the newest wins. Whatever is refused leaves everything as it was.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { readInline, verifyHead, type VerifiedHead } from '../bundle/head.ts';
import type { KeySet } from '../bundle/keys.ts';
import type { ReadShard } from '../bundle/readBundle.ts';
import type { Refused, Supports } from '../bundle/refused.ts';
import { digestOf, type Digest } from '../contract/canonical.ts';
import { digestToRun } from '../contract/head.ts';
import { limit } from '../contract/limits.ts';
import { ok, type Result } from '../contract/result.ts';
import type { Logger } from '../observability/logger.ts';
import { fetchBundle, type FetchedBundle, type ReadObject } from '../store/fetchBundle.ts';
import type { StoreError, StoreReader } from '../store/types.ts';
import type { DiskContent, DiskCopy } from './diskCopy.ts';
import type { Source, SourceEvents } from './types.ts';
import { after, Signal, within } from './waits.ts';
import type { Watch } from './watching.ts';

export interface StoreSourceOptions {
  readonly store: StoreReader;
  /** Hints that the head may have changed. */
  readonly watch: Watch;
  readonly fleet: string;
  readonly clusterUid: string;
  readonly podUid: string;
  /** Asked at every look, so that new keys are known without a restart. */
  readonly keys: () => KeySet;
  readonly supports: Supports;
  readonly disk: DiskCopy | null;
  readonly log: Logger;
  /** Between 0 and 1; spreads the retries of a fleet. */
  readonly random?: () => number;
  readonly timing?: Partial<Timing>;
}

/** Waits in milliseconds. */
interface Timing {
  /** For one answer of the store. */
  readonly storeTimeoutMs: number;
  /** For its first answer, before starting from disk. */
  readonly firstTimeoutMs: number;
  /** Before the first retry of a fetch; doubles. */
  readonly retryMs: number;
  /** Before looking again at a head that could not be carried out. */
  readonly lookAgainMs: number;
  /** For the swap to be done or given up. */
  readonly settleTimeoutMs: number;
}

const TIMING: Timing = {
  storeTimeoutMs: 5_000,
  firstTimeoutMs: 1_000,
  retryMs: 100,
  lookAgainMs: 2_000,
  settleTimeoutMs: 2 * limit('prepareTimeoutMs'),
};
const FETCH_ATTEMPTS = 5;

type Role = 'stable' | 'candidate';
type Outcome = Parameters<Source['settled']>[1];

export class StoreSource implements Source {
  readonly #options: StoreSourceOptions;
  readonly #timing: Timing;
  readonly #signal = new Signal();
  #events: SourceEvents | undefined;
  #stopWatching: (() => void) | undefined;
  #loop: Promise<void> | undefined;
  #stopped = false;

  /** What to start from while the store gives nothing; taken once. */
  #fallback: DiskContent['good'] = null;
  #newest: VerifiedHead | null = null;
  #startGeneration: number | null = null;
  /** The head that was carried out or refused for good, and with which keys. */
  #done: { readonly version: string; readonly keys: KeySet } | null = null;
  #running: Digest | null = null;
  /** A stable digest that ran here, or that the disk copy vouches for. */
  #good: Digest | null = null;
  #shards: ReadonlyMap<Digest, ReadShard> = new Map();
  #settling: { readonly digest: Digest; readonly resolve: (outcome: Outcome) => void } | null = null;
  #lastSaid = '';
  #again: NodeJS.Timeout | undefined;

  constructor(options: StoreSourceOptions) {
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
  }

  get startGeneration(): number {
    return this.#startGeneration ?? 0;
  }

  /** Begins to follow; returns before the first configuration is handed over. */
  async start(events: SourceEvents): Promise<void> {
    this.#events = events;
    await this.#readDisk();
    this.#stopWatching = this.#options.watch(() => this.#signal.raise());
    this.#signal.raise();
    this.#loop = this.#follow();
  }

  async reload(): Promise<void> {
    this.#done = null;
    this.#signal.raise();
  }

  async settled(digest: Digest, outcome: Outcome): Promise<void> {
    if (this.#settling?.digest === digest) {
      this.#settling.resolve(outcome);
    } else if (outcome === 'running') {
      // Later than was waited for, and true all the same: what the next head asks for is compared with it.
      this.#running = digest;
      this.#done = null;
      this.#signal.raise();
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopWatching?.();
    clearTimeout(this.#again);
    this.#settling?.resolve('refused');
    this.#signal.raise();
    await this.#loop;
  }

  async #readDisk(): Promise<void> {
    const { disk, keys, clusterUid, fleet, supports } = this.#options;
    if (disk === null) return;
    const { seen, good } = await disk.load({ keys: keys(), clusterUid, fleet }, supports);
    this.#fallback = good;
    this.#good = good?.head.head.stable.digest ?? null;
    const heads = [seen, good?.head].filter((head) => head !== null && head !== undefined);
    this.#newest = heads.sort((a, b) => b.head.generation - a.head.generation)[0] ?? null;
  }

  async #follow(): Promise<void> {
    for (let first = true; !this.#stopped; first = false) {
      await this.#signal.wait();
      if (this.#stopped) return;
      try {
        await this.#look(first);
        if (first) this.#startGeneration ??= this.#newest?.head.generation ?? null;
        await this.#startFromDisk();
      } catch (error) {
        // Nothing that a store can send comes here; should there be a mistake of ours, what runs goes on running.
        this.#options.log.error({ error: String(error) }, 'source failed; it goes on with the next head');
        this.#lookAgain();
      }
    }
  }

  #lookAgain(): void {
    clearTimeout(this.#again);
    const waitMs = this.#timing.lookAgainMs * (0.5 + this.#random());
    this.#again = setTimeout(() => void this.reload(), waitMs);
    this.#again.unref();
  }

  #random(): number {
    return (this.#options.random ?? Math.random)();
  }

  async #look(first: boolean): Promise<void> {
    const { store, fleet, clusterUid, keys, podUid } = this.#options;
    const stored = await within(
      first ? this.#timing.firstTimeoutMs : this.#timing.storeTimeoutMs,
      store.getHead(fleet),
    );
    if (!stored.ok) {
      this.#storeFailed(stored.error);
      return;
    }
    const keySet = keys();
    const { version, file } = stored.value;
    if (this.#done?.version === version && this.#done.keys === keySet) return;
    const minGeneration = this.#newest?.head.generation ?? 0;
    const verified = await verifyHead(file, { keys: keySet, clusterUid, fleet, minGeneration });
    const refused = verified.ok ? this.#otherOfSameGeneration(verified.value) : verified.error;
    if (!verified.ok || refused !== undefined) {
      this.#done = { version, keys: keySet };
      if (refused !== undefined) this.#refuse(`${version} ${refused.reason}`, null, refused, 0);
      return;
    }
    const head = verified.value;
    this.#newest = head;
    this.#startGeneration ??= head.head.generation;
    const { digest, role } = digestToRun(head.head, podUid, this.#startGeneration);
    // Before a candidate, since it may be the last that this process does; else it can wait until the swap is done.
    if (role === 'candidate') await this.#options.disk?.saw(file);
    const finished = await this.#carryOut(head, digest, role, version);
    if (role === 'stable') await this.#options.disk?.saw(file);
    if (finished) this.#done = { version, keys: keySet };
  }

  /** What has a version is there, but is no head; everything else is a store that is away. */
  #storeFailed(error: StoreError): void {
    const { reason, message, version } = error;
    if (version !== undefined) {
      const refused = { reason: reason === 'TooLarge' ? ('TooLarge' as const) : ('Malformed' as const), message };
      this.#refuse(`${version} ${refused.reason}`, null, refused, 0);
    } else {
      this.#say(`${reason} ${message}`, () => {
        this.#options.log.warn({ reason, detail: message }, 'head cannot be read; what runs goes on');
      });
    }
  }

  /** Two heads of one generation mean two writers (or an attacker); the first one stays. */
  #otherOfSameGeneration(head: VerifiedHead): Refused | undefined {
    const newest = this.#newest;
    if (newest?.head.generation !== head.head.generation || newest.digest === head.digest) return undefined;
    const message = `generation ${head.head.generation} was already seen with other content`;
    return { reason: 'OlderGeneration', message };
  }

  /** @returns whether this head needs no further look at the next hint */
  async #carryOut(head: VerifiedHead, digest: Digest, role: Role, version: string): Promise<boolean> {
    if (digest === this.#running) {
      this.#events?.onHead(head.head, role);
      this.#lastSaid = '';
      if (role === 'stable') this.#good = digest;
      await this.#keep(head, null);
      return true;
    }
    const fetched = await this.#fetch(head, digest, version);
    if (fetched === 'HeadMoved') return false;
    if (!fetched.ok) {
      this.#refuse(`${version} ${fetched.error.reason}`, digest, fetched.error, head.head.generation);
      // What this proxy cannot run stays so; what is missing or damaged may be put right.
      if (fetched.error.reason !== 'Unsupported') this.#lookAgain();
      return true;
    }
    this.#lastSaid = '';
    await this.#offer(head, fetched.value, role);
    return true;
  }

  /** Tries again a few times, unless the head moved: then what it names may have been collected. */
  async #fetch(
    head: VerifiedHead,
    digest: Digest,
    version: string,
  ): Promise<Result<FetchedBundle, Refused> | 'HeadMoved'> {
    const { supports, store, fleet } = this.#options;
    // With a bundle on disk to start from, retries can wait until it serves.
    const attempts = this.#running === null && this.#fallback !== null ? 1 : FETCH_ATTEMPTS;
    for (let attempt = 1; ; attempt++) {
      const fetched = await fetchBundle(digest, this.#reader(head), { supports, known: this.#shards });
      if (fetched.ok || fetched.error.reason !== 'Missing') return fetched;
      if (attempt >= attempts || this.#stopped) return fetched;
      await sleep(this.#timing.retryMs * 2 ** (attempt - 1) * (0.5 + this.#random()));
      const now = await within(this.#timing.storeTimeoutMs, store.getHead(fleet));
      if (now.ok && now.value.version !== version) {
        this.#signal.raise();
        return 'HeadMoved';
      }
    }
  }

  /** What rides in the head, then the disk, then the store. Whoever reads compares with the digest. */
  #reader(head: VerifiedHead): ReadObject {
    const { disk, store, fleet } = this.#options;
    return async (digest) => {
      const inline = await readInline(head.file, digest);
      if (inline !== undefined) return ok(inline);
      const kept = await disk?.read(digest);
      // A damaged object on disk must not hide the good one in the store.
      if (kept?.ok === true && digestOf(kept.value) === digest) return kept;
      return within(this.#timing.storeTimeoutMs, store.getObject(fleet, digest));
    };
  }

  async #offer(head: VerifiedHead, bundle: FetchedBundle, role: Role): Promise<void> {
    const { digest, entries } = bundle;
    const settled = new Promise<Outcome>((resolve) => {
      this.#settling = { digest, resolve };
    });
    this.#events?.onCandidate({ digest, entries, role, head: head.head, findings: [] });
    const outcome = await Promise.race([settled, after(this.#timing.settleTimeoutMs)]);
    this.#settling = null;
    if (outcome === undefined) this.#options.log.error({ digest }, 'nobody said whether the configuration runs');
    // Threads that could not prepare in time may be able to later; what is refused stays so until the next head.
    if (outcome === 'failed') this.#lookAgain();
    if (outcome !== 'running') return;
    this.#running = digest;
    this.#shards = bundle.shards;
    this.#fallback = null;
    if (role === 'stable') this.#good = digest;
    await this.#keep(head, bundle);
  }

  /** Keeps on disk what to start from next time: only a head whose stable bundle is known to run. */
  async #keep(head: VerifiedHead, bundle: FetchedBundle | null): Promise<void> {
    const { disk } = this.#options;
    const stable = head.head.stable.digest;
    if (disk === null || stable !== this.#good) return;
    const bundles = this.#running === null || this.#running === stable ? [stable] : [stable, this.#running];
    const read = this.#reader(head);
    await disk.keepGood(head, bundles, async (digest) => {
      const fetched = bundle?.objects.get(digest);
      return fetched === undefined ? read(digest) : ok(fetched);
    });
  }

  async #startFromDisk(): Promise<void> {
    const fallback = this.#fallback;
    if (fallback === null || this.#running !== null || this.#stopped) return;
    this.#fallback = null;
    this.#options.log.warn({ generation: fallback.head.head.generation }, 'starting from the disk copy');
    await this.#offer(fallback.head, fallback.bundle, 'stable');
    // The head in the store may be one that waits for something to run first.
    this.#signal.raise();
  }

  #refuse(key: string, digest: Digest | null, refused: Refused, generation: number): void {
    this.#say(key, () => {
      this.#options.log.error({ digest, generation, reason: refused.reason, detail: refused.message }, 'refused');
      this.#events?.onRefused(
        { digest, generation, reason: refused.reason, message: refused.message.slice(0, 2048) },
        [],
      );
    });
  }

  /** Says the same thing once, however often it is looked at. */
  #say(key: string, say: () => void): void {
    if (this.#lastSaid === key) return;
    this.#lastSaid = key;
    say();
  }
}
