import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import { ROLLOUT_CONDITIONS } from '../../crds/conditions.ts';
import { proxyRolloutStatus, type ProxyRolloutStatus } from '../../crds/proxyRollout.ts';
import { errorAt, FINDING_REASONS } from '../../proxy/contract/finding.ts';
import { VirtualFleet } from '../rollout/virtualFleet.ts';
import { rolloutStatus } from './rolloutStatus.ts';

const A = 'ProxyRoute/shop/a';
const B = 'ProxyRoute/shop/b';
const STAGES = [
  { name: 'canary', fleetPercent: 34, bakeTimeMs: 60_000 },
  { name: 'all', fleetPercent: 100, bakeTimeMs: 0 },
];
const isStatus = new Ajv({ strict: false, validateFormats: false }).compile(proxyRolloutStatus);

function started(spec = {}): VirtualFleet {
  return new VirtualFleet({ stages: STAGES, ...spec }, 3).apply(A, 'one').apply(B, 'one').run(3);
}

function statusOf(fleet: VirtualFleet, more: Partial<Parameters<typeof rolloutStatus>[0]> = {}): ProxyRolloutStatus {
  const { head, last, spec, wallMs } = fleet;
  assert.ok(last);
  const input = { head, view: last.view, spec, findings: [], generation: 4, previous: null, nowMs: wallMs, ...more };
  const status = rolloutStatus(input);
  assert.ok(isStatus(status), JSON.stringify(isStatus.errors));
  for (const { type, reason } of status.conditions ?? []) assert.ok(DOCUMENTED.has(`${type}/${reason}`), reason);
  return status;
}

const DOCUMENTED = new Set([
  ...ROLLOUT_CONDITIONS.flatMap(({ type, reasons }) => Object.keys(reasons).map((reason) => `${type}/${reason}`)),
  ...Object.keys(FINDING_REASONS).map((reason) => `Accepted/${reason}`),
]);

/** `Type=Status/Reason` of every condition. */
function conditionsOf(status: ProxyRolloutStatus): string[] {
  return (status.conditions ?? []).map(({ type, status: value, reason }) => `${type}=${value}/${reason}`);
}

function condition(status: ProxyRolloutStatus, type: string) {
  const found = status.conditions?.find((one) => one.type === type);
  assert.ok(found);
  return found;
}

