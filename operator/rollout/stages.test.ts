import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FULL_THRESHOLD, ringPosition } from '../../proxy/contract/head.ts';
import { shareOf, thresholdFor } from './share.ts';
import { VirtualFleet } from './virtualFleet.ts';

const A = 'ProxyRoute/shop/a';
const TWO_STAGES = [
  { name: 'canary', fleetPercent: 10, bakeTimeMs: 10_000 },
  { name: 'half', fleetPercent: 50, bakeTimeMs: 20_000 },
];

function started(spec = {}, proxies = 3): VirtualFleet {
  return new VirtualFleet(spec, proxies).apply(A, 'one').run(2);
}

describe('a rollout goes through its stages', () => {
  it('the first bundle of a fleet is stable by itself', () => {
    const fleet = new VirtualFleet({ stages: TWO_STAGES }, 3).apply(A, 'one');
    fleet.run(1);
    assert.equal(fleet.stableText(A), 'one');
    assert.equal(fleet.candidate, undefined);
    assert.equal(fleet.head?.history[0]?.outcome, 'Initial');
  });

  it('without stages a change goes to the whole fleet, and is stable once every proxy runs it', () => {
    const fleet = started();
    fleet.apply(A, 'two').operate();
    assert.equal(fleet.candidate?.threshold, FULL_THRESHOLD);
    assert.equal(fleet.stableText(A), 'one');
    fleet.run(3);
    assert.equal(fleet.stableText(A), 'two');
  });

  it('a stage takes its share, bakes, and is followed by the next and then by the whole fleet', () => {
    const fleet = started({ stages: TWO_STAGES }, 30);
    fleet.apply(A, 'two').run(3);
    assert.equal(fleet.onCandidate().length, 3);
    fleet.run(7);
    assert.equal(fleet.onCandidate().length, 3);
    fleet.run(4);
    assert.equal(fleet.onCandidate().length, 15);
    fleet.run(17);
    assert.equal(fleet.stableText(A), 'one');
    fleet.run(6);
    assert.equal(fleet.stableText(A), 'two');
    assert.deepEqual(
      fleet.audit.map(({ action }) => action),
      ['Initialize', 'Start', 'Advance', 'Advance', 'Promote'],
    );
  });

  it('a last stage of 100 % makes stable without another one', () => {
    const fleet = started({ stages: [{ name: 'all', fleetPercent: 100, bakeTimeMs: 5_000 }] });
    fleet.apply(A, 'two').run(5);
    assert.equal(fleet.stableText(A), 'one');
    fleet.run(4);
    assert.equal(fleet.stableText(A), 'two');
  });

  it('the threshold is the position of the k-th proxy: exact for 3 and for 10000', () => {
    for (const [count, percent, share] of [
      [3, 10, 1],
      [3, 34, 2],
      [10_000, 1, 100],
      [10_000, 50, 5_000],
    ] as const) {
      const pods = Array.from({ length: count }, (_, i) => `pod-${i}`);
      const members = pods.map((podUid) => ({ podUid, ack: null, lastSeenMs: null }));
      const threshold = thresholdFor({ seed: 'x' }, { name: 's', fleetPercent: percent, bakeTimeMs: 0 }, members);
      assert.equal(pods.filter((pod) => ringPosition(pod, 'x') <= threshold).length, share);
      assert.equal(shareOf(count, percent), share);
    }
  });

  it('another rollout begins with other proxies', () => {
    const first = new Set<string>();
    const fleet = started({ stages: TWO_STAGES }, 30);
    for (let i = 0; i < 4; i++) {
      fleet.apply(A, `v${i}`).run(3);
      for (const { podUid } of fleet.onCandidate()) first.add(podUid);
      fleet.run(60);
    }
    assert.ok(first.size > 3, `${first.size} proxies were canaries`);
  });

  it('with one proxy every stage takes the whole fleet, and the view says that no canary is possible', () => {
    const fleet = started({ stages: TWO_STAGES }, 1);
    fleet.apply(A, 'two').run(3);
    assert.equal(fleet.onCandidate().length, 1);
    assert.equal(fleet.last?.view.noCanary, true);
  });

  it('with no proxy a candidate waits, without a deadline, for the first one', () => {
    const fleet = started({ progressDeadlineMs: 10_000 }, 0);
    fleet.apply(A, 'two').run(100);
    assert.equal(fleet.stableText(A), 'one');
    assert.ok(fleet.candidate);
    assert.equal(fleet.head?.history.length, 1);
    fleet.join();
    fleet.run(15);
    assert.equal(fleet.stableText(A), 'two');
  });

  it('nothing starts before the members of the fleet are known', () => {
    const fleet = started();
    fleet.membersKnown = false;
    fleet.apply(A, 'two').run(5);
    assert.equal(fleet.candidate, undefined);
    assert.equal(fleet.last?.view.blocked?.reason, 'MembersUnknown');
    fleet.membersKnown = true;
    fleet.run(4);
    assert.equal(fleet.stableText(A), 'two');
  });
});

