import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Digest } from '../../proxy/contract/canonical.ts';
import type { RequestAction } from './types.ts';
import { VirtualFleet } from './virtualFleet.ts';

const A = 'ProxyRoute/shop/a';
const B = 'ProxyRoute/shop/b';
const STAGES = [
  { name: 'canary', fleetPercent: 10, bakeTimeMs: 600_000 },
  { name: 'half', fleetPercent: 50, bakeTimeMs: 600_000 },
];

function started(spec = {}): VirtualFleet {
  return new VirtualFleet({ stages: STAGES, ...spec }, 10).apply(A, 'one').apply(B, 'one').run(2);
}

function ask(fleet: VirtualFleet, action: RequestAction, digest: Digest | undefined | null): VirtualFleet {
  return fleet.change({ request: { action, digest: digest ?? null, objects: [] } });
}

const stageOf = (fleet: VirtualFleet) => fleet.candidate?.stage;

describe('spec.paused', () => {
  it('keeps the stage and its bake time, and goes on where it stopped', () => {
    const fleet = started({ stages: [{ name: 'canary', fleetPercent: 10, bakeTimeMs: 20_000 }] });
    fleet.apply(A, 'two').run(10);
    fleet.change({ paused: true }).run(300);
    assert.equal(stageOf(fleet), 0);
    fleet.change({ paused: false }).run(8);
    assert.equal(stageOf(fleet), 0);
    fleet.run(6);
    assert.equal(fleet.stableText(A), 'two');
  });

  it('starts nothing, and says so', () => {
    const fleet = started({ paused: true });
    fleet.apply(A, 'two').run(5);
    assert.equal(fleet.candidate, undefined);
    assert.equal(fleet.last?.view.blocked?.reason, 'Paused');
  });

  it('lets no deadline pass', () => {
    const fleet = started({ progressDeadlineMs: 20_000 });
    for (const proxy of fleet.proxies.values()) proxy.reachable = false;
    fleet.apply(A, 'two').run(5);
    fleet.change({ paused: true }).run(100);
    assert.ok(fleet.candidate);
    fleet.change({ paused: false }).run(40);
    assert.equal(fleet.head?.history[0]?.outcome, 'Stalled');
  });

  it('does not keep a candidate that is reverted', () => {
    const fleet = started();
    fleet.apply(A, 'two').run(5);
    fleet.change({ paused: true }).apply(A, 'one').run(3);
    assert.equal(fleet.candidate, undefined);
  });
});

describe('spec.request', () => {
  it('Promote ends the stage now, once', () => {
    const fleet = started();
    fleet.apply(A, 'two').run(5);
    ask(fleet, 'Promote', fleet.candidate?.digest).run(20);
    assert.equal(stageOf(fleet), 1);
    fleet.change({ request: null }).run(2);
    ask(fleet, 'Promote', fleet.candidate?.digest).run(5);
    assert.equal(fleet.stableText(A), 'two');
  });

  it('Promote goes on without waiting for proxies that do not answer', () => {
    const fleet = started();
    for (const proxy of fleet.proxies.values()) proxy.reachable = false;
    fleet.apply(A, 'two').run(5);
    ask(fleet, 'Promote', fleet.candidate?.digest).run(2);
    assert.equal(stageOf(fleet), 1);
  });

  it('Promote carries on while paused, one stage at a time', () => {
    const fleet = started();
    fleet.apply(A, 'two').run(5);
    fleet.change({ paused: true });
    ask(fleet, 'Promote', fleet.candidate?.digest).run(10);
    assert.equal(stageOf(fleet), 1);
  });

  it('PromoteFull takes the whole fleet at once, and still waits for every proxy to run it', () => {
    const fleet = started();
    fleet.apply(A, 'two').run(5);
    ask(fleet, 'PromoteFull', fleet.candidate?.digest).operate();
    assert.equal(stageOf(fleet), 2);
    assert.equal(fleet.stableText(A), 'one');
    fleet.run(3);
    assert.equal(fleet.stableText(A), 'two');
    assert.equal(fleet.head?.history[0]?.reason, 'PromotedByRequest');
  });

  it('Abort returns to stable; what it changed waits for a change or a retry, and the rest proceeds', () => {
    const fleet = started();
    fleet.apply(A, 'two').run(5);
    const aborted = fleet.candidate?.digest;
    ask(fleet, 'Abort', aborted).run(20);
    assert.equal(fleet.candidate, undefined);
    assert.equal(fleet.head?.history[0]?.outcome, 'Aborted');
    assert.equal(fleet.head?.rejected[0]?.digest, aborted);
    assert.deepEqual(fleet.held(), [A]);
    fleet.apply(B, 'two').run(3);
    assert.equal(fleet.triedText(B), 'two');
    assert.equal(fleet.triedText(A), 'one');
  });

  it('Retry by digest, or by object, tries what is held once more', () => {
    for (const by of ['digest', 'objects'] as const) {
      const fleet = started({ stages: [] });
      const faultOf = fleet.faultOf.bind(fleet);
      fleet.faultOf = (digest) => (fleet.textIn(digest, A) === 'two' ? 'Refused' : undefined);
      fleet.apply(A, 'two').run(5);
      const digest: Digest | null = fleet.head?.rejected[0]?.digest ?? null;
      fleet.run(20);
      assert.equal(fleet.stableText(A), 'one');
      fleet.faultOf = faultOf;
      const target = by === 'digest' ? { digest, objects: [] } : { digest: null, objects: [A] };
      fleet.change({ request: { action: 'Retry', ...target } });
      fleet.run(5);
      assert.equal(fleet.stableText(A), 'two', by);
      assert.deepEqual(fleet.head?.rejected, []);
    }
  });

  it('Retry starts what stalled without waiting for proxies that still do not answer', () => {
    const fleet = started({ stages: [], progressDeadlineMs: 10_000 });
    const [silent] = fleet.proxies.values();
    assert.ok(silent);
    silent.reachable = false;
    fleet.run(10);
    fleet.apply(A, 'two').run(30);
    const stalled = fleet.head?.history[0];
    assert.equal(stalled?.outcome, 'Stalled');
    ask(fleet, 'Retry', stalled?.digest).run(2);
    assert.ok(fleet.candidate);
  });

  it('is not carried out on another candidate than the one it names', () => {
    const fleet = started();
    fleet.apply(A, 'two').run(5);
    ask(fleet, 'Abort', fleet.stable).run(3);
    assert.ok(fleet.candidate);
    assert.deepEqual(fleet.audit.at(-1)?.reason, 'Ignored');
    assert.equal(fleet.audit.filter(({ reason }) => reason === 'Ignored').length, 1);
  });

  it('is carried out once though the operator restarts right after', () => {
    const fleet = started();
    fleet.apply(A, 'two').run(5);
    fleet.crashAt = () => 'AfterWrite';
    ask(fleet, 'Promote', fleet.candidate?.digest).operate();
    fleet.crashAt = () => null;
    fleet.run(10);
    assert.equal(stageOf(fleet), 1);
  });

  it('the same request works again after it was taken out of the spec', () => {
    const fleet = started({ stages: [] });
    fleet.apply(A, { text: 'two', fault: 'Refused' }).run(10);
    const rejected = fleet.head?.rejected[0]?.digest;
    const rounds = () => fleet.audit.filter(({ action }) => action === 'Start').length;
    ask(fleet, 'Retry', rejected).run(20);
    assert.equal(rounds(), 2);
    fleet.change({ request: null }).run(2);
    ask(fleet, 'Retry', rejected).run(20);
    assert.equal(rounds(), 3);
  });
});

