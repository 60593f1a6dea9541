/** Deletes what nothing has named for a while. Whatever it cannot read, it keeps. */
import type { Digest } from '../../proxy/contract/canonical.ts';
import type { Head } from '../../proxy/contract/head.ts';
import { limit } from '../../proxy/contract/limits.ts';
import { fail, ok, type Result } from '../../proxy/contract/result.ts';
import { readManifest } from '../../proxy/bundle/readBundle.ts';
import type { Store, StoredObject, StoreError } from '../../proxy/store/types.ts';
import { servedDigests, type FleetMemory } from './fleetMemory.ts';

export interface Collected {
  readonly deleted: number;
  readonly kept: number;
}

/** Bundles that must stay: served, within reach of a rollback or a pin, needed to tell held objects apart, or acked. */
export function keptDigests(head: Head, acked: Iterable<Digest>): Set<Digest> {
  const kept = new Set<Digest>([...servedDigests(head), ...acked]);
  for (const recent of head.recentStable) kept.add(recent.digest);
  for (const entry of head.history) kept.add(entry.digest);
  for (const range of head.heldRanges ?? []) kept.add(range.from).add(range.to);
  return kept;
}

/**
 * One round of collection.
 *
 * @param acked digests that proxies run, by their acks
 * @param nowMs monotonic clock
 */
export async function collectUnnamed(
  store: Store,
  fleet: string,
  memory: FleetMemory,
  head: Head,
  acked: Iterable<Digest>,
  nowMs: number,
): Promise<Result<Collected, StoreError>> {
  const named = await namedObjects(store, fleet, memory, head, acked);
  if (!named.ok) return named;
  const listed = await store.listObjects(fleet);
  if (!listed.ok) return listed;
  const unnamedSince = new Map<string, number>();
  let deleted = 0;
  for (const object of listed.value) {
    if (named.value.has(object.digest)) continue;
    // An object that was written again in the meantime has another version, and its time begins anew.
    const key = `${object.digest} ${object.version}`;
    const since = memory.unnamedSince.get(key) ?? nowMs;
    unnamedSince.set(key, since);
    if (nowMs - since < limit('collectAfterMs')) continue;
    if (await deleteOne(store, fleet, object, memory)) {
      unnamedSince.delete(key);
      deleted += 1;
    }
  }
  memory.unnamedSince = unnamedSince;
  return ok({ deleted, kept: listed.value.length - deleted });
}

async function deleteOne(store: Store, fleet: string, object: StoredObject, memory: FleetMemory): Promise<boolean> {
  // Forgotten first: should the outcome stay unknown, the object is written again when it is needed.
  memory.present.delete(object.digest);
  const outcome = await store.deleteObject(fleet, object);
  return outcome.ok;
}

async function namedObjects(
  store: Store,
  fleet: string,
  memory: FleetMemory,
  head: Head,
  acked: Iterable<Digest>,
): Promise<Result<Set<Digest>, StoreError>> {
  const served = new Set(servedDigests(head));
  const kept = keptDigests(head, acked);
  const named = new Set<Digest>();
  for (const digest of kept) {
    const contents = await contentsOf(store, fleet, memory, digest);
    if (contents.ok) {
      for (const object of contents.value) named.add(object);
    } else if (served.has(digest) || !['NotFound', 'Corrupt', 'TooLarge'].includes(contents.error.reason)) {
      return contents;
    }
  }
  for (const digest of memory.contents.keys()) if (!kept.has(digest)) memory.contents.delete(digest);
  return ok(named);
}

async function contentsOf(
  store: Store,
  fleet: string,
  memory: FleetMemory,
  digest: Digest,
): Promise<Result<readonly Digest[], StoreError>> {
  const known = memory.contents.get(digest) ?? memory.bundles.get(digest)?.map((object) => object.digest);
  if (known !== undefined) return ok(known);
  const bytes = await store.getObject(fleet, digest);
  if (!bytes.ok) return bytes;
  const manifest = readManifest(bytes.value, digest);
  if (!manifest.ok) return fail({ reason: 'Corrupt', message: manifest.error.message });
  const contents = [digest, ...manifest.value.shards.map((shard) => shard.digest)];
  memory.contents.set(digest, contents);
  return ok(contents);
}