describe('the status of a ProxyRollout', () => {
  it('is Pending before anything is published', () => {
    const fleet = new VirtualFleet({}, 0);
    fleet.spec = null;
    fleet.run(1);
    const status = statusOf(fleet);
    assert.equal(status.phase, 'Pending');
    assert.equal(condition(status, 'Promoted').status, 'Unknown');
  });

  it('is Healthy when the fleet runs what the objects ask for', () => {
    const status = statusOf(started());
    assert.equal(status.phase, 'Healthy');
    assert.deepEqual(conditionsOf(status), [
      'Accepted=True/Accepted',
      'Progressing=False/UpToDate',
      'Paused=False/NotPaused',
      'Healthy=True/AllProxiesAcked',
      'Promoted=True/Initial',
      'RolledBack=False/NotRolledBack',
      'Stalled=False/NotStalled',
    ]);
    assert.ok(status.conditions?.every(({ observedGeneration }) => observedGeneration === 4));
    assert.equal(status.summary?.proxies, '3/3');
  });

  it('is Progressing while a candidate is on its way, and names stage and proxies', () => {
    const fleet = started();
    fleet.apply(A, 'two').run(1);
    assert.equal(condition(statusOf(fleet), 'Progressing').reason, 'RolloutStarted');
    fleet.run(4);
    const status = statusOf(fleet);
    assert.equal(status.phase, 'Progressing');
    assert.equal(status.stage, 'canary');
    assert.equal(status.candidateDigest, fleet.candidate?.digest);
    assert.equal(status.summary?.stage, 'canary 1/2');
    assert.deepEqual(status.proxies, { total: 3, candidate: 2, acked: 3, rejected: 0, unknown: 0 });
    assert.equal(condition(status, 'Progressing').reason, 'Baking');
    assert.match(condition(status, 'Progressing').message, /stage canary: 2 of 3 proxies/);
    assert.equal(condition(status, 'Promoted').status, 'False');
    assert.equal(statusOf(fleet.run(65)).phase, 'Healthy');
  });

  it('says that one proxy makes no canary', () => {
    const fleet = new VirtualFleet({ stages: STAGES }, 1).apply(A, 'one').run(3);
    fleet.apply(A, 'two').run(3);
    assert.match(condition(statusOf(fleet), 'Progressing').message, /with one proxy no canary is possible/);
  });

  it('is Degraded after a rollback, with the object, the digest and the reason', () => {
    const fleet = started();
    fleet.apply(A, { text: 'bad', fault: 'Refused' }).run(5);
    const status = statusOf(fleet);
    assert.equal(status.phase, 'Degraded');
    assert.equal(status.rejectedDigest, status.history?.[0]?.digest);
    assert.equal(status.history?.[0]?.outcome, 'RolledBack');
    assert.deepEqual(
      status.heldObjects?.map(({ object, state }) => ({ object, state })),
      [{ object: A, state: 'Culprit' }],
    );
    assert.match(status.heldObjects?.[0]?.message ?? '', /CompileFailed/);
    assert.equal(condition(status, 'RolledBack').reason, 'CandidateRefused');
    assert.deepEqual(condition(status, 'Healthy').reason, 'ObjectsHeld');
    assert.match(condition(status, 'Healthy').message, /held back: ProxyRoute\/shop\/a/);
    assert.equal(condition(status, 'Promoted').reason, 'NotPromoted');
  });

  it('is Paused by the spec, and tells of a pin', () => {
    const fleet = started({ paused: true });
    fleet.apply(A, 'two').run(2);
    assert.equal(statusOf(fleet).phase, 'Paused');
    assert.equal(condition(statusOf(fleet), 'Paused').reason, 'SpecPaused');
    fleet.change({ paused: false, pin: fleet.stable ?? null }).run(2);
    assert.equal(condition(statusOf(fleet), 'Paused').reason, 'Pinned');
    assert.equal(statusOf(fleet).phase, 'Healthy');
  });

  it('tells which proxies are unknown, and of a stall', () => {
    const fleet = started({ progressDeadlineMs: 20_000 });
    const [silent] = fleet.proxies.values();
    assert.ok(silent);
    silent.reachable = false;
    fleet.run(10);
    fleet.apply(A, 'two').change({ stages: [] }).run(60);
    const status = statusOf(fleet);
    assert.equal(status.phase, 'Degraded');
    assert.equal(status.proxies?.unknown, 1);
    assert.equal(condition(status, 'Healthy').reason, 'ProxiesUnknown');
    assert.equal(condition(status, 'Stalled').reason, 'DeadlineExceeded');
    assert.equal(condition(status, 'RolledBack').status, 'False');
  });

  it('tells how a rollout was aborted, promoted by request, rolled back fast, or cut short by a deletion', () => {
    const ask = (fleet: VirtualFleet, action: 'Abort' | 'PromoteFull') =>
      fleet.change({ request: { action, digest: fleet.candidate?.digest ?? null, objects: [] } }).run(8);
    const aborted = started();
    aborted.apply(A, 'two').run(3);
    assert.equal(condition(statusOf(ask(aborted, 'Abort')), 'RolledBack').reason, 'AbortedByRequest');
    const promoted = started();
    promoted.apply(A, 'two').run(3);
    assert.equal(condition(statusOf(ask(promoted, 'PromoteFull')), 'Promoted').reason, 'PromotedByRequest');
    promoted.apply(A, 'one').run(5);
    assert.equal(condition(statusOf(promoted), 'Promoted').reason, 'FastRollback');
    promoted.apply(A, 'three').run(3);
    promoted.spec = null;
    promoted.run(3);
    assert.equal(condition(statusOf(promoted), 'RolledBack').reason, 'RolloutDeleted');
  });

  it('shows findings of the object, with the spec before still in force', () => {
    const finding = errorAt('ProxyRollout/default/edge', 'spec.strategy', 'Invalid', 'no\nsuch thing');
    const status = statusOf(started(), { findings: [finding] });
    assert.equal(status.phase, 'Degraded');
    assert.deepEqual(condition(status, 'Accepted').reason, 'Invalid');
    assert.match(condition(status, 'Accepted').message, /spec\.strategy: no\\u000asuch thing/);
  });

  it('is the same again while nothing changes, with the time of the last transition', () => {
    const fleet = started();
    const first = statusOf(fleet);
    fleet.run(100);
    assert.deepEqual(statusOf(fleet, { previous: first }), first);
    fleet.apply(A, 'two').run(10);
    const later = statusOf(fleet, { previous: first });
    assert.equal(condition(later, 'Accepted').lastTransitionTime, condition(first, 'Accepted').lastTransitionTime);
    assert.notEqual(condition(later, 'Promoted').lastTransitionTime, condition(first, 'Promoted').lastTransitionTime);
  });

  it('lists held objects up to its bound', () => {
    const fleet = started({ stages: [] });
    for (let i = 0; i < 700; i++) fleet.apply(`ProxyRoute/shop/r${i}`, { text: 'bad', fault: 'Refused' });
    fleet.run(2).change({ paused: true }).run(4);
    assert.equal(fleet.held().length, 700);
    assert.equal(statusOf(fleet).heldObjects?.length, 500);
  });
});
