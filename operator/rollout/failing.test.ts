import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RefusalReason } from '../../proxy/contract/ack.ts';
import type { GateResult } from './types.ts';
import { VirtualFleet, type Fault } from './virtualFleet.ts';

const A = 'ProxyRoute/shop/a';
const B = 'ProxyRoute/shop/b';
const STAGES = [{ name: 'canary', fleetPercent: 34, bakeTimeMs: 10_000 }];

function started(spec = {}, proxies = 3): VirtualFleet {
  return new VirtualFleet({ stages: STAGES, ...spec }, proxies).apply(A, 'one').apply(B, 'one').run(2);
}

function gate(verdict: GateResult['verdict']): GateResult {
  return { metric: 'ErrorRate', value: '3%', threshold: '1%', verdict };
}

describe('a failing candidate', () => {
  for (const [fault, reason] of [
    ['Refused', 'CandidateRefused'],
    ['Crash', 'ProxyRestarted'],
    ['Missing', 'GateFailed'],
  ] as const satisfies readonly (readonly [Fault, string])[]) {
    it(`is taken back when proxies answer it with ${fault}, and its digest is rejected`, () => {
      const fleet = started();
      const before = fleet.stable;
      fleet.apply(A, { text: 'bad', fault }).run(4);
      assert.equal(fleet.stable, before);
      assert.equal(fleet.candidate, undefined);
      assert.equal(fleet.head?.history[0]?.outcome, 'RolledBack');
      assert.equal(fleet.head?.history[0]?.reason, reason);
      assert.equal(fleet.head?.rejected[0]?.digest, fleet.head?.history[0]?.digest);
      assert.deepEqual(fleet.held(), [A]);
      assert.ok([...fleet.proxies.values()].every(({ running }) => running === before));
    });
  }

  it('is taken back while it is paused, too', () => {
    const fleet = started();
    fleet.apply(A, { text: 'bad', fault: 'Refused' }).operate();
    fleet.change({ paused: true }).run(3);
    assert.equal(fleet.head?.history[0]?.outcome, 'RolledBack');
  });

  it('fails by one gate that fails', () => {
    const fleet = started();
    fleet.apply(A, 'two').run(3);
    fleet.gates = [gate('Fail')];
    fleet.run(1);
    assert.equal(fleet.head?.history[0]?.reason, 'GateFailed');
    assert.match(fleet.head?.history[0]?.message ?? '', /ErrorRate failed: 3%, allowed 1%/);
  });

  it('waits for a gate that has no verdict yet, and stalls when it never gets one', () => {
    const fleet = started({ progressDeadlineMs: 20_000 });
    fleet.apply(A, 'two').run(3);
    fleet.gates = [gate('Wait')];
    fleet.run(15);
    assert.equal(fleet.candidate?.stage, 0);
    fleet.gates = [gate('Pass')];
    fleet.run(1);
    assert.equal(fleet.candidate?.stage, 1);
    fleet.gates = [gate('Wait')];
    fleet.run(25);
    assert.equal(fleet.head?.history.find(({ outcome }) => outcome !== 'Superseded')?.outcome, 'Stalled');
  });

  it('is not blamed for what was missing before it', () => {
    const fleet = started({ stages: [] });
    for (const proxy of fleet.proxies.values()) proxy.missing = ['Secret/shop/gone'];
    fleet.run(1);
    fleet.apply(A, { text: 'two', fault: 'Missing' }).run(4);
    assert.equal(fleet.stableText(A), 'two');
  });

  it('is not blamed for a bundle that did not arrive: it stalls, and nothing is held', () => {
    const faults: readonly RefusalReason[] = [
      'Missing',
      'UnknownKey',
      'DigestMismatch',
      'PrepareFailed',
      'Unsupported',
    ];
    for (const reason of faults) {
      const fleet = started({ stages: [], progressDeadlineMs: 10_000 });
      fleet.refusal = reason;
      fleet.apply(A, { text: 'two', fault: 'Refused' }).run(5);
      assert.ok(fleet.candidate, reason);
      assert.equal(fleet.last?.view.proxies.rejected, 3);
      fleet.run(8);
      assert.ok(fleet.head?.history.some(({ outcome }) => outcome === 'Stalled'));
      assert.deepEqual(fleet.head?.rejected, []);
      assert.deepEqual(fleet.held(), []);
    }
  });

  it('fails when a proxy of its stage restarts, and does not when another one does', () => {
    const fleet = started();
    fleet.apply(A, 'two').run(4);
    const canaries = fleet.onCandidate();
    const other = [...fleet.proxies.values()].find((proxy) => !canaries.includes(proxy));
    assert.ok(other && canaries[0]);
    fleet.start(other);
    fleet.run(2);
    assert.ok(fleet.candidate);
    fleet.start(canaries[0]);
    fleet.run(1);
    assert.equal(fleet.head?.history[0]?.reason, 'ProxyRestarted');
  });

  it('is not blamed for a refusal of an earlier attempt with the same digest', () => {
    const fleet = started({ stages: [] });
    fleet.apply(A, { text: 'two', fault: 'Refused' }).run(4);
    const digest = fleet.head?.rejected[0]?.digest ?? null;
    assert.ok(digest);
    // The cause is gone, but the proxies still report what they refused then.
    const faultOf = fleet.faultOf.bind(fleet);
    fleet.faultOf = () => undefined;
    fleet.change({ request: { action: 'Retry', digest, objects: [] } }).run(5);
    fleet.faultOf = faultOf;
    assert.equal(fleet.stableText(A), 'two');
  });

  it('never crashes a proxy twice: restarted, it stays on stable', () => {
    const fleet = started({ stages: [] });
    fleet.apply(A, { text: 'bad', fault: 'Crash' }).run(10);
    for (const proxy of fleet.proxies.values()) assert.ok(proxy.boot <= 2, `${proxy.boot} starts`);
    assert.deepEqual(fleet.held(), [A]);
  });
});

