import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReferenceGrantObject } from '../objects/objects.ts';
import { grantCheck, type CrossReference } from './grants.ts';

const REFERENCE: CrossReference = {
  fromKind: 'ProxyRoute',
  fromNamespace: 'shop',
  toKind: 'UpstreamPool',
  toNamespace: 'infra',
  toName: 'web',
};
const GROUP = 'modernproxy.io';

function grant(change: Partial<ReferenceGrantObject> = {}, namespace = 'infra') {
  const object: ReferenceGrantObject = {
    kind: 'ReferenceGrant',
    metadata: { name: 'grant', namespace },
    from: [{ group: GROUP, kind: 'ProxyRoute', namespace: 'shop' }],
    to: [{ group: GROUP, kind: 'UpstreamPool' }],
    ...change,
  };
  return { object, source: '' };
}

test('within a namespace nothing needs a grant', () => {
  assert.equal(grantCheck([])({ ...REFERENCE, toNamespace: 'shop' }), true);
});

test('into another namespace nothing goes without a grant', () => {
  assert.equal(grantCheck([])(REFERENCE), false);
});

test('a grant in the target’s namespace permits', () => {
  assert.equal(grantCheck([grant()])(REFERENCE), true);
});

test('a grant anywhere else does not, least of all in the referrer’s own namespace', () => {
  assert.equal(grantCheck([grant({}, 'shop'), grant({}, 'other')])(REFERENCE), false);
});

test('a grant that names an object permits that object only', () => {
  const named = (name: string) =>
    grantCheck([grant({ to: [{ group: GROUP, kind: 'UpstreamPool', name }] })])(REFERENCE);
  assert.equal(named('web'), true);
  assert.equal(named('other'), false);
});

test('group, kind and namespace must all fit', () => {
  for (const from of [
    { group: 'gateway.networking.k8s.io', kind: 'ProxyRoute', namespace: 'shop' },
    { group: GROUP, kind: 'HTTPRoute', namespace: 'shop' },
    { group: GROUP, kind: 'ProxyRoute', namespace: 'other' },
  ]) {
    assert.equal(grantCheck([grant({ from: [from] })])(REFERENCE), false, JSON.stringify(from));
  }
  assert.equal(grantCheck([grant({ to: [{ group: '', kind: 'Service' }] })])(REFERENCE), false);
});
