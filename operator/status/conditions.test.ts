import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkStatus } from '../../crds/validate.ts';
import { FRAGMENT_CONDITIONS, ROUTE_CONDITIONS } from '../../crds/conditions.ts';
import { FINDING_REASONS } from '../../proxy/contract/finding.ts';
import type { ObjectVerdict } from '../assemble/types.ts';
import { fragmentStatusOf, type FragmentStatusInput } from './conditions.ts';

const DIGEST = `sha256:${'a'.repeat(64)}` as const;
const OLDER = `sha256:${'b'.repeat(64)}` as const;

const VERDICT: ObjectVerdict = {
  object: 'ProxyRoute/shop/web',
  kind: 'ProxyRoute',
  namespace: 'shop',
  name: 'web',
  source: '',
  exists: true,
  generation: 3,
  used: 'current',
  referenced: true,
  desiredDigest: DIGEST,
  usedDigest: DIGEST,
  accepted: { status: 'True', reason: 'Accepted', message: '' },
  resolvedRefs: { status: 'True', reason: 'ResolvedRefs', message: '' },
  conflicted: { status: 'False', reason: 'NoConflict', message: '' },
  findings: [],
};

function status(verdict: Partial<ObjectVerdict> = {}, input: Partial<FragmentStatusInput> = {}) {
  return fragmentStatusOf({
    verdict: { ...VERDICT, ...verdict },
    stableDigest: DIGEST,
    previous: null,
    nowMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    ...input,
  });
}

function programmed(verdict: Partial<ObjectVerdict>, input: Partial<FragmentStatusInput> = {}): string {
  const condition = status(verdict, input).conditions?.find(({ type }) => type === 'Programmed');
  return `${condition?.status} ${condition?.reason} ${condition?.message}`;
}

test('a status satisfies its schema, with the conditions that are documented for its kind', () => {
  assert.deepEqual(checkStatus('ProxyRoute', status()), []);
  const types = (verdict: Partial<ObjectVerdict>) => status(verdict).conditions?.map(({ type }) => type);
  assert.deepEqual(
    types({}),
    ROUTE_CONDITIONS.map(({ type }) => type),
  );
  assert.deepEqual(
    types({ kind: 'UpstreamPool' }),
    FRAGMENT_CONDITIONS.map(({ type }) => type),
  );
});

test('what the fleet runs is Programmed', () => {
  assert.equal(programmed({}), 'True Programmed ');
});

test('what it does not run yet is Pending', () => {
  assert.match(
    programmed({}, { stableDigest: OLDER }),
    /^False Pending version aaaaaaaaaaaa waits .* version bbbbbbbbbbbb serves$/,
  );
  assert.match(programmed({}, { stableDigest: undefined }), /^False Pending .* none of its versions serves$/);
});

test('what was held back is RolledBack, with what failed', () => {
  assert.equal(
    programmed({ used: 'held' }, { stableDigest: OLDER, holdReason: 'refused by proxy-1' }),
    'False RolledBack refused by proxy-1; version bbbbbbbbbbbb serves',
  );
});

test('what is not accepted is Invalid, though an earlier version serves', () => {
  const accepted = { status: 'False', reason: 'Invalid', message: 'spec.hosts: is required' } as const;
  assert.equal(
    programmed({ accepted, used: 'stable' }, { stableDigest: OLDER }),
    'False Invalid version bbbbbbbbbbbb serves',
  );
});

test('what nothing leads to is NotReferenced', () => {
  assert.match(programmed({ referenced: false }, { stableDigest: undefined }), /^False NotReferenced /);
});

test('what contributes nothing is Programmed without a trace in stable', () => {
  assert.equal(programmed({ desiredDigest: null, usedDigest: null }, { stableDigest: undefined }), 'True Programmed ');
});

test('all reasons are documented', () => {
  const documented = new Set([
    ...Object.keys(FINDING_REASONS),
    ...ROUTE_CONDITIONS.flatMap(({ reasons }) => Object.keys(reasons)),
  ]);
  const seen = [
    status(),
    status({ used: 'held' }),
    status({ referenced: false }),
    status({}, { stableDigest: OLDER }),
    status({ accepted: { status: 'False', reason: 'Invalid', message: '' } }),
    status({ accepted: { status: 'Unknown', reason: 'Pending', message: '' } }),
  ].flatMap(({ conditions }) => (conditions ?? []).map(({ reason }) => reason));
  for (const reason of seen) assert.ok(documented.has(reason), reason);
});

test('a condition keeps its time until its status changes', () => {
  const first = status({}, { stableDigest: OLDER });
  assert.equal(first.conditions?.[0]?.lastTransitionTime, '2026-01-02T03:04:05Z');
  const later = status({}, { previous: first, nowMs: Date.UTC(2026, 0, 3) });
  const times = Object.fromEntries((later.conditions ?? []).map((c) => [c.type, c.lastTransitionTime]));
  assert.equal(times['Accepted'], '2026-01-02T03:04:05Z');
  assert.equal(times['Programmed'], '2026-01-03T00:00:00Z');
});

test('a message is never longer than Kubernetes takes', () => {
  const accepted = { status: 'False', reason: 'Invalid', message: 'x'.repeat(100_000) } as const;
  assert.deepEqual(checkStatus('ProxyRoute', status({ accepted })), []);
});
