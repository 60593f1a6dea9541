import assert from 'node:assert/strict';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readInline, signHead } from '../../proxy/bundle/head.ts';
import { generateSigningKey } from '../../proxy/bundle/keys.ts';
import {
  bundleOf,
  candidateOf,
  FLEET,
  headOf,
  manyEntries,
  reasonOf,
  routeEntry,
  unwrap,
} from '../../proxy/bundle/testkit.ts';
import type { Bundle } from '../../proxy/contract/bundle.ts';
import type { Entry } from '../../proxy/contract/document/entries.ts';
import { limit } from '../../proxy/contract/limits.ts';
import { fail } from '../../proxy/contract/result.ts';
import type { Store, StoreError } from '../../proxy/store/types.ts';
import { contentOf, dyingStore, KEY, newFleet, objectsIn, readAsProxy, request, START_MS } from './testkit.ts';

const entries = manyEntries(2_000);
const first = bundleOf(entries);
const second = bundleOf(entries.with(0, routeEntry('r0', '/new')), first);
const small = bundleOf(manyEntries(3));
const objectsOf = (...bundles: Bundle[]) =>
  new Set(bundles.flatMap((b) => [b.digest, ...b.shards.map((s) => s.digest)]));
const withCandidate = contentOf(first.digest, { candidate: candidateOf(second.digest) });

