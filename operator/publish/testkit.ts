/** A publisher over a folder store, and stores that die, for tests. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { readInline, verifyHead, type VerifiedHead } from '../../proxy/bundle/head.ts';
import { generateSigningKey, keySetOf } from '../../proxy/bundle/keys.ts';
import { CLUSTER, FLEET, headOf, SUPPORTS, unwrap } from '../../proxy/bundle/testkit.ts';
import type { Digest } from '../../proxy/contract/canonical.ts';
import type { Head } from '../../proxy/contract/head.ts';
import { ok } from '../../proxy/contract/result.ts';
import type { Logger } from '../../proxy/observability/logger.ts';
import { fetchBundle } from '../../proxy/store/fetchBundle.ts';
import { FolderStore } from '../../proxy/store/folderStore.ts';
import { temporaryFolder } from '../../proxy/store/testkit.ts';
import type { Store } from '../../proxy/store/types.ts';
import { servedDigests } from './fleetMemory.ts';
import { Publisher, type FleetState, type HeadContent, type PublishRequest } from './publisher.ts';

export const KEY = generateSigningKey();
export const START_MS = 1_700_000_000_000;

const quiet = () => undefined;
const LOG: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

export async function newFleet(t: TestContext) {
  const root = await temporaryFolder(t);
  const store = new FolderStore(root);
  const clock = { ms: START_MS, wallMs: () => clock.ms, monotonicMs: () => clock.ms };
  const publisherOn = (on: Store) =>
    new Publisher({ store: on, clusterUid: CLUSTER, keys: () => [KEY], supports: SUPPORTS, clock, log: LOG });
  return { root, store, clock, publisherOn, publisher: publisherOn(store) };
}

/** The part of a head that a rollout decides. */
export function contentOf(stable: Digest, changes: Partial<Head> = {}): HeadContent {
  const {
    format: _format,
    clusterUid: _cluster,
    fleet: _fleet,
    generation: _generation,
    ...content
  } = headOf(stable, changes);
  return content;
}

export function request(base: FleetState, head: HeadContent, bundles: PublishRequest['bundles'] = []): PublishRequest {
  return { base, head, bundles, ackedGeneration: 0, key: KEY };
}

/** Reads as a proxy does: the head verifies, and every bundle that it names is there, inside it or in the store. */
export async function readAsProxy(store: Store): Promise<VerifiedHead | null> {
  const stored = await store.getHead(FLEET);
  if (!stored.ok) {
    assert.equal(stored.error.reason, 'NotFound');
    return null;
  }
  const trust = { keys: keySetOf([KEY]), clusterUid: CLUSTER, fleet: FLEET, minGeneration: 0 };
  const head = unwrap(await verifyHead(stored.value.file, trust));
  for (const digest of servedDigests(head.head)) {
    const read = async (object: Digest) => {
      const inline = await readInline(head.file, object);
      return inline === undefined ? store.getObject(FLEET, object) : ok(inline);
    };
    unwrap(await fetchBundle(digest, read, { supports: SUPPORTS }));
  }
  return head;
}

export async function objectsIn(store: Store): Promise<Set<Digest>> {
  return new Set(unwrap(await store.listObjects(FLEET)).map((object) => object.digest));
}

/** Stands for a process that is killed: at its n-th call, before or after the call took effect, nothing works any more. */
export function dyingStore(store: Store, diesAt: number, when: 'before' | 'after'): Store & { calls: number } {
  const state = { calls: 0 };
  const dying = new Proxy(store, {
    get(target, name) {
      if (name === 'calls') return state.calls;
      const method: unknown = Reflect.get(target, name, target);
      if (typeof method !== 'function') return method;
      return async (...values: unknown[]) => {
        const call = state.calls++;
        if (call > diesAt || (call === diesAt && when === 'before')) throw new Error('killed');
        const result = (await Reflect.apply(method, target, values)) as unknown;
        if (call === diesAt) throw new Error('killed');
        return result;
      };
    },
  });
  // The proxy answers `calls` above.
  return dying as Store & { calls: number };
}
