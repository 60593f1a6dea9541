import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOfJson } from '../../proxy/contract/canonical.ts';
import { holdKey } from './assemblies.ts';
import { decide } from './decide.ts';
import type { RolloutInput, RolloutSpec } from './types.ts';

const SPEC: RolloutSpec = {
  stages: [],
  progressDeadlineMs: 60_000,
  rollbackWindow: 3,
  revisionHistoryLimit: 10,
  paused: false,
  pin: null,
  request: null,
};

function inputOf(change: Partial<RolloutInput> = {}): RolloutInput {
  return {
    nowMs: 1_700_000_000_000,
    fleet: 'edge/main',
    spec: SPEC,
    head: null,
    bundles: new Map(),
    current: new Map(),
    assemblies: new Map([[holdKey(new Map()), { digest: digestOfJson('first'), fragments: new Map() }]]),
    permittedStable: null,
    members: [],
    gates: [],
    memory: null,
    ...change,
  };
}

describe('a fleet without a head', () => {
  it('begins with what the objects ask for', () => {
    assert.equal(decide(inputOf()).kind, 'Publish');
  });

  it('waits until its proxies were asked: the first generation must be above what they have seen', () => {
    const decision = decide(inputOf({ members: null }));
    assert.ok(decision.kind === 'Wait');
    assert.equal(decision.view.blocked?.reason, 'MembersUnknown');
  });

  it('begins nothing while nobody can tell whether there was one', () => {
    const decision = decide(inputOf({ headProblem: 'Signature: does not verify' }));
    assert.ok(decision.kind === 'Wait');
    assert.deepEqual(decision.view.blocked, { reason: 'HeadDamaged', message: 'Signature: does not verify' });
  });
});
