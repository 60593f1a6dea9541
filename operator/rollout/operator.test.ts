import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decide } from './decide.ts';
import { VirtualFleet } from './virtualFleet.ts';

const A = 'ProxyRoute/shop/a';
const B = 'ProxyRoute/shop/b';
const STAGES = [{ name: 'canary', fleetPercent: 34, bakeTimeMs: 100_000 }];

function started(spec = {}, proxies = 3): VirtualFleet {
  return new VirtualFleet({ stages: STAGES, ...spec }, proxies).apply(A, 'one').apply(B, 'one').run(2);
}

describe('an operator that restarts', () => {
  it('goes on from the head in the middle of a stage, and loses at most a minute of bake time', () => {
    const fleet = started();
    fleet.apply(A, 'two').run(90);
    fleet.restartOperator();
    fleet.run(20);
    assert.equal(fleet.candidate?.stage, 0);
    fleet.run(30);
    assert.equal(fleet.stableText(A), 'two');
  });

  it('does not take a crash for health that happened while it was away', () => {
    for (const stages of [STAGES, []]) {
      const fleet = started({ stages }, 3);
      fleet.apply(A, { text: 'bad', fault: 'Crash' }).operate();
      // Proxies read the head and crash; nobody polls them.
      for (const proxy of fleet.proxies.values()) fleet.readHead(proxy);
      fleet.restartOperator();
      fleet.run(120);
      assert.equal(fleet.stableText(A), 'one');
      assert.deepEqual(fleet.held(), [A]);
    }
  });

  it('does not promote by the acks of some while others have not been polled yet', () => {
    const fleet = started({ stages: [] });
    const [crashed] = fleet.proxies.values();
    assert.ok(crashed);
    crashed.reachable = false;
    fleet.apply(A, 'two').run(3);
    fleet.restartOperator();
    fleet.run(20);
    assert.equal(fleet.stableText(A), 'one');
    fleet.start(crashed);
    crashed.reachable = true;
    fleet.run(20);
    assert.equal(fleet.stableText(A), 'two');
    assert.equal(crashed.running, fleet.stable);
  });

  it('ends in the same state wherever it dies', () => {
    const story = (dieAt: number): VirtualFleet => {
      const fleet = started({ stages: [{ name: 'canary', fleetPercent: 34, bakeTimeMs: 3_000 }] });
      let writes = 0;
      fleet.crashAt = () => {
        const write = writes++;
        if (write !== Math.floor(dieAt / 2)) return null;
        return dieAt % 2 === 0 ? 'BeforeWrite' : 'AfterWrite';
      };
      fleet.apply(A, { text: 'bad', fault: 'Refused' }).apply(B, 'two').run(60);
      return fleet;
    };
    const undisturbed = story(-2);
    for (let dieAt = 0; dieAt < 24; dieAt++) {
      const fleet = story(dieAt);
      assert.equal(fleet.stable, undisturbed.stable, `died at ${dieAt}`);
      assert.deepEqual(fleet.held(), undisturbed.held());
      assert.equal(fleet.candidate, undefined);
    }
  });

  it('decides the same from the same input, and changes nothing of it', () => {
    const fleet = started();
    fleet.apply(A, 'two').run(5);
    const input = fleet.input();
    const before = JSON.stringify(input);
    assert.deepEqual(decide(input), decide(input));
    assert.equal(JSON.stringify(input), before);
  });
});

describe('clocks that jump', () => {
  for (const [name, hours] of [
    ['forward', 1],
    ['back', -1],
  ] as const) {
    it(`an hour ${name} neither skips a bake time nor lets it begin again`, () => {
      const fleet = started();
      fleet.apply(A, 'two').run(50);
      fleet.skewMs += hours * 3_600_000;
      fleet.run(30);
      assert.equal(fleet.candidate?.stage, 0);
      fleet.run(40);
      assert.equal(fleet.stableText(A), 'two');
    });

    it(`an hour ${name} is no deadline`, () => {
      const fleet = started({ progressDeadlineMs: 60_000 });
      for (const proxy of fleet.proxies.values()) proxy.reachable = false;
      fleet.run(10);
      fleet.apply(A, 'two').run(20);
      fleet.skewMs += hours * 3_600_000;
      fleet.run(20);
      assert.ok(fleet.candidate);
      fleet.run(40);
      assert.equal(fleet.head?.history[0]?.outcome, 'Stalled');
    });
  }

  it('a fleet with a long poll interval counts long intervals', () => {
    const fleet = started({}, 2_000);
    fleet.apply(A, 'two').run(160, 4_000);
    assert.equal(fleet.stableText(A), 'two');
  });
});

