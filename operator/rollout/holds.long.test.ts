import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { checkHead } from '../../proxy/bundle/schemas.ts';
import { canonicalBytes, digestOfJson } from '../../proxy/contract/canonical.ts';
import { limit } from '../../proxy/contract/limits.ts';
import { VirtualFleet, type Version } from './virtualFleet.ts';

const BAD: Version = { text: 'bad', fault: 'Refused' };

/** A fleet that runs `count` objects in three namespaces. */
function running(count: number, spec = {}): { fleet: VirtualFleet; objects: readonly string[] } {
  const fleet = new VirtualFleet(spec, 2);
  const objects = Array.from({ length: count }, (_, i) => `ProxyRoute/ns${i % 3}/app${String(i).padStart(4, '0')}`);
  for (const object of objects) fleet.apply(object, 'one');
  fleet.run(2);
  return { fleet, objects };
}

function starts(fleet: VirtualFleet): number {
  return fleet.audit.filter(({ action }) => action === 'Start').length;
}

describe('a failed set of objects is split until the culprit is alone', () => {
  it('one culprit of 64 is found in as many trials as halving takes, and all others become stable', () => {
    const { fleet, objects } = running(64);
    const [culprit] = objects.slice(37);
    assert.ok(culprit);
    for (const object of objects) fleet.apply(object, object === culprit ? BAD : 'two');
    fleet.run(100);
    assert.deepEqual(fleet.held(), [culprit]);
    for (const object of objects) assert.equal(fleet.stableText(object), object === culprit ? 'one' : 'two');
    // The change itself, and at most two trials for each halving: of 3 namespaces, then of 22 objects.
    assert.ok(starts(fleet) <= 1 + 2 * 7, `${starts(fleet)} rollouts`);
  });

  it('namespaces are separated first', () => {
    const { fleet, objects } = running(9);
    for (const object of objects) fleet.apply(object, object.includes('/ns1/') ? BAD : 'two');
    fleet.run(3);
    const trial = fleet.audit.find(({ reason }) => reason === 'Trial')?.objects ?? [];
    const namespaces = new Set(trial.map((object) => object.split('/')[1]));
    assert.ok(trial.length > 0 && trial.length % 3 === 0 && !(namespaces.has('ns0') && namespaces.has('ns2')));
  });

  it('any set of culprits is found, and nothing else stays held', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 11 }), { maxLength: 6 }), (bad) => {
        const { fleet, objects } = running(12);
        objects.forEach((object, i) => fleet.apply(object, bad.includes(i) ? BAD : 'two'));
        fleet.run(80);
        const culprits = objects.filter((_, i) => bad.includes(i)).sort();
        assert.deepEqual(fleet.held(), culprits);
        for (const object of objects) {
          assert.equal(fleet.stableText(object), culprits.includes(object) ? 'one' : 'two');
        }
      }),
      { seed: 7, numRuns: 40 },
    );
  });

  it('two objects that fail only together: the second is held', () => {
    const { fleet, objects } = running(2);
    const [first = '', second = ''] = objects;
    fleet.faultOf = (digest) =>
      fleet.textIn(digest, first) === 'two' && fleet.textIn(digest, second) === 'two' ? 'Refused' : undefined;
    fleet.apply(first, 'two').apply(second, 'two').run(40);
    assert.equal(fleet.held().length, 1);
    assert.equal([first, second].filter((object) => fleet.stableText(object) === 'two').length, 1);
  });

  it('a good route that refers to a bad pool waits for it without being held, and follows it', () => {
    const { fleet } = running(3);
    const [pool, route] = ['UpstreamPool/ns0/new', 'ProxyRoute/ns0/new'];
    fleet
      .apply(pool, BAD)
      .apply(route, { text: 'one', refs: [pool] })
      .run(40);
    assert.deepEqual(fleet.held(), [pool]);
    assert.equal(fleet.stableText(route), undefined);
    fleet.apply(pool, 'good').run(20);
    assert.equal(fleet.stableText(pool), 'good');
    assert.equal(fleet.stableText(route), 'one');
  });

  it('a bad route does not take the good pool along that it refers to', () => {
    const { fleet } = running(3);
    const [pool, route] = ['UpstreamPool/ns0/new', 'ProxyRoute/ns0/new'];
    fleet
      .apply(pool, 'good')
      .apply(route, { ...BAD, refs: [pool] })
      .run(40);
    assert.deepEqual(fleet.held(), [route]);
    assert.equal(fleet.stableText(pool), 'good');
  });

  it('two new objects that refer to each other are tried together, and follow when the held one is retried', () => {
    const { fleet } = running(3);
    const [a, b, other] = ['ProxyRoute/ns0/a', 'ProxyRoute/ns0/b', 'ProxyRoute/ns2/app0002'];
    fleet
      .apply(a, { ...BAD, refs: [b] })
      .apply(b, { text: 'one', refs: [a] })
      .apply(other, 'two');
    fleet.run(60);
    assert.equal(fleet.stableText(other), 'two');
    assert.equal(fleet.held().length, 1, 'neither has an effect without the other, so one is enough');
    fleet.apply(a, { text: 'good', refs: [b] }).run(20);
    fleet.change({ request: { action: 'Retry', digest: null, objects: fleet.held() } }).run(20);
    assert.equal(fleet.stableText(a), 'good');
    assert.equal(fleet.stableText(b), 'one');
    assert.deepEqual(fleet.held(), []);
  });

  it('a good route is not blamed for the bad pool that it refers to, though that changes meanwhile', () => {
    const { fleet } = running(3);
    const [route, pool] = ['ProxyRoute/ns0/a-new', 'UpstreamPool/ns0/z-new'];
    fleet
      .apply(pool, BAD)
      .apply(route, { text: 'one', refs: [pool] })
      .run(1);
    fleet.apply(pool, { ...BAD, text: 'also bad' }).run(60);
    assert.deepEqual(fleet.held(), [pool]);
    fleet.apply(pool, 'good').run(20);
    assert.equal(fleet.stableText(route), 'one');
  });

  it('changes and trials take turns, so that neither starves the other', () => {
    const { fleet, objects } = running(8);
    objects.forEach((object, i) => fleet.apply(object, i === 3 ? BAD : 'two'));
    fleet.run(1);
    for (let i = 0; i < 60; i++) fleet.apply(`ProxyRoute/zz/stream${i}`, 'one').run(1);
    assert.deepEqual(fleet.held(), [objects[3]], 'a steady stream of changes starves no suspect');
    assert.equal(objects.filter((object) => fleet.stableText(object) === 'two').length, 7);
    const reasons = fleet.audit.filter(({ action }) => action === 'Start').map(({ reason }) => reason);
    const lastTrial = reasons.lastIndexOf('Trial');
    for (let i = 1; i < lastTrial; i++) assert.notEqual(`${reasons[i - 1]} ${reasons[i]}`, 'Trial Trial', `start ${i}`);
  });

  it('what cannot be held, because assembly makes something else of it, blocks instead of failing for ever', () => {
    const { fleet, objects } = running(2, { stages: [] });
    const [object = ''] = objects;
    const assemble = fleet.assemble.bind(fleet);
    const other = running(1).fleet.apply(object, 'cut').input().current.get(object);
    assert.ok(other);
    fleet.assemble = (holds) => {
      const { digest, fragments } = assemble(holds);
      if (fleet.objects.get(object)?.text !== 'two') return { digest, fragments };
      const cut = new Map(fragments).set(object, other);
      return { digest: digestOfJson(Object.fromEntries(cut)), fragments: cut };
    };
    fleet.faultOf = (digest) => (fleet.store.get(digest)?.get(object) === other ? 'Refused' : undefined);
    fleet.apply(object, 'two').run(20);
    assert.equal(fleet.last?.view.blocked?.reason, 'Rejected');
    assert.equal(starts(fleet), 1);
  });
});

