/**
 * Publishes bundles and heads: objects first, the head last, by compare-and-swap. Whatever step the process dies at, a
 * head names only what is in the store or rides in its own file, and the next publisher goes on from there.
 */
import type { Bundle, BundleObject } from '../../proxy/contract/bundle.ts';
import { canonicalBytes, shortDigest, type Digest } from '../../proxy/contract/canonical.ts';
import { HEAD_FORMAT, type Head, type HeadFile } from '../../proxy/contract/head.ts';
import { limit } from '../../proxy/contract/limits.ts';
import { fail, ok, type Result } from '../../proxy/contract/result.ts';
import { fitHead, packInline, readInline, signHead, verifyHead, type VerifiedHead } from '../../proxy/bundle/head.ts';
import { keySetOf, type SigningKey } from '../../proxy/bundle/keys.ts';
import type { Refused, Supports } from '../../proxy/bundle/refused.ts';
import type { Logger } from '../../proxy/observability/logger.ts';
import { fetchBundle, forEachBounded, type FetchedBundle } from '../../proxy/store/fetchBundle.ts';
import type { Store, StoredHead, StoreError } from '../../proxy/store/types.ts';
import { collectUnnamed, type Collected } from './collector.ts';
import { emptyMemory, servedDigests, type FleetMemory } from './fleetMemory.ts';
import { nextGeneration } from './generation.ts';

export interface Clock {
  /** Unix time. */
  wallMs(): number;
  /** Never set back or forward. */
  monotonicMs(): number;
}

