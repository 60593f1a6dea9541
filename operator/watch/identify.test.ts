import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { identify } from './identify.ts';

const API = 'modernproxy.io/v1alpha1';
const META = { name: 'web', namespace: 'shop' };

/** The object that comes of a value, or the reason and message of what is wrong. */
function outcome(value: Record<string, unknown>): unknown {
  const found = identify(value);
  if (found.is === 'object') return found.object;
  return found.is === 'other' ? 'other' : `${found.finding.reason} ${found.finding.path}: ${found.finding.message}`;
}

describe('an object of ours', () => {
  test('is taken as it is, its spec unread', () => {
    const value = { apiVersion: API, kind: 'ProxyRoute', metadata: META, spec: 'anything', extra: 1 };
    assert.deepEqual(outcome(value), value);
  });

  test('without namespace is of the namespace default', () => {
    const object = outcome({ apiVersion: API, kind: 'UpstreamPool', metadata: { name: 'web' } });
    assert.deepEqual((object as { metadata: unknown }).metadata, { name: 'web', namespace: 'default' });
  });

  test('of an unknown kind or version is an error', () => {
    assert.match(
      String(outcome({ apiVersion: API, kind: 'Gateway', metadata: META })),
      /^UnknownKind kind: there is no/,
    );
    assert.match(
      String(outcome({ apiVersion: 'modernproxy.io/v2', kind: 'ProxyRoute', metadata: META })),
      /^UnknownKind/,
    );
    assert.match(String(outcome({ apiVersion: API, kind: 'constructor', metadata: META })), /^UnknownKind/);
  });

  test('needs names that are DNS names', () => {
    for (const metadata of [
      undefined,
      {},
      { name: '' },
      { name: 'Web' },
      { name: 'a/b' },
      { name: '..' },
      { name: 'x'.repeat(254) },
      { name: 'web', namespace: 'a.b' },
      { name: 'web', namespace: '' },
      { name: 'web', namespace: 'x'.repeat(64) },
      { name: { toString: 'web' } },
    ]) {
      assert.match(String(outcome({ apiVersion: API, kind: 'ProxyRoute', metadata })), /^Invalid metadata/);
    }
  });
});

describe('objects of others', () => {
  test('are left alone where nobody reads them', () => {
    assert.equal(outcome({ apiVersion: 'apps/v1', kind: 'Deployment' }), 'other');
    assert.equal(outcome({ apiVersion: 'v1', kind: 'ConfigMap' }), 'other');
    assert.equal(outcome({ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' }), 'other');
  });

  test('that are named like ours are pointed out', () => {
    assert.match(String(outcome({ apiVersion: 'modernproxi.io/v1alpha1', kind: 'ProxyRoute' })), /^UnknownKind/);
  });

  test('need apiVersion and kind', () => {
    assert.match(String(outcome({ kind: 'ProxyRoute' })), /^Malformed/);
    assert.match(String(outcome({ apiVersion: 1, kind: 'x' })), /^Malformed/);
  });

  test('a Namespace has no namespace, and labels of text', () => {
    const read = (metadata: unknown) => outcome({ apiVersion: 'v1', kind: 'Namespace', metadata });
    assert.deepEqual(read({ name: 'shop', labels: { a: '1' } }), {
      kind: 'Namespace',
      metadata: { name: 'shop', namespace: '', labels: { a: '1' } },
    });
    assert.match(String(read({ name: 'shop', labels: { a: 1 } })), /^Invalid/);
  });

  test('a Service is its type and ports', () => {
    const read = (spec: unknown) => outcome({ apiVersion: 'v1', kind: 'Service', metadata: META, spec });
    assert.deepEqual(
      read({
        ports: [
          { port: 80, targetPort: 'http' },
          { name: 'admin', port: 81 },
        ],
      }),
      {
        kind: 'Service',
        metadata: META,
        type: 'ClusterIP',
        ports: [
          { name: '', port: 80 },
          { name: 'admin', port: 81 },
        ],
      },
    );
    assert.match(String(read({ ports: [{ port: '80' }] })), /^Invalid/);
    assert.match(String(read(undefined)), /^Invalid/);
  });

  test('an EndpointSlice is handed on as it was written', () => {
    const value = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: META, endpoints: [] };
    assert.deepEqual(outcome(value), { kind: 'EndpointSlice', metadata: META, manifest: value });
  });

  test('a ReferenceGrant of either version grants what it says, and nothing where that is unclear', () => {
    const from = [{ group: 'modernproxy.io', kind: 'ProxyRoute', namespace: 'shop' }];
    const read = (to: unknown, version = 'v1') =>
      outcome({
        apiVersion: `gateway.networking.k8s.io/${version}`,
        kind: 'ReferenceGrant',
        metadata: META,
        spec: { from, to },
      });
    const to = [{ group: 'modernproxy.io', kind: 'UpstreamPool', name: 'web' }];
    assert.deepEqual(read(to), { kind: 'ReferenceGrant', metadata: META, from, to });
    assert.deepEqual(read(to, 'v1beta1'), read(to));
    assert.match(String(read([{ group: 'modernproxy.io', kind: 'UpstreamPool', name: ['web'] }])), /^Invalid/);
    assert.match(String(read([{ kind: 'UpstreamPool' }])), /^Invalid/);
  });
});

describe('a Secret', () => {
  const read = (fields: Record<string, unknown>) =>
    outcome({ apiVersion: 'v1', kind: 'Secret', metadata: { ...META, annotations: { last: 'hunter2' } }, ...fields });

  test('is its values, which print as nothing', () => {
    const secret = read({
      stringData: { token: 'hunter2' },
      data: { other: Buffer.from('hunter2').toString('base64') },
    });
    assert.ok(typeof secret === 'object' && secret !== null && 'data' in secret && secret.data instanceof Map);
    assert.deepEqual([...secret.data.keys()], ['other', 'token']);
    for (const text of [inspect(secret, { depth: 9 }), JSON.stringify(secret), JSON.stringify([...secret.data])]) {
      assert.ok(!text.includes('hunter2'), text);
    }
  });

  test('with values that are no base64 is refused without naming them', () => {
    assert.equal(read({ data: { token: 'hunter2!' } }), 'Invalid : data must be base64 text by key');
    assert.equal(read({ stringData: { token: 2 } }), 'Invalid : stringData must be text by key');
  });
});