describe('heads stay small', () => {
  it('a failed change of 5000 objects is held in two ranges', () => {
    const { fleet, objects } = running(5_000);
    const culprit = objects[4_321] ?? '';
    for (const object of objects) fleet.apply(object, object === culprit ? BAD : 'two');
    fleet.run(2);
    const { head } = fleet;
    assert.ok(head);
    assert.equal(head.heldRanges?.length, 2);
    assert.equal(fleet.last?.view.held.length, 5_000);
    assert.ok(canonicalBytes(head).length < 16 * 1024);
    assert.ok(checkHead(head).ok);
    fleet.run(60);
    assert.deepEqual(fleet.held(), [culprit]);
    assert.equal(objects.filter((object) => fleet.stableText(object) === 'two').length, 4_999);
  });

  it('an aborted change of 5000 objects waits as one range, and may be retried by object and by digest', () => {
    const { fleet, objects } = running(5_000, { stages: [{ name: 'canary', fleetPercent: 50, bakeTimeMs: 60_000 }] });
    for (const object of objects) fleet.apply(object, 'two');
    fleet.operate();
    const digest = fleet.candidate?.digest ?? null;
    fleet.change({ request: { action: 'Abort', digest, objects: [] } }).run(8);
    assert.equal(fleet.last?.view.held.length, 5_000);
    assert.equal(fleet.head?.heldRanges?.length, 1);
    assert.equal(fleet.candidate, undefined, 'what a person aborted is not tried again');
    const retried = [objects[100] ?? '', objects[2_000] ?? ''];
    fleet.change({ request: { action: 'Retry', digest: null, objects: retried } }).run(70);
    assert.deepEqual(
      objects.filter((object) => fleet.stableText(object) === 'two'),
      [...retried].sort(),
    );
    assert.equal(fleet.last?.view.held.length, 4_998);
    fleet.change({ request: { action: 'Retry', digest, objects: [] } }).run(70);
    assert.equal(fleet.last?.view.held.length, 0);
    assert.ok(objects.every((object) => fleet.stableText(object) === 'two'));
  });

  it('more culprits than a head lists leave the rest as suspects, and changes proceed', () => {
    const most = limit('headListEntries');
    const { fleet, objects } = running(most + 40);
    for (const object of objects) fleet.apply(object, BAD);
    fleet.run(1_400);
    assert.equal(fleet.head?.holds.length, most);
    assert.ok(fleet.head !== null && checkHead(fleet.head).ok);
    assert.ok(canonicalBytes(fleet.head).length < limit('headBytes') / 2);
    assert.equal(fleet.last?.view.held.length, objects.length);
    assert.equal(fleet.last?.view.blocked?.reason, 'TooManyHolds');
    fleet.apply('ProxyRoute/zz/good', 'good').run(10);
    assert.equal(fleet.stableText('ProxyRoute/zz/good'), 'good');
  });

  it('many large changes that were aborted do not block later ones: the oldest is let go', () => {
    const most = limit('headListEntries');
    const { fleet, objects } = running(most + 20, {
      stages: [{ name: 'canary', fleetPercent: 50, bakeTimeMs: 60_000 }],
    });
    const abort = (some: readonly string[]) => {
      for (const object of some) fleet.apply(object, 'two');
      fleet.operate();
      const digest = fleet.candidate?.digest ?? null;
      fleet.change({ request: { action: 'Abort', digest, objects: [] } }).run(6);
    };
    abort(objects.slice(0, most));
    for (let i = most; i < most + 20; i += 2) abort(objects.slice(i, i + 2));
    const bundles = new Set((fleet.head?.heldRanges ?? []).flatMap(({ from, to }) => [from, to]));
    assert.ok(bundles.size <= limit('heldBundles'), `${bundles.size} bundles`);
    fleet.change({ request: null, stages: [] }).apply('ProxyRoute/zz/good', 'good').run(20);
    assert.equal(fleet.stableText('ProxyRoute/zz/good'), 'good');
  });

  it('failures of many changes are isolated before further ones start', () => {
    const { fleet, objects } = running(160);
    for (let i = 0; i < 160; i += 8) {
      for (const object of objects.slice(i, i + 8)) fleet.apply(object, BAD);
      fleet.run(2);
      const bundles = new Set((fleet.head?.heldRanges ?? []).flatMap(({ from, to }) => [from, to]));
      assert.ok(bundles.size <= limit('heldBundles'), `${bundles.size} bundles`);
    }
    fleet.run(800);
    assert.equal(fleet.head?.holds.length, 160);
  });
});
