import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import {
  bundleOf,
  candidateOf,
  FLEET,
  headOf,
  manyEntries,
  poolEntry,
  reasonOf,
  unwrap,
} from '../../proxy/bundle/testkit.ts';
import type { Bundle } from '../../proxy/contract/bundle.ts';
import type { Head } from '../../proxy/contract/head.ts';
import { limit } from '../../proxy/contract/limits.ts';
import { fail } from '../../proxy/contract/result.ts';
import { keptDigests } from './collector.ts';
import { contentOf, newFleet, objectsIn, readAsProxy, request } from './testkit.ts';

const bundles = Array.from({ length: 6 }, (_, i) => bundleOf([...manyEntries(2), poolEntry(`only-${i}`)]));
const [old, now, recent, past, from, to] = bundles as [Bundle, Bundle, Bundle, Bundle, Bundle, Bundle];
const later = limit('collectAfterMs') + 1;
const has = async (store: Parameters<typeof objectsIn>[0], bundle: Bundle) =>
  (await objectsIn(store)).has(bundle.digest);

/** A fleet that went from `old` to `now`. */
async function movedOn(t: TestContext, head: Partial<Head> = {}) {
  const fleet = await newFleet(t);
  const { publisher, store } = fleet;
  for (const bundle of bundles.slice(2)) {
    for (const object of [bundle.manifest, ...bundle.shards]) unwrap(await store.putObject(FLEET, object));
  }
  const base = unwrap(await publisher.load(FLEET));
  const one = unwrap(await publisher.publish(request(base, contentOf(old.digest), [old])));
  const two = unwrap(await publisher.publish(request(one.state, contentOf(now.digest, head), [now])));
  return { ...fleet, state: two.state };
}

describe('keptDigests', () => {
  test('are all that a head names as something to run, go back to or compare with, and what acks say', () => {
    const range = { group: 0, state: 'Suspect' as const, from: from.digest, to: to.digest, first: 'a', last: 'b' };
    const head = headOf(now.digest, {
      candidate: candidateOf(old.digest),
      recentStable: [{ digest: recent.digest, until: 1 }],
      heldRanges: [{ ...range, reason: '', since: 1, failedIn: to.digest }],
      rejected: [{ digest: past.digest, reason: '', at: 1 }],
    });
    const kept = keptDigests(head, [bundles[0]?.digest ?? now.digest]);
    assert.deepEqual(kept, new Set([now.digest, old.digest, recent.digest, from.digest, to.digest]));
  });
});

