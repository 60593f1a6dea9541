/**
 * The loop of one fleet: gather, assemble, decide, publish, say. Every decision is pure; this is where its inputs are
 * fetched and its outcome is carried out. Dying at any line is fine: everything is found again in objects, head and store.
 */
import type { Head } from '../../proxy/contract/head.ts';
import type { Digest } from '../../proxy/contract/canonical.ts';
import type { Bundle } from '../../proxy/contract/bundle.ts';
import { fragmentsOf, type Fragment } from '../../proxy/contract/fragment.ts';
import { signingKeyFor, type SigningKey } from '../../proxy/bundle/keys.ts';
import type { Logger } from '../../proxy/observability/logger.ts';
import type { Assembly } from '../assemble/types.ts';
import { highestBelieved } from '../publish/generation.ts';
import type { FleetState, Publisher } from '../publish/publisher.ts';
import { bundlesNamed, decide } from '../rollout/decide.ts';
import { holdSetOf } from '../rollout/holds.ts';
import type {
  AuditRecord,
  FragmentDigests,
  Member,
  RolloutDecision,
  RolloutInput,
  RolloutMemory,
  RolloutSpec,
  RolloutView,
} from '../rollout/types.ts';
import { Assembler, digestsOf, unsupportedBy, type World } from './assembler.ts';

/** What status is written from, after every round. */
export interface FleetReport {
  readonly fleet: string;
  readonly head: Head | null;
  readonly spec: RolloutSpec | null;
  readonly view: RolloutView;
  readonly assembly: Assembly;
  readonly stable: FragmentDigests;
}

export interface FleetControllerOptions {
  readonly fleet: string;
  readonly defaultFleet: string | null;
  readonly publisher: Publisher;
  /** A person said so: where no head can be believed, the fleet begins anew with whatever the objects ask for. */
  readonly reinitialize: boolean;
  readonly keys: () => readonly SigningKey[];
  readonly members: () => readonly Member[] | null;
  readonly wallNow: () => number;
  readonly onAudit: (records: readonly AuditRecord[]) => void;
  /** The ProxyRollout is gone, its candidate with it, and that was reported: nothing is left to do. */
  readonly onFinished: () => void;
  readonly onReport: (report: FleetReport) => Promise<void>;
  readonly logger: Logger;
}

/** A decision that asks for more assemblies than this is a programming error. */
const MOST_STEPS = 64;
/** Pause after the store was away. */
const RETRY_MS = 1_000;
/** How often the head is read again although nothing says that it changed: another operator, a restored store. */
const RELOAD_MS = 5_000;
const COLLECT_MS = 60_000;
/** Reports are repeated now and then: whoever writes them may have failed, or somebody may have overwritten them. */
const REPORT_AGAIN_MS = 60_000;

/** What a bundle holds. Kept as they are: others remember what they computed of these very maps. */
interface KnownBundle {
  readonly fragments: ReadonlyMap<string, Fragment>;
  readonly digests: FragmentDigests;
}

const NO_FRAGMENTS: ReadonlyMap<string, Fragment> = new Map();
const NO_DIGESTS: FragmentDigests = new Map();

interface Input {
  readonly world: World;
  /** Null: the ProxyRollout is gone. */
  readonly spec: RolloutSpec | null;
}

export class FleetController {
  readonly #options: FleetControllerOptions;
  readonly #assembler: Assembler;
  /** Fragments of the bundles that the head names; null for one that is lost, and looked for again in every round. */
  readonly #bundles = new Map<Digest, KnownBundle | null>();
  #input: Input | undefined;
  #state: FleetState | undefined;
  #loadedAtMs = 0;
  #collectedAtMs: number;
  #memory: RolloutMemory | null = null;
  #reported: FleetReport | undefined;
  #reportedAtMs = 0;
  #isResumed = false;
  #wake: () => void = () => undefined;
  #woken = false;
  #stopped = false;
  #loop: Promise<void> | undefined;

  constructor(options: FleetControllerOptions) {
    this.#options = options;
    this.#assembler = new Assembler(options.fleet, options.defaultFleet);
    this.#collectedAtMs = options.wallNow();
  }

  /** New objects, or a new spec. */
  setInput(input: Input): void {
    this.#input = input;
    this.wake();
  }

