import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VirtualFleet } from './virtualFleet.ts';

const A = 'ProxyRoute/shop/a';
const B = 'ProxyRoute/shop/b';
const STAGES = [{ name: 'canary', fleetPercent: 10, bakeTimeMs: 20_000 }];

function started(spec = {}): VirtualFleet {
  return new VirtualFleet({ stages: STAGES, ...spec }, 10).apply(A, 'one').apply(B, 'one').run(2);
}

function outcomes(fleet: VirtualFleet): string[] {
  return (fleet.head?.history ?? []).map(({ outcome }) => outcome).reverse();
}

describe('changes during a rollout', () => {
  it('another object waits for the next candidate', () => {
    const fleet = started();
    fleet.apply(A, 'two').run(5);
    const first = fleet.candidate?.digest;
    fleet.apply(B, 'two').run(5);
    assert.equal(fleet.candidate?.digest, first);
    fleet.run(20);
    assert.equal(fleet.stableText(A), 'two');
    assert.equal(fleet.stableText(B), 'one');
    fleet.run(30);
    assert.equal(fleet.stableText(B), 'two');
    assert.deepEqual(outcomes(fleet), ['Initial', 'Promoted', 'Promoted']);
  });

  it('an object that the candidate changed replaces it, and takes along what was waiting', () => {
    const fleet = started();
    fleet.apply(A, 'two').run(5);
    fleet.apply(B, 'two').run(5);
    fleet.apply(A, 'three').run(2);
    assert.equal(fleet.triedText(A), 'three');
    assert.equal(fleet.triedText(B), 'two');
    assert.deepEqual(outcomes(fleet), ['Initial', 'Superseded']);
  });

  it('content equal to stable ends the candidate at once, and nothing is rejected', () => {
    const fleet = started();
    const before = fleet.stable;
    fleet.apply(A, 'two').run(5);
    fleet.apply(A, 'one').operate();
    assert.equal(fleet.candidate, undefined);
    fleet.run(2);
    assert.ok([...fleet.proxies.values()].every(({ running }) => running === before));
    assert.deepEqual(fleet.head?.rejected, []);
  });

  it('one of two objects reverted replaces the candidate', () => {
    const fleet = started();
    fleet.apply(A, 'two').apply(B, 'two').run(5);
    fleet.apply(A, 'one').run(2);
    assert.equal(fleet.triedText(A), 'one');
    assert.equal(fleet.triedText(B), 'two');
  });

  it('a change of an object under trial ends its trial', () => {
    const fleet = started();
    fleet.apply(A, { text: 'bad', fault: 'Refused' }).apply(B, 'two').run(8);
    assert.ok(fleet.candidate?.trial !== undefined);
    fleet.apply(A, 'three').apply(B, 'three').run(90);
    assert.equal(fleet.stableText(A), 'three');
    assert.equal(fleet.stableText(B), 'three');
    assert.deepEqual(fleet.head?.holds, []);
    assert.equal(fleet.head?.heldRanges, undefined);
  });
});

describe('reverting', () => {
  it('gives the earlier digest back, without stages while it is within the window', () => {
    const fleet = started();
    const first = fleet.stable;
    fleet.apply(A, 'two').run(30);
    assert.notEqual(fleet.stable, first);
    fleet.apply(A, 'one').run(4);
    assert.equal(fleet.stable, first);
    assert.equal(fleet.head?.history[0]?.reason, 'FastRollback');
    const recent = fleet.head?.recentStable.map(({ digest }) => digest) ?? [];
    assert.ok(!recent.includes(first ?? 'sha256:'), 'what is stable is not among what was');
    assert.equal(new Set(recent).size, recent.length);
  });

  it('takes the stages when the digest is out of the window, or there is none', () => {
    for (const rollbackWindow of [0, 1]) {
      const fleet = started({ rollbackWindow });
      fleet.apply(A, 'two').run(30);
      if (rollbackWindow === 1) fleet.apply(A, 'three').run(30);
      fleet.apply(A, 'one').run(10);
      assert.equal(fleet.candidate?.stage, 0);
      assert.equal(fleet.candidate?.cause, 'Change');
    }
  });

  it('a fast rollback that fails is taken back like any other candidate', () => {
    const fleet = started();
    fleet.apply(A, 'two').run(30);
    fleet.faultOf = (digest) => (fleet.textIn(digest, A) === 'one' ? 'Refused' : undefined);
    fleet.apply(A, 'one').run(6);
    assert.equal(fleet.stableText(A), 'two');
    assert.deepEqual(fleet.held(), [A]);
  });
});

describe('what is no longer permitted', () => {
  /** A goes for good, and stable with everything else as it is. */
  const revoke = (fleet: VirtualFleet) => {
    fleet.apply(A, null);
    fleet.permittedStable = fleet.assemble(fleet.input().current);
  };

  it('leaves stable at once, with the candidate that was made on it', () => {
    const fleet = started();
    fleet.apply(B, 'two').run(5);
    revoke(fleet);
    fleet.operate();
    assert.equal(fleet.stableText(A), undefined);
    assert.equal(fleet.stableText(B), 'one');
    assert.deepEqual(outcomes(fleet).slice(0, 3), ['Initial', 'Superseded', 'Promoted']);
    fleet.permittedStable = null;
    fleet.run(40);
    assert.equal(fleet.stableText(B), 'two');
  });

  it('does not come back by a pin, nor without stages', () => {
    const fleet = started();
    const first = fleet.stable;
    revoke(fleet);
    fleet.operate();
    fleet.permittedStable = null;
    fleet.change({ pin: first ?? null }).run(3);
    assert.notEqual(fleet.stable, first);
    assert.equal(fleet.last?.view.findings.length, 1);
    fleet.change({ pin: null }).apply(A, 'one').run(3);
    assert.equal(fleet.candidate?.digest, first);
    assert.equal(fleet.candidate?.stage, 0);
  });
});

describe('history', () => {
  it('keeps as many stable digests as the limit says, however much else happened', () => {
    const fleet = started({ stages: [], revisionHistoryLimit: 3 });
    for (let i = 0; i < 8; i++) {
      fleet.apply(A, { text: `bad${i}`, fault: 'Refused' }).run(10);
      fleet.apply(A, `good${i}`).run(10);
    }
    const stable = (fleet.head?.history ?? []).filter(({ outcome }) => outcome === 'Promoted');
    assert.equal(stable.length, 3);
    assert.equal(stable[0]?.digest, fleet.stable);
    assert.equal(fleet.head?.history.filter(({ outcome }) => outcome === 'RolledBack').length, 3);
  });
});