describe('a store that loses things', () => {
  it('a candidate whose bundle is gone begins again', () => {
    const fleet = started();
    fleet.apply(A, 'two').run(5);
    const { digest, seed } = fleet.candidate ?? {};
    assert.ok(digest);
    fleet.store.delete(digest);
    fleet.run(2);
    assert.equal(fleet.head?.history[0]?.reason, 'BundleLost');
    assert.equal(fleet.candidate?.digest, digest);
    assert.notEqual(fleet.candidate?.seed, seed);
  });

  it('without the stable bundle nothing starts while the objects ask for something else', () => {
    const fleet = started();
    fleet.apply(A, 'two');
    fleet.store.delete(fleet.stable ?? 'sha256:');
    fleet.run(3);
    assert.equal(fleet.candidate, undefined);
    assert.equal(fleet.last?.view.blocked?.reason, 'StableLost');
    fleet.apply(A, 'one').run(3);
    assert.equal(fleet.last?.view.blocked, null);
  });

  it('suspects whose bundles are gone go along with the next change', () => {
    const fleet = started({ stages: [] });
    fleet.apply(A, { text: 'bad', fault: 'Refused' }).apply(B, 'two').operate();
    for (const proxy of fleet.proxies.values()) fleet.readHead(proxy);
    fleet.poll();
    fleet.operate();
    for (const { to } of fleet.head?.heldRanges ?? []) fleet.store.delete(to);
    fleet.restartOperator();
    fleet.run(60);
    assert.deepEqual(fleet.held(), [A]);
    assert.equal(fleet.stableText(B), 'two');
  });
});

describe('a ProxyRollout that is deleted', () => {
  it('aborts its candidate, and stable serves on', () => {
    const fleet = started();
    const before = fleet.stable;
    fleet.apply(A, 'two').run(5);
    fleet.spec = null;
    fleet.run(3);
    assert.equal(fleet.candidate, undefined);
    assert.equal(fleet.stable, before);
    assert.deepEqual(fleet.head?.rejected, []);
    const { publications } = fleet;
    fleet.apply(A, 'three').run(20);
    assert.equal(fleet.publications, publications);
  });

  it('publishes nothing where nothing was published', () => {
    const fleet = new VirtualFleet({}, 1).apply(A, 'one');
    fleet.spec = null;
    fleet.run(3);
    assert.equal(fleet.head, null);
  });
});

describe('audit records', () => {
  it('tell who did what to which objects, and why', () => {
    const fleet = started({ stages: [] });
    fleet.apply(A, { text: 'bad\nforged line', fault: 'Refused' }).run(6);
    const { digest } = fleet.head?.rejected[0] ?? {};
    assert.deepEqual(
      fleet.audit.map(({ action, reason, actor, objects, objectCount }) => ({
        action,
        reason,
        actor,
        objects,
        objectCount,
      })),
      [
        { action: 'Initialize', reason: 'Initial', actor: 'operator', objects: undefined, objectCount: undefined },
        { action: 'Start', reason: 'Change', actor: 'operator', objects: [A], objectCount: 1 },
        { action: 'RollBack', reason: 'CandidateRefused', actor: 'operator', objects: [A], objectCount: 1 },
        { action: 'Hold', reason: 'Culprit', actor: 'operator', objects: [A], objectCount: 1 },
      ],
    );
    assert.ok(fleet.audit.slice(1).every((record) => record.digest === digest && record.fleet === 'default/edge'));
    assert.ok(fleet.audit.every(({ time }) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(time)));
  });

  it('name some objects of a large change, and count all', () => {
    const fleet = started({ stages: [] });
    for (let i = 0; i < 100; i++) fleet.apply(`ProxyRoute/shop/r${i}`, 'one');
    fleet.run(4);
    const start = fleet.audit.find(({ action }) => action === 'Start');
    assert.equal(start?.objects?.length, 20);
    assert.equal(start?.objectCount, 100);
  });
});