export interface PublisherOptions {
  readonly store: Store;
  readonly clusterUid: string;
  /** All keys of the operator, oldest first: a head that any of them signed is ours. */
  readonly keys: () => readonly SigningKey[];
  /** What bundles this operator can read. */
  readonly supports: Supports;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A fleet's head as it was found, to be decided on and handed back to `publish`. */
export interface FleetState {
  readonly fleet: string;
  /** Null where there never was one, or none that can be believed. */
  readonly head: Head | null;
  readonly version: string | null;
  /**
   * Set where what the store has is gone or cannot be believed. `head` is then the newest one that this process knows, or
   * finds among the store's earlier ones; publishing on this state repairs the store. Where there is no head either, nobody
   * can tell what the fleet runs: nothing may be published but by an explicit act.
   */
  readonly damaged: Refused | null;
}

/** What the rollout decides; the rest is the publisher's. */
export type HeadContent = Omit<Head, 'format' | 'clusterUid' | 'fleet' | 'generation'>;

export interface PublishRequest {
  /** What the decision was made on; when the store has moved on since, the answer is Conflict: load and decide again. */
  readonly base: FleetState;
  readonly head: HeadContent;
  /** Bundles that the head names; those left out must be in the store already. */
  readonly bundles: readonly Bundle[];
  /** Highest generation that any proxy acked; 0 when none did. */
  readonly ackedGeneration: number;
  /** From `signingKeyFor`. */
  readonly key: SigningKey;
}

export interface Published {
  readonly head: Head;
  /** For the next `publish`. */
  readonly state: FleetState;
  /** Objects that ride in the head only, because the store did not take them; the next round tries again. */
  readonly unwritten: readonly Digest[];
}

/** Why a bundle was not read. */
export interface UnreadBundle extends Refused {
  /** It is gone or damaged, and not merely out of reach. */
  readonly isLost: boolean;
}

/** Answers of a store after which trying again is of no use. */
const LOST: ReadonlySet<StoreError['reason']> = new Set(['NotFound', 'Corrupt', 'TooLarge', 'Invalid'] as const);

/** One queue: publishing and collecting never overlap. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #fleets = new Map<string, FleetMemory>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Reads and verifies the head of a fleet. Errors are those of the store being away. */
  async load(fleet: string): Promise<Result<FleetState, StoreError>> {
    return this.#enqueue(async () => {
      const memory = this.#memory(fleet);
      const stored = await this.#options.store.getHead(fleet);
      const believed = await this.#believe(fleet, memory, stored);
      if (!believed.ok) return believed;
      const damaged = believed.value.damaged;
      if (damaged !== null) {
        this.#options.log.error({ fleet, reason: damaged.reason, detail: damaged.message }, 'head cannot be believed');
        memory.present.clear();
      }
      return believed;
    });
  }

  /** Reads a whole bundle, verified, with its entries. */
  async loadBundle(fleet: string, digest: Digest): Promise<Result<FetchedBundle, UnreadBundle>> {
    return this.#enqueue(async () => this.#fetch(fleet, digest));
  }

  async publish(request: PublishRequest): Promise<Result<Published, StoreError>> {
    return this.#enqueue(async () => this.#publish(request));
  }

  /**
   * Publishes the newest head that is known again, under a new generation, where the store's is damaged or gone. Returns
   * the state as it is where there is nothing to repair, or nothing to repair it with.
   */
  async repair(base: FleetState, key: SigningKey, ackedGeneration: number): Promise<Result<FleetState, StoreError>> {
    if (base.damaged === null || base.head === null) return ok(base);
    const { format: _format, clusterUid: _cluster, fleet: _fleet, generation: _generation, ...head } = base.head;
    const published = await this.publish({ base, head, bundles: [], ackedGeneration, key });
    return published.ok ? ok(published.value.state) : published;
  }

  /**
   * Deletes objects that neither head nor acks have named for `collectAfterMs`, and writes those that ride in the head
   * only. To be called now and then.
   */
  async collect(fleet: string, acked: Iterable<Digest>): Promise<Result<Collected, StoreError>> {
    return this.#enqueue(async () => {
      const { store, clock, log } = this.#options;
      const memory = this.#memory(fleet);
      const believed = await this.#believe(fleet, memory, await store.getHead(fleet));
      if (!believed.ok) return believed;
      const { head, damaged } = believed.value;
      // Without a head to believe nobody can tell what is in use.
      if (head === null || damaged !== null) return ok({ deleted: 0, kept: 0 });
      await this.#putAll(fleet, memory, this.#notInStore(memory, servedDigests(head)));
      const collected = await collectUnnamed(store, fleet, memory, head, acked, clock.monotonicMs());
      if (collected.ok && collected.value.deleted > 0) log.info({ fleet, ...collected.value }, 'objects collected');
      return collected;
    });
  }

  #memory(fleet: string): FleetMemory {
    const known = this.#fleets.get(fleet);
    if (known !== undefined) return known;
    const made = emptyMemory();
    this.#fleets.set(fleet, made);
    return made;
  }

  async #enqueue<T>(run: () => Promise<T>): Promise<T> {
    const mine = this.#queue.then(run);
    // The caller sees a failure; the queue goes on.
    this.#queue = mine.catch(() => undefined);
    return mine;
  }

  async #believe(
    fleet: string,
    memory: FleetMemory,
    stored: Result<StoredHead, StoreError>,
  ): Promise<Result<FleetState, StoreError>> {
    const known = memory.head?.head ?? null;
    const doubt = async (version: string | null, damaged: Refused) => {
      memory.head ??= await this.#earlierHead(fleet);
      return ok({ fleet, head: memory.head?.head ?? null, version, damaged });
    };
    if (!stored.ok) {
      const { reason, message, version } = stored.error;
      if (reason === 'NotFound') {
        if (known === null) return ok({ fleet, head: null, version: null, damaged: null });
        return doubt(null, { reason: 'Missing', message });
      }
      return version === undefined ? stored : doubt(version, { reason: 'Malformed', message });
    }
    const verified = await this.#verify(fleet, stored.value.file, known?.generation ?? 0);
    if (!verified.ok) return doubt(stored.value.version, verified.error);
    memory.head = verified.value;
    return ok({ fleet, head: verified.value.head, version: stored.value.version, damaged: null });
  }

  /** The newest of the heads before the store's that can be believed: for a process that knows no other. */
  async #earlierHead(fleet: string): Promise<VerifiedHead | null> {
    const earlier = await this.#options.store.listEarlierHeads?.(fleet);
    for (const { file } of earlier?.ok === true ? earlier.value : []) {
      const verified = await this.#verify(fleet, file, 0);
      if (verified.ok) return verified.value;
    }
    return null;
  }

  async #verify(fleet: string, file: HeadFile, minGeneration: number): Promise<Result<VerifiedHead, Refused>> {
    const { keys, clusterUid } = this.#options;
    return verifyHead(file, { keys: keySetOf(keys()), clusterUid, fleet, minGeneration });
  }

  async #fetch(fleet: string, digest: Digest): Promise<Result<FetchedBundle, UnreadBundle>> {
    const memory = this.#memory(fleet);
    const { store, supports } = this.#options;
    const fromStore: Digest[] = [];
    let isAway = false;
    const fetched = await fetchBundle(
      digest,
      async (object) => {
        const inline = memory.head === null ? undefined : await readInline(memory.head.file, object);
        if (inline !== undefined) return ok(inline);
        fromStore.push(object);
        const stored = await store.getObject(fleet, object);
        isAway ||= !stored.ok && !LOST.has(stored.error.reason);
        return stored;
      },
      { supports },
    );
    if (!fetched.ok) return fail({ ...fetched.error, isLost: !isAway });
    const objects = [...fetched.value.objects].map(([name, bytes]) => ({ digest: name, bytes }));
    memory.bundles.set(digest, objects);
    for (const object of fromStore) memory.present.add(object);
    return fetched;
  }

  async #publish(request: PublishRequest): Promise<Result<Published, StoreError>> {
    const { base, key } = request;
    const { clusterUid, clock, log } = this.#options;
    const memory = this.#memory(base.fleet);
    const served = servedDigests(request.head);
    const missing = await this.#gather(request, memory, served);
    if (!missing.ok) return missing;

    const seen = [base.head?.generation ?? 0, memory.head?.head.generation ?? 0];
    const generation = nextGeneration(seen, request.ackedGeneration, clock.wallMs());
    const head = fitHead({ ...request.head, format: HEAD_FORMAT, clusterUid, fleet: base.fleet, generation });
    const signed = await signHead(head, key);
    const file = await withInline(signed, missing.value);

    const writing = this.#putAll(base.fleet, memory, missing.value);
    if (file.inline === undefined) {
      const failed = (await writing).error;
      if (failed !== undefined) return fail(failed);
    }
    const [put, { unwritten }] = await Promise.all([
      this.#options.store.putHead(base.fleet, file, base.version),
      writing,
    ]);
    if (!put.ok) return put;

    await this.#remember(memory, file, head);
    const keys = { fleet: base.fleet, generation, stable: shortDigest(head.stable.digest) };
    log.info(
      { ...keys, candidate: shortDigest(head.candidate?.digest ?? ''), objects: missing.value.length },
      'published',
    );
    const state = { fleet: base.fleet, head, version: put.value.version, damaged: null };
    return ok({ head, state, unwritten });
  }

  /** Brings the served bundles into memory, and returns their objects that the store may not have. */
  async #gather(
    request: PublishRequest,
    memory: FleetMemory,
    served: readonly Digest[],
  ): Promise<Result<readonly BundleObject[], StoreError>> {
    const { base } = request;
    forgetUnserved(memory);
    for (const bundle of request.bundles) memory.bundles.set(bundle.digest, [bundle.manifest, ...bundle.shards]);
    for (const digest of served) {
      if (memory.bundles.has(digest)) continue;
      const fetched = await this.#fetch(base.fleet, digest);
      if (fetched.ok) continue;
      const message = `bundle ${shortDigest(digest)} cannot be published: ${fetched.error.message}`;
      return fail({ reason: 'NotFound', message });
    }
    // What no head names may be deleted by another operator's collection at any time: known to be there is not enough.
    const before = new Set(base.head === null ? [] : objectNames(memory, servedDigests(base.head)));
    for (const digest of memory.present) if (!before.has(digest)) memory.present.delete(digest);
    return ok(this.#notInStore(memory, served));
  }

  #notInStore(memory: FleetMemory, served: readonly Digest[]): readonly BundleObject[] {
    const missing = new Map<Digest, BundleObject>();
    for (const digest of served) {
      for (const object of memory.bundles.get(digest) ?? []) {
        if (!memory.present.has(object.digest)) missing.set(object.digest, object);
      }
    }
    return [...missing.values()];
  }

  /** Writes objects in parallel; says which the store did not take, and the first reason. */
  async #putAll(
    fleet: string,
    memory: FleetMemory,
    objects: readonly BundleObject[],
  ): Promise<{ readonly unwritten: readonly Digest[]; readonly error?: StoreError }> {
    const unwritten: Digest[] = [];
    let error: StoreError | undefined;
    await forEachBounded(objects, async (object) => {
      const put = await this.#options.store.putObject(fleet, object);
      if (put.ok) {
        memory.present.add(object.digest);
      } else {
        unwritten.push(object.digest);
        error ??= put.error;
      }
      return undefined;
    });
    if (error === undefined) return { unwritten };
    this.#options.log.warn(
      { fleet, reason: error.reason, detail: error.message, objects: unwritten.length },
      'objects not written',
    );
    return { unwritten, error };
  }

  async #remember(memory: FleetMemory, file: HeadFile, head: Head): Promise<void> {
    const verified = await this.#verify(head.fleet, file, head.generation);
    if (verified.ok) memory.head = verified.value;
    for (const [digest, objects] of memory.bundles) {
      memory.contents.set(
        digest,
        objects.map((object) => object.digest),
      );
    }
    forgetUnserved(memory);
  }
}

/** Bundles that no head came to name, after a publish that failed or a head that moved on, are not kept in memory. */
function forgetUnserved(memory: FleetMemory): void {
  const served = new Set(memory.head === null ? [] : servedDigests(memory.head.head));
  for (const digest of memory.bundles.keys()) if (!served.has(digest)) memory.bundles.delete(digest);
}

function objectNames(memory: FleetMemory, bundles: readonly Digest[]): Digest[] {
  return bundles.flatMap((digest) => memory.bundles.get(digest)?.map((object) => object.digest) ?? []);
}

/** Small changes ride in the head: one write, and no further read for proxies. */
async function withInline(signed: HeadFile, objects: readonly BundleObject[]): Promise<HeadFile> {
  const bytes = objects.reduce((sum, object) => sum + object.bytes.length, 0);
  if (objects.length === 0 || objects.length > limit('inlineObjects') || bytes > limit('inlineShardBytes'))
    return signed;
  const inline: Record<string, string> = {};
  for (const object of objects) inline[object.digest] = await packInline(object.bytes);
  const file = { ...signed, inline };
  return canonicalBytes(file).length <= limit('headBytes') ? file : signed;
}