describe('proxies that come and go', () => {
  it('a proxy that joins in a stage stays on stable, and holds nothing up', () => {
    const fleet = started({ stages: [{ name: 'all', fleetPercent: 100, bakeTimeMs: 4_000 }] });
    const before = fleet.stable;
    fleet.apply(A, 'two').run(3);
    const late = fleet.join();
    fleet.run(1);
    assert.equal(late.running, before);
    fleet.run(4);
    assert.equal(fleet.stableText(A), 'two');
    assert.equal(late.running, fleet.stable);
  });

  it('a stage that lost its proxies takes in others before it bakes on', () => {
    const fleet = started({ stages: TWO_STAGES }, 3);
    fleet.apply(A, 'two').run(3);
    const [canary] = fleet.onCandidate();
    fleet.leave(canary?.podUid ?? '');
    fleet.run(2);
    assert.equal(fleet.onCandidate().length, 0);
    fleet.run(8);
    assert.equal(fleet.onCandidate().length, 1);
    assert.equal(fleet.candidate?.stage, 0);
    fleet.run(40);
    assert.equal(fleet.stableText(A), 'two');
  });

  it('a fleet that grows in a stage gives it its share of the new ones', () => {
    const fleet = started({ stages: [{ name: 'half', fleetPercent: 50, bakeTimeMs: 60_000 }] }, 2);
    fleet.apply(A, 'two').run(3);
    for (let i = 0; i < 8; i++) fleet.join();
    fleet.run(8);
    assert.equal(fleet.onCandidate().length, 5);
  });

  it('a draining proxy neither counts nor must run the candidate', () => {
    const fleet = started();
    const [leaving] = fleet.proxies.values();
    assert.ok(leaving);
    leaving.draining = true;
    leaving.reachable = true;
    fleet.run(1);
    leaving.reachable = false;
    fleet.apply(A, 'two').run(4);
    assert.equal(fleet.last?.view.proxies.total, 2);
    assert.equal(fleet.stableText(A), 'two');
  });

  it('a proxy that is not ready has not taken the candidate', () => {
    const fleet = started();
    fleet.apply(A, 'two').operate();
    const [proxy] = fleet.proxies.values();
    assert.ok(proxy);
    fleet.readHead(proxy);
    proxy.ready = false;
    fleet.run(5);
    assert.equal(fleet.stableText(A), 'one');
    proxy.ready = true;
    fleet.run(1);
    assert.equal(fleet.stableText(A), 'two');
  });

  it('a proxy that does not answer is unknown: it never promotes, and at the deadline the fleet returns to stable', () => {
    const fleet = started({ progressDeadlineMs: 30_000 });
    const before = fleet.stable;
    const [silent] = fleet.proxies.values();
    assert.ok(silent);
    silent.reachable = false;
    fleet.run(10);
    fleet.apply(A, 'two').run(25);
    assert.equal(fleet.stable, before);
    assert.equal(fleet.last?.view.proxies.unknown, 1);
    fleet.run(15);
    assert.equal(fleet.head?.history[0]?.outcome, 'Stalled');
    assert.deepEqual(fleet.head?.rejected, []);
    assert.deepEqual(fleet.held(), []);
    assert.equal(fleet.candidate, undefined);
    assert.equal(fleet.last?.view.blocked?.reason, 'Stalled');
  });

  it('what stalled starts again when every proxy answers, when it left, or when the objects change', () => {
    const stalled = () => {
      const fleet = started({ progressDeadlineMs: 10_000 });
      const [silent] = fleet.proxies.values();
      assert.ok(silent);
      silent.reachable = false;
      fleet.run(10);
      fleet.apply(A, 'two').run(30);
      assert.equal(fleet.head?.history[0]?.outcome, 'Stalled');
      return { fleet, silent };
    };
    const back = stalled();
    back.silent.reachable = true;
    assert.equal(back.fleet.run(4).stableText(A), 'two');
    const gone = stalled();
    gone.fleet.leave(gone.silent.podUid);
    assert.equal(gone.fleet.run(4).stableText(A), 'two');
    const changed = stalled();
    changed.fleet.apply(A, 'three').run(3);
    assert.ok(changed.fleet.candidate);
  });

  it('time before a proxy ran the candidate is not counted as baked', () => {
    const fleet = started({ stages: [{ name: 'all', fleetPercent: 100, bakeTimeMs: 4_000 }] });
    fleet.apply(A, 'two').operate();
    const [silent] = fleet.proxies.values();
    assert.ok(silent);
    silent.reachable = false;
    fleet.run(8);
    silent.reachable = true;
    fleet.nowMs += 4_000;
    fleet.step();
    assert.equal(fleet.stableText(A), 'one');
    fleet.run(6);
    assert.equal(fleet.stableText(A), 'two');
  });

  it('a bake time longer than the deadline is no delay', () => {
    const stages = [{ name: 'slow', fleetPercent: 100, bakeTimeMs: 60_000 }];
    const fleet = started({ stages, progressDeadlineMs: 10_000 });
    fleet.apply(A, 'two').run(66);
    assert.equal(fleet.stableText(A), 'two');
  });
});