describe('what a failure leaves behind', () => {
  it('a held object waits, and everything else proceeds', () => {
    const fleet = started();
    fleet.apply(A, { text: 'bad', fault: 'Refused' }).run(5);
    fleet.apply(B, 'two').run(30);
    assert.equal(fleet.stableText(B), 'two');
    assert.equal(fleet.stableText(A), 'one');
    assert.deepEqual(fleet.held(), [A]);
  });

  it('the hold is lifted when its object changes', () => {
    const fleet = started();
    fleet.apply(A, { text: 'bad', fault: 'Refused' }).run(5);
    fleet.apply(A, 'good').run(30);
    assert.equal(fleet.stableText(A), 'good');
    assert.deepEqual(fleet.held(), []);
    assert.deepEqual(fleet.head?.holds, []);
  });

  it('the hold is lifted when its object is reverted, without a rollout', () => {
    const fleet = started();
    fleet.apply(A, { text: 'bad', fault: 'Refused' }).run(5);
    const { publications } = fleet;
    fleet.apply(A, 'one').run(5);
    assert.deepEqual(fleet.head?.holds, []);
    assert.equal(fleet.publications, publications + 1);
    assert.equal(fleet.last?.view.upToDate, true);
  });

  it('a rejected digest that comes again is held again, without troubling a proxy', () => {
    const fleet = started();
    const bad = { text: 'bad', fault: 'Refused' } as const;
    fleet.apply(A, bad).run(5);
    fleet.apply(A, 'one').run(5);
    fleet.apply(A, bad).run(5);
    assert.deepEqual(fleet.held(), [A]);
    assert.equal(fleet.audit.filter(({ action }) => action === 'Start').length, 1);
  });

  it('an object that is changed to contribute nothing can be held like a deleted one', () => {
    const fleet = started();
    fleet.faultOf = (digest) => (fleet.textIn(digest, A) === undefined ? 'Refused' : undefined);
    fleet.apply(A, { text: '', empty: true }).run(5);
    assert.deepEqual(fleet.held(), [A]);
    fleet.apply(B, 'two').run(30);
    assert.equal(fleet.stableText(A), 'one');
    assert.equal(fleet.stableText(B), 'two');
  });

  it('a deletion can be held, too', () => {
    const fleet = started();
    const faultOf = fleet.faultOf.bind(fleet);
    fleet.faultOf = (digest) => (fleet.textIn(digest, A) === undefined ? 'Refused' : faultOf(digest));
    fleet.apply(A, null).run(5);
    assert.equal(fleet.stableText(A), 'one');
    assert.deepEqual(fleet.last?.view.held[0], {
      object: A,
      digest: null,
      state: 'Culprit',
      reason: fleet.last?.view.held[0]?.reason,
      since: fleet.last?.view.held[0]?.since,
    });
    fleet.apply(B, 'two').run(30);
    assert.equal(fleet.stableText(B), 'two');
  });
});
