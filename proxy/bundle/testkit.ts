/** Entries, bundles and heads for tests. */
import assert from 'node:assert/strict';
import type { Bundle, Requirements } from '../contract/bundle.ts';
import type { Digest } from '../contract/canonical.ts';
import type { Entry } from '../contract/document/entries.ts';
import type { Head } from '../contract/head.ts';
import type { Result } from '../contract/result.ts';
import { buildBundle } from './buildBundle.ts';
import type { Supports } from './refused.ts';

export const REQUIRES: Requirements = { documentVersion: 1, features: [] };
export const SUPPORTS: Supports = { documentVersions: [1], features: [] };
export const CLUSTER = 'cluster-1';
export const FLEET = 'edge/main';

/** The value of a result that must be good. */
export function unwrap<T, E>(result: Result<T, E>): T {
  assert.ok(result.ok, result.ok ? '' : JSON.stringify(result.error));
  return result.value;
}

/** The reason of a result that must be refused. */
export function reasonOf<T, E extends { readonly reason: string }>(result: Result<T, E>): string {
  assert.ok(!result.ok, 'was taken, and should have been refused');
  return result.error.reason;
}

export function routeEntry(name: string, path = '/'): Entry {
  const id = `shop/${name}`;
  const value = { id, host: `${name}.example.com`, path_prefix: path, pool: id };
  return { section: 'routes', id, object: `ProxyRoute/shop/${name}`, value };
}

export function poolEntry(name: string, port = 8080): Entry {
  const id = `shop/${name}`;
  const value = { id, endpoints: [{ address: `10.0.0.1:${port}` }, { address: `10.0.0.2:${port}`, weight: 50 }] };
  return { section: 'pools', id, object: `UpstreamPool/shop/${name}`, value };
}

/** A route and its pool, `count` times. */
export function manyEntries(count: number): Entry[] {
  return Array.from({ length: count }, (_, i) => [routeEntry(`r${i}`), poolEntry(`r${i}`)]).flat();
}

export function bundleOf(entries: readonly Entry[], previous?: Bundle): Bundle {
  return unwrap(buildBundle(entries, REQUIRES, previous));
}

export function headOf(stable: Digest, changes: Partial<Head> = {}): Head {
  return {
    format: 1,
    clusterUid: CLUSTER,
    fleet: FLEET,
    generation: 1_000,
    stable: { digest: stable, since: 1 },
    holds: [],
    rejected: [],
    recentStable: [],
    history: [],
    ...changes,
  };
}

export function candidateOf(digest: Digest, changes: Partial<NonNullable<Head['candidate']>> = {}) {
  return {
    digest,
    seed: 'seed',
    threshold: 'f'.repeat(16),
    stage: 0,
    stageStartedAt: 1,
    startedAt: 1,
    afterGeneration: 0,
    bakedMs: 0,
    waitedMs: 0,
    cause: 'Change' as const,
    changes: 1,
    objects: ['ProxyRoute/shop/r1'],
    missingBefore: [],
    ...changes,
  };
}

/** A small seeded generator (mulberry32): the same numbers in every run. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A copy with one bit turned over. */
export function flipBit(bytes: Buffer, random: () => number): Buffer {
  const copy = Buffer.from(bytes);
  const bit = Math.floor(random() * bytes.length * 8);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}
