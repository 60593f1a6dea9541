import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rolloutSpecOf } from './spec.ts';

describe('the part of a ProxyRollout that is about rollouts', () => {
  it('has the documented defaults', () => {
    assert.deepEqual(rolloutSpecOf({}), {
      stages: [],
      progressDeadlineMs: 30 * 60_000,
      rollbackWindow: 3,
      revisionHistoryLimit: 10,
      paused: false,
      pin: null,
      request: null,
    });
  });

  it('is read in milliseconds, with the objects of a request in order', () => {
    const digest = `sha256:${'0'.repeat(64)}` as const;
    const spec = rolloutSpecOf({
      strategy: {
        stages: [
          { name: 'canary', fleetPercent: 5, bakeTime: '1m30s' },
          { name: 'all', fleetPercent: 100 },
        ],
        progressDeadline: '10s',
        rollbackWindow: 0,
      },
      paused: true,
      pin: { digest },
      request: { action: 'Retry', objects: ['ProxyRoute/b/b', 'ProxyRoute/a/a'] },
      revisionHistoryLimit: 2,
    });
    assert.deepEqual(spec.stages, [
      { name: 'canary', fleetPercent: 5, bakeTimeMs: 90_000 },
      { name: 'all', fleetPercent: 100, bakeTimeMs: 0 },
    ]);
    assert.equal(spec.progressDeadlineMs, 10_000);
    assert.equal(spec.rollbackWindow, 0);
    assert.equal(spec.pin, digest);
    assert.deepEqual(spec.request, { action: 'Retry', digest: null, objects: ['ProxyRoute/a/a', 'ProxyRoute/b/b'] });
  });
});