describe('collect', () => {
  test('deletes what nothing has named for ten minutes, not before', async (t) => {
    const { store, publisher, clock } = await movedOn(t);
    assert.equal(unwrap(await publisher.collect(FLEET, [])).deleted, 0);
    clock.ms += limit('collectAfterMs') - 1;
    assert.equal(unwrap(await publisher.collect(FLEET, [])).deleted, 0);
    clock.ms += 1;
    assert.ok(unwrap(await publisher.collect(FLEET, [])).deleted > 0);
    assert.deepEqual(await objectsIn(store), new Set([now.digest, ...now.shards.map((shard) => shard.digest)]));
    assert.ok(await readAsProxy(store));
  });

  test('keeps what the head and acks name, with all its shards', async (t) => {
    const entry = {
      outcome: 'Promoted' as const,
      reason: 'StagesPassed',
      message: '',
      cause: 'Change' as const,
      at: 1,
    };
    const range = { group: 0, state: 'Suspect' as const, first: 'a', last: 'b', reason: '', since: 1 };
    const { store, publisher, clock } = await movedOn(t, {
      recentStable: [{ digest: recent.digest, until: 1 }],
      history: [{ ...entry, digest: past.digest }],
      heldRanges: [{ ...range, from: from.digest, to: to.digest, failedIn: to.digest }],
    });
    for (let round = 0; round < 3; round++) {
      unwrap(await publisher.collect(FLEET, [old.digest]));
      clock.ms += later;
    }
    const objects = await objectsIn(store);
    for (const bundle of bundles) {
      for (const object of [bundle.manifest, ...bundle.shards]) assert.ok(objects.has(object.digest));
    }
    unwrap(await publisher.collect(FLEET, []));
    clock.ms += later;
    unwrap(await publisher.collect(FLEET, []));
    assert.ok(!(await has(store, old)), 'once no ack names it, it goes');
    assert.ok(await has(store, past));
  });

  test('begins to count anew when an object is written again, or the operator starts again', async (t) => {
    const { store, publisher, publisherOn, clock } = await movedOn(t);
    unwrap(await publisher.collect(FLEET, []));
    clock.ms += later;
    unwrap(await store.putObject(FLEET, old.manifest));
    unwrap(await publisher.collect(FLEET, []));
    assert.ok(await has(store, old));
    const other = publisherOn(store);
    unwrap(await other.load(FLEET));
    unwrap(await other.collect(FLEET, []));
    assert.ok(await has(store, old));
    clock.ms += later;
    unwrap(await other.collect(FLEET, []));
    assert.ok(!(await has(store, old)));
  });

  test('does not count the time in which an object was named again', async (t) => {
    const { store, publisher, clock, state } = await movedOn(t);
    unwrap(await publisher.collect(FLEET, []));
    clock.ms += later;
    const back = unwrap(await publisher.publish(request(state, contentOf(old.digest))));
    unwrap(await publisher.collect(FLEET, []));
    unwrap(await publisher.publish(request(back.state, contentOf(now.digest))));
    unwrap(await publisher.collect(FLEET, []));
    assert.ok(await has(store, old));
    assert.ok(await readAsProxy(store));
  });

  test('deletes nothing while it cannot read what is served', async (t) => {
    const { store, root, publisherOn, clock } = await movedOn(t);
    const away = { value: true };
    const other = publisherOn(
      new Proxy(store, {
        get(target, name) {
          if (name === 'getObject' && away.value) {
            return async () => fail({ reason: 'Unavailable', message: 'away' });
          }
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      }),
    );
    unwrap(await other.load(FLEET));
    for (let round = 0; round < 2; round++) {
      assert.equal(reasonOf(await other.collect(FLEET, [])), 'Unavailable');
      clock.ms += later;
    }
    away.value = false;
    await rm(join(root, FLEET, 'objects', `${now.digest.slice(7)}.gz`));
    assert.equal(reasonOf(await other.collect(FLEET, [])), 'NotFound');
    assert.ok(await has(store, old));
  });

  test('is not held up by a bundle of the history that is gone or damaged', async (t) => {
    const entry = {
      outcome: 'Promoted' as const,
      reason: 'StagesPassed',
      message: '',
      cause: 'Change' as const,
      at: 1,
    };
    const { root, store, publisher, clock } = await movedOn(t, { history: [{ ...entry, digest: past.digest }] });
    await rm(join(root, FLEET, 'objects', `${past.digest.slice(7)}.gz`));
    unwrap(await publisher.collect(FLEET, []));
    clock.ms += later;
    unwrap(await publisher.collect(FLEET, []));
    assert.ok(!(await has(store, old)));
    assert.ok(await readAsProxy(store));
  });

  test('never runs while something is published', async (t) => {
    const { store, publisherOn } = await newFleet(t);
    const running = new Set<string>();
    const overlaps: string[] = [];
    const watched = new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return async (...values: unknown[]) => {
          running.add(String(name));
          if (running.has('putHead') && (running.has('listObjects') || running.has('deleteObject')))
            overlaps.push(String(name));
          const result = (await Reflect.apply(value, target, values)) as unknown;
          running.delete(String(name));
          return result;
        };
      },
    });
    const publisher = publisherOn(watched);
    const base = unwrap(await publisher.load(FLEET));
    const [published] = await Promise.all([
      publisher.publish(request(base, contentOf(now.digest), [now])),
      publisher.collect(FLEET, []),
      publisher.collect(FLEET, []),
    ]);
    unwrap(published);
    assert.deepEqual(overlaps, []);
  });
});