describe('spec.pin', () => {
  it('goes back to a recent digest without stages, and later changes wait', () => {
    const fleet = started({ stages: [] });
    const first = fleet.stable;
    fleet.apply(A, 'two').run(5);
    assert.ok(first);
    fleet.change({ stages: STAGES, pin: first }).run(4);
    assert.equal(fleet.stable, first);
    fleet.apply(B, 'two').run(10);
    assert.equal(fleet.stable, first);
    fleet.change({ pin: null }).run(2);
    assert.equal(fleet.triedText(B), 'two');
  });

  it('goes to an older digest through the stages', () => {
    const fleet = started({ stages: [], rollbackWindow: 1 });
    const first = fleet.stable;
    for (const text of ['two', 'three', 'four']) fleet.apply(A, text).run(5);
    assert.ok(first);
    fleet.change({ stages: STAGES, pin: first }).run(4);
    assert.equal(fleet.candidate?.digest, first);
    assert.equal(stageOf(fleet), 0);
  });

  it('replaces a candidate that is on its way, paused or not', () => {
    const fleet = started({ stages: [] });
    const first = fleet.stable;
    fleet.apply(A, 'two').run(5);
    fleet.change({ stages: STAGES }).apply(A, 'three').run(5);
    assert.ok(first && fleet.candidate);
    fleet.change({ paused: true, pin: first }).run(4);
    assert.equal(fleet.stable, first);
  });

  it('that makes a held fragment stable lifts its hold', () => {
    const fleet = started({ stages: [], rollbackWindow: 0 });
    const both = (digest: Digest) => fleet.textIn(digest, A) === 'two' && fleet.textIn(digest, B) === 'two';
    fleet.faultOf = (digest) => (both(digest) ? 'Refused' : undefined);
    fleet.apply(A, 'two').run(5);
    const second = fleet.stable;
    fleet.apply(A, 'one').apply(B, 'two').run(5);
    fleet.apply(A, 'two').run(5);
    assert.deepEqual(fleet.held(), [A]);
    fleet.change({ pin: second ?? null }).run(10);
    assert.equal(fleet.stable, second);
    assert.deepEqual(fleet.held(), []);
  });

  it('that names an unknown digest is a finding, and moves nothing', () => {
    const fleet = started({ stages: [] });
    const before = fleet.stable;
    const pin: Digest = `sha256:${'0'.repeat(64)}`;
    fleet.change({ pin }).apply(A, 'two').run(5);
    assert.equal(fleet.stable, before);
    assert.equal(fleet.candidate, undefined);
    assert.equal(fleet.last?.view.findings[0]?.reason, 'RefNotFound');
    assert.equal(fleet.last?.view.blocked?.reason, 'Pinned');
  });

  it('whose bundle the store lost is a finding, too', () => {
    const fleet = started({ stages: [] });
    const first = fleet.stable;
    fleet.apply(A, 'two').run(5);
    fleet.store.delete(first ?? 'sha256:');
    fleet.change({ pin: first ?? null }).run(5);
    assert.equal(fleet.last?.view.findings[0]?.path, 'spec.pin.digest');
    assert.equal(fleet.stableText(A), 'two');
  });

  it('that fails is rejected without holding objects, and is not tried again', () => {
    const fleet = started({ stages: [] });
    const first = fleet.stable;
    fleet.apply(A, 'two').run(5);
    const second = fleet.stable;
    fleet.faultOf = (digest) => (digest === first ? 'Refused' : undefined);
    fleet.change({ pin: first ?? null }).run(20);
    assert.equal(fleet.stable, second);
    assert.ok(!fleet.audit.some(({ action }) => action === 'Hold'));
    assert.equal(fleet.audit.filter(({ actor, action }) => actor === 'spec.pin' && action === 'Start').length, 1);
    assert.equal(fleet.last?.view.blocked?.reason, 'Rejected');
  });
});
