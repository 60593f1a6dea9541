import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '../contract/canonical.ts';
import { Metrics } from '../observability/metrics.ts';
import { ProxyState } from './proxyState.ts';

const A: Digest = 'sha256:aa';
const B: Digest = 'sha256:bb';

function newState() {
  const state = new ProxyState({ podUid: 'pod', fleet: 'web', version: '1' }, new Metrics());
  const live = { startGeneration: 0, missing: [], knownKids: [], requests: 0, errors5xx: 0 };
  const refuse = (digest: Digest | null, generation: number) =>
    state.refused({ digest, reason: 'CompileFailed', message: 'm', generation });
  return { state, refuse, refusal: () => state.ack(live).refused };
}

test('a refusal of a file is over when a file comes to run, or what ran is back', () => {
  const { state, refuse, refusal } = newState();
  state.runs(A, 'stable', true);
  refuse(null, 0);
  assert.equal(refusal()?.digest, null);
  state.runs(B, 'stable', true);
  assert.equal(refusal(), undefined);
  refuse(A, 0);
  state.runs(B, 'stable', false);
  assert.equal(refusal(), undefined);
});

test('a refusal of the newest head stays while an older one runs, until a newer head comes', () => {
  const { state, refuse, refusal } = newState();
  state.sawHead(1);
  state.runs(A, 'stable', true);
  state.sawHead(2);
  refuse(B, 2);
  state.runs(A, 'stable', false);
  assert.equal(refusal()?.digest, B);
  state.sawHead(3);
  state.runs(A, 'stable', false);
  assert.equal(refusal(), undefined);
});