/** The store with some of its answers replaced. */
function storeThat(store: Store, changes: Partial<Store>): Store {
  return new Proxy(store, {
    get: (target, name) => {
      const change: unknown = Reflect.get(changes, name);
      if (change !== undefined) return change;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

describe('publish', () => {
  test('puts a first bundle and head where proxies read them', async (t) => {
    const { store, publisher } = await newFleet(t);
    const base = unwrap(await publisher.load(FLEET));
    assert.deepEqual(base, { fleet: FLEET, head: null, version: null, damaged: null });
    const published = unwrap(await publisher.publish(request(base, contentOf(first.digest), [first])));
    const read = await readAsProxy(store);
    assert.deepEqual(read?.head, published.head);
    assert.equal(read?.head.generation, START_MS);
    assert.deepEqual(await objectsIn(store), objectsOf(first));
    assert.deepEqual(unwrap(await publisher.load(FLEET)), published.state);
  });

  test('a large first bundle travels as objects, a small change inside the head with its objects beside it', async (t) => {
    const { store, publisher } = await newFleet(t);
    const base = unwrap(await publisher.load(FLEET));
    const one = unwrap(await publisher.publish(request(base, contentOf(first.digest), [first])));
    assert.equal((await readAsProxy(store))?.file.inline, undefined);
    const two = unwrap(await publisher.publish(request(one.state, withCandidate, [second])));
    const file = (await readAsProxy(store))?.file;
    const changed = [...objectsOf(second)].filter((digest) => !objectsOf(first).has(digest));
    assert.deepEqual(new Set(Object.keys(file?.inline ?? {})), new Set(changed));
    assert.equal(changed.length, 2);
    assert.ok(file !== undefined);
    assert.deepEqual(await readInline(file, second.digest), second.manifest.bytes);
    assert.deepEqual(await objectsIn(store), objectsOf(first, second));
    // The next stage of the same candidate has nothing to carry.
    unwrap(await publisher.publish(request(two.state, withCandidate)));
    assert.equal((await readAsProxy(store))?.file.inline, undefined);
  });

  test('writes only objects that the fleet does not have yet', async (t) => {
    const { store, publisherOn } = await newFleet(t);
    const put: string[] = [];
    const counting = storeThat(store, {
      putObject: async (fleet, object) => {
        put.push(object.digest);
        return store.putObject(fleet, object);
      },
    });
    const publisher = publisherOn(counting);
    const base = unwrap(await publisher.load(FLEET));
    const one = unwrap(await publisher.publish(request(base, contentOf(first.digest), [first])));
    assert.equal(put.splice(0).length, first.shards.length + 1);
    unwrap(await publisher.publish(request(one.state, withCandidate, [second])));
    assert.equal(put.length, 2);
  });

  test('on a head that has moved on is a Conflict, and changes nothing', async (t) => {
    const { store, publisher, publisherOn } = await newFleet(t);
    const base = unwrap(await publisher.load(FLEET));
    unwrap(await publisherOn(store).publish(request(base, contentOf(first.digest), [first])));
    const head = unwrap(await store.getHead(FLEET));
    assert.equal(reasonOf(await publisher.publish(request(base, contentOf(small.digest), [small]))), 'Conflict');
    assert.deepEqual(unwrap(await store.getHead(FLEET)), head);
  });

  test('generations grow, above the clock, above acks, and above what was published in the same millisecond', async (t) => {
    const { clock, publisher } = await newFleet(t);
    let state = unwrap(await publisher.load(FLEET));
    const next = async (ackedGeneration: number) => {
      const published = unwrap(
        await publisher.publish({ ...request(state, contentOf(small.digest), [small]), ackedGeneration }),
      );
      state = published.state;
      return published.head.generation;
    };
    assert.equal(await next(0), START_MS);
    assert.equal(await next(0), START_MS + 1);
    assert.equal(await next(START_MS + 1_000), START_MS + 1_001);
    clock.ms -= 3_600_000;
    assert.equal(await next(0), START_MS + 1_002, 'a clock set back changes nothing');
    clock.ms += 7_200_000;
    assert.equal(await next(0), clock.ms);
    assert.equal(await next(Number.MAX_SAFE_INTEGER), clock.ms + 1, 'an ack from beyond any clock is not followed');
  });

  test('needs no bundle for a digest that the store has, and refuses one that nobody has', async (t) => {
    const { store, publisher, publisherOn } = await newFleet(t);
    const base = unwrap(await publisher.load(FLEET));
    unwrap(await publisher.publish(request(base, withCandidate, [first, second])));
    const other = publisherOn(store);
    const state = unwrap(await other.load(FLEET));
    unwrap(await other.publish(request(state, contentOf(second.digest))));
    assert.equal((await readAsProxy(store))?.head.stable.digest, second.digest);
    const before = unwrap(await store.getHead(FLEET));
    const now = unwrap(await other.load(FLEET));
    assert.equal(reasonOf(await other.publish(request(now, contentOf(small.digest)))), 'NotFound');
    assert.deepEqual(unwrap(await store.getHead(FLEET)), before);
  });

  test('writes again what another operator may have collected since it was named last', async (t) => {
    const { store, publisher } = await newFleet(t);
    const base = unwrap(await publisher.load(FLEET));
    const one = unwrap(await publisher.publish(request(base, contentOf(first.digest), [first])));
    const two = unwrap(await publisher.publish(request(one.state, contentOf(second.digest), [second])));
    for (const object of unwrap(await store.listObjects(FLEET))) {
      if (!objectsOf(second).has(object.digest)) unwrap(await store.deleteObject(FLEET, object));
    }
    unwrap(await publisher.publish(request(two.state, contentOf(first.digest), [first])));
    assert.ok(await readAsProxy(store));
    for (const digest of objectsOf(first)) assert.ok((await objectsIn(store)).has(digest));
  });

  test('a head larger than its limit is trimmed, not refused', async (t) => {
    const { store, publisher } = await newFleet(t);
    const rejected = Array.from({ length: 2_000 }, (_, at) => ({
      digest: small.digest,
      reason: 'x'.repeat(1_000),
      at,
    }));
    const base = unwrap(await publisher.load(FLEET));
    unwrap(await publisher.publish(request(base, contentOf(small.digest, { rejected }), [small])));
    const head = (await readAsProxy(store))?.head;
    assert.equal(head?.rejected.at(-1)?.at, 1_999);
  });

  test('a mistake of the caller is thrown, and the queue goes on', async (t) => {
    const { publisher } = await newFleet(t);
    const base = unwrap(await publisher.load(FLEET));
    const wrong = contentOf(small.digest, { stable: { digest: small.digest, since: -1 } });
    await assert.rejects(publisher.publish(request(base, wrong, [small])), TypeError);
    unwrap(await publisher.publish(request(base, contentOf(small.digest), [small])));
  });
});

describe('a store that does not take objects', () => {
  const full: StoreError = { reason: 'Full', message: 'no room' };

  test('a large bundle is not published, and the head stays', async (t) => {
    const { store, publisherOn } = await newFleet(t);
    let puts = 0;
    const filling = storeThat(store, {
      putObject: async (fleet, object) => (++puts > 3 ? fail(full) : store.putObject(fleet, object)),
    });
    const publisher = publisherOn(filling);
    const base = unwrap(await publisher.load(FLEET));
    assert.equal(reasonOf(await publisher.publish(request(base, contentOf(first.digest), [first]))), 'Full');
    assert.equal(reasonOf(await store.getHead(FLEET)), 'NotFound');
  });

  test('a small change rides in the head until its objects can be written', async (t) => {
    const { store, publisherOn } = await newFleet(t);
    const stuck = { value: true };
    const publisher = publisherOn(
      storeThat(store, {
        putObject: async (fleet, object) => (stuck.value ? fail(full) : store.putObject(fleet, object)),
      }),
    );
    const base = unwrap(await publisher.load(FLEET));
    const one = unwrap(await publisher.publish(request(base, contentOf(small.digest), [small])));
    assert.deepEqual(new Set(one.unwritten), objectsOf(small));
    assert.ok(await readAsProxy(store));
    const two = unwrap(await publisher.publish(request(one.state, contentOf(small.digest, { handledRequest: 'x' }))));
    assert.ok(await readAsProxy(store), 'the next head carries them again');
    assert.equal(two.unwritten.length, 2);
    stuck.value = false;
    unwrap(await publisher.collect(FLEET, []));
    assert.deepEqual(await objectsIn(store), objectsOf(small));
  });
});

describe('a head that cannot be believed', () => {
  const older = async () => signHead(headOf(small.digest, { generation: 5 }), KEY);
  const foreign = async () => signHead(headOf(small.digest, { generation: START_MS * 2 }), generateSigningKey());
  const otherFleet = async () => signHead(headOf(small.digest, { fleet: 'edge/other', generation: START_MS * 2 }), KEY);
  const cases: Record<string, { reason: string; text: () => Promise<string> }> = {
    'a replayed older one': { reason: 'OlderGeneration', text: async () => JSON.stringify(await older()) },
    'one signed by a foreign key': { reason: 'UnknownKey', text: async () => JSON.stringify(await foreign()) },
    'one of another fleet': { reason: 'WrongFleet', text: async () => JSON.stringify(await otherFleet()) },
    'one that is cut off': { reason: 'Malformed', text: async () => '{"jws":"' },
    'one that is too large': { reason: 'Malformed', text: async () => ' '.repeat(limit('headBytes') + 1) },
  };
  for (const [name, { reason, text }] of Object.entries(cases)) {
    test(`${name} is said, and repaired by the head before`, async (t) => {
      const { store, root, publisher, publisherOn } = await newFleet(t);
      const base = unwrap(await publisher.load(FLEET));
      const good = unwrap(await publisher.publish(request(base, contentOf(first.digest), [first])));
      await writeFile(join(root, FLEET, 'heads', '2.json'), await text());
      const state = unwrap(await publisher.load(FLEET));
      assert.equal(state.damaged?.reason, reason);
      assert.deepEqual(state.head, good.head, 'the head that this process published');
      if (reason !== 'OlderGeneration') {
        const stranger = unwrap(await publisherOn(store).load(FLEET));
        assert.deepEqual(stranger.head, good.head, 'a process that knows no head finds the one before');
        await rm(join(root, FLEET, 'heads', '1.json'));
        const alone = unwrap(await publisherOn(store).load(FLEET));
        assert.deepEqual([alone.head, alone.damaged?.reason], [null, reason], 'and makes none up');
      }
      unwrap(await publisher.collect(FLEET, []));
      const repaired = unwrap(await publisher.repair(state, KEY, 0));
      assert.equal(repaired.damaged, null);
      const read = await readAsProxy(store);
      assert.deepEqual({ ...read?.head, generation: good.head.generation }, good.head);
      assert.ok(read !== null && read.head.generation > good.head.generation);
      assert.equal(unwrap(await publisher.repair(repaired, KEY, 0)), repaired, 'nothing is left to repair');
    });
  }

  test('one that was deleted with everything else is published again, objects and all', async (t) => {
    const { store, root, publisher } = await newFleet(t);
    const base = unwrap(await publisher.load(FLEET));
    const good = unwrap(await publisher.publish(request(base, contentOf(first.digest), [first])));
    await rm(join(root, FLEET), { recursive: true });
    const state = unwrap(await publisher.load(FLEET));
    assert.equal(state.damaged?.reason, 'Missing');
    assert.deepEqual(state.head, good.head);
    unwrap(await publisher.publish(request(state, contentOf(first.digest))));
    assert.ok(await readAsProxy(store));
    assert.deepEqual(await objectsIn(store), objectsOf(first));
    assert.equal((await readdir(join(root, FLEET, 'heads'))).length, 1);
  });
});

describe('a publisher killed at any call of the store', () => {
  // Few long entries: a bundle large enough to travel as objects, and cheap to read again after every kill.
  const long = (name: string, fill: string): Entry => {
    const value = { id: name, type: 'builtin' as const, config: { text: fill.repeat(4_000) } };
    return { section: 'plugins', id: name, object: `ProxyRollout/shop/${name}`, value };
  };
  const some = Array.from({ length: 100 }, (_, i) => long(`p${i}`, 'a'));
  const from = bundleOf(some);
  const to = bundleOf(some.with(0, long('p0', 'b')), from);

  for (const when of ['before', 'after'] as const) {
    test(`(${when} it takes effect) leaves a head whose bundles are there, and the next one ends as it would have`, async (t) => {
      let finished = false;
      let kills = 0;
      for (let diesAt = 0; !finished; diesAt++) {
        const { store, publisherOn } = await newFleet(t);
        const dying = dyingStore(store, diesAt, when);
        finished = await run(publisherOn(dying)).then(
          () => true,
          () => false,
        );
        kills += finished ? 0 : 1;
        await readAsProxy(store);
        await run(publisherOn(store));
        const head = await readAsProxy(store);
        assert.deepEqual(head?.head.stable.digest, to.digest);
        assert.equal(head?.head.candidate, undefined);
        assert.deepEqual(await objectsIn(store), objectsOf(from, to));
      }
      assert.ok(kills > from.shards.length, `${kills} kills`);
    });
  }

  /** What an operator does: goes on from whatever the head says. */
  async function run(publisher: Awaited<ReturnType<typeof newFleet>>['publisher']): Promise<void> {
    for (;;) {
      const state = unwrap(await publisher.load(FLEET));
      const head = state.head;
      for (const digest of [head?.stable.digest, head?.candidate?.digest]) {
        if (digest !== undefined) unwrap(await publisher.loadBundle(FLEET, digest));
      }
      if (head === null) unwrap(await publisher.publish(request(state, contentOf(from.digest), [from])));
      else if (head.stable.digest === to.digest) break;
      else if (head.candidate === undefined)
        unwrap(
          await publisher.publish(request(state, contentOf(from.digest, { candidate: candidateOf(to.digest) }), [to])),
        );
      else unwrap(await publisher.publish(request(state, contentOf(to.digest))));
    }
    unwrap(await publisher.collect(FLEET, [from.digest]));
  }
});