  /** Something changed: decide again soon. */
  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.wake();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { logger, fleet } = this.#options;
    while (!this.#stopped) {
      this.#woken = false;
      let pauseMs = RETRY_MS;
      try {
        pauseMs = await this.#round();
      } catch (error) {
        // A programming error in one fleet’s round must not end the other fleets; it is loud and tried again.
        logger.error({ fleet, err: error }, 'round failed');
        this.#state = undefined;
      }
      if (!this.#woken && !this.#stopped) await this.#sleep(pauseMs);
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** @returns how long nothing needs to be done, unless woken */
  async #round(): Promise<number> {
    const input = this.#input;
    if (input === undefined) return RELOAD_MS;
    const base = await this.#load();
    if (base === undefined) return RETRY_MS;
    if (!(await this.#loadBundles(base.head, input.spec))) return RETRY_MS;
    this.#useStable(base.head, input.world);
    const decision = this.#decide(base, input.spec);
    if (decision.kind === 'Publish') {
      await this.#publish(base, decision);
      return 0;
    }
    this.#memory = decision.memory;
    await this.#report(base, input, decision.view);
    if (input.spec === null && base.head?.candidate === undefined) this.#options.onFinished();
    await this.#collect(input.spec?.pin ?? null);
    const wakeMs = decision.wakeAtMs === null ? RELOAD_MS : decision.wakeAtMs - this.#options.wallNow();
    return Math.max(0, Math.min(wakeMs, RELOAD_MS));
  }

  async #load(): Promise<FleetState | undefined> {
    const now = this.#options.wallNow();
    if (this.#state !== undefined && Math.abs(now - this.#loadedAtMs) < RELOAD_MS) return this.#state;
    const loaded = await this.#options.publisher.load(this.#options.fleet);
    if (!loaded.ok) {
      this.#options.logger.warn(
        { fleet: this.#options.fleet, reason: loaded.error.reason, detail: loaded.error.message },
        'the store is away; trying again',
      );
      return undefined;
    }
    this.#loadedAtMs = now;
    this.#state = await this.#mend(loaded.value);
    this.#resume(this.#state.head);
    return this.#state;
  }

  /**
   * Audits, once after a start, what is taken over: an operator that died between the head and its audit record leaves a
   * decision that no other record tells of.
   */
  #resume(head: Head | null): void {
    if (this.#isResumed) return;
    this.#isResumed = true;
    if (head === null) return;
    const { wallNow, fleet, onAudit } = this.#options;
    const { generation, stable, candidate, history } = head;
    const tried = candidate === undefined ? '' : `, candidate ${candidate.digest}`;
    const last = history[0] === undefined ? '' : `; last ${history[0].outcome} ${history[0].digest}`;
    onAudit([
      {
        time: new Date(wallNow()).toISOString(),
        fleet,
        action: 'Resume',
        reason: 'Started',
        message: `an operator goes on from generation ${generation}: stable ${stable.digest}${tried}${last}`,
        actor: 'operator',
        digest: candidate?.digest ?? stable.digest,
      },
    ]);
  }

  /**
   * Publishes the newest head that is known again, where the store’s is damaged or gone, or is older than what proxies
   * have seen (a restored store): they would refuse everything until the next change.
   */
  async #mend(state: FleetState): Promise<FleetState> {
    const { publisher, keys, members, logger, fleet } = this.#options;
    const acks = (members() ?? []).map(({ ack }) => ack);
    const acked = this.#ackedGeneration();
    const isOld = state.head !== null && acked > state.head.generation;
    if (state.damaged === null && !isOld) return state;
    const damaged = state.damaged ?? {
      reason: 'OlderGeneration' as const,
      message: `proxies have seen generation ${acked}`,
    };
    const mended = await publisher.repair({ ...state, damaged }, signingKeyFor(keys(), acks), acked);
    if (mended.ok) return mended.value;
    logger.warn({ fleet, reason: mended.error.reason, detail: mended.error.message }, 'head could not be repaired');
    return state;
  }

  #ackedGeneration(): number {
    const acks = (this.#options.members() ?? []).map(({ ack }) => ack?.generation ?? 0);
    return highestBelieved(acks, this.#options.wallNow());
  }

  /**
   * Fetches the bundles that the head (or a pin) names, and forgets the others.
   *
   * @returns false when the store is away: what it may still have is not lost, and nothing is decided without it
   */
  async #loadBundles(head: Head | null, spec: RolloutSpec | null): Promise<boolean> {
    const named = new Set(head === null ? [] : bundlesNamed(head, spec));
    for (const digest of this.#bundles.keys()) if (!named.has(digest)) this.#bundles.delete(digest);
    for (const digest of named) {
      const known = this.#bundles.get(digest);
      if (known !== undefined && known !== null) continue;
      const { fleet, publisher, logger } = this.#options;
      const fetched = await publisher.loadBundle(fleet, digest);
      if (fetched.ok) {
        const fragments = fragmentsOf(fetched.value.entries);
        this.#bundles.set(digest, { fragments, digests: digestsOf(fragments) });
        continue;
      }
      const { reason, message, isLost } = fetched.error;
      // Once is enough for one that stays lost.
      if (known === undefined) logger.warn({ fleet, digest, reason, detail: message }, 'bundle cannot be read');
      if (!isLost) return false;
      this.#bundles.set(digest, null);
    }
    return true;
  }

  #useStable(head: Head | null, world: World): void {
    const digest = head?.stable.digest ?? null;
    const known = digest === null ? null : (this.#bundles.get(digest) ?? null);
    const unsupported = unsupportedBy(this.#options.members() ?? []);
    this.#assembler.use(world, known === null ? null : digest, known?.fragments ?? NO_FRAGMENTS, unsupported);
  }

  #decide(base: FleetState, spec: RolloutSpec | null): Exclude<RolloutDecision, { kind: 'Assemble' }> {
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const decision = decide(this.#rolloutInput(base, spec));
      if (decision.kind !== 'Assemble') return decision;
      this.#assembler.make(decision.holds);
    }
    throw new Error(`no decision after ${MOST_STEPS} assemblies`);
  }

  #rolloutInput({ head, damaged }: FleetState, spec: RolloutSpec | null): RolloutInput {
    const { fleet, wallNow, members, reinitialize } = this.#options;
    const isUnknown = head === null && damaged !== null && !reinitialize;
    return {
      nowMs: wallNow(),
      fleet,
      spec,
      head,
      ...(isUnknown ? { headProblem: headProblemOf(fleet, damaged) } : {}),
      bundles: new Map([...this.#bundles].map(([digest, known]) => [digest, known?.digests ?? null])),
      current: this.#assembler.current(),
      assemblies: this.#assembler.assembled,
      permittedStable: this.#assembler.permittedStable(),
      members: members(),
      gates: [],
      memory: this.#memory,
    };
  }

  async #publish(base: FleetState, decision: Extract<RolloutDecision, { kind: 'Publish' }>): Promise<void> {
    const { publisher, keys, members, logger, fleet, onAudit } = this.#options;
    const acks = (members() ?? []).map((m) => m.ack);
    const bundles = decision.bundles.flatMap((digest): readonly Bundle[] => {
      const bundle = this.#assembler.bundle(digest);
      return bundle === undefined ? [] : [bundle];
    });
    const published = await publisher.publish({
      base,
      head: decision.state,
      bundles,
      ackedGeneration: this.#ackedGeneration(),
      key: signingKeyFor(keys(), acks),
    });
    if (!published.ok) {
      logger.warn(
        { fleet, reason: published.error.reason, detail: published.error.message },
        'not published; deciding again',
      );
      this.#state = undefined;
      if (published.error.reason !== 'Conflict') await this.#sleep(RETRY_MS);
      return;
    }
    this.#state = published.value.state;
    this.#memory = decision.memory;
    onAudit(decision.audit);
  }

  /** Hands on what status is written from, unless it is what was handed on last, and that was written. */
  async #report({ head }: FleetState, { spec }: Input, view: RolloutView): Promise<void> {
    const stable = head === null ? undefined : this.#bundles.get(head.stable.digest);
    const report: FleetReport = {
      fleet: this.#options.fleet,
      head,
      spec,
      view,
      assembly: this.#assembler.assembly(holdSetOf(view.held)),
      stable: stable?.digests ?? NO_DIGESTS,
    };
    const now = this.#options.wallNow();
    const isNews = this.#reported === undefined || !isSameReport(report, this.#reported);
    if (!isNews && Math.abs(now - this.#reportedAtMs) < REPORT_AGAIN_MS) return;
    await this.#options.onReport(report);
    this.#reported = report;
    this.#reportedAtMs = now;
  }

  async #collect(pinned: Digest | null): Promise<void> {
    const now = this.#options.wallNow();
    if (Math.abs(now - this.#collectedAtMs) < COLLECT_MS) return;
    this.#collectedAtMs = now;
    const running = (this.#options.members() ?? []).flatMap((m) => m.ack?.running ?? []);
    const inUse = pinned === null ? running : [...running, pinned];
    const collected = await this.#options.publisher.collect(this.#options.fleet, inUse);
    if (!collected.ok)
      this.#options.logger.warn(
        { reason: collected.error.reason, detail: collected.error.message },
        'collection put off',
      );
  }
}

/** Assemblies and specs are new objects when they change; a head has another generation, and views are made anew. */
function isSameReport(a: FleetReport, b: FleetReport): boolean {
  return (
    a.assembly === b.assembly &&
    a.head?.generation === b.head?.generation &&
    a.spec === b.spec &&
    a.stable === b.stable &&
    JSON.stringify(a.view) === JSON.stringify(b.view)
  );
}

function headProblemOf(
  fleet: string,
  { reason, message }: { readonly reason: string; readonly message: string },
): string {
  return `the head cannot be believed, and no earlier one is known: ${reason}: ${message}; nothing is published until it is restored, or the operator started with --reinitialize-fleet ${fleet}`;
}
