import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NOT_IMPLEMENTED } from '../../proxy/contract/notImplemented.ts';
import { emptyObjectSet } from '../objects/objectSet.ts';
import { isOwnKind, objectKey, type OwnKind, type OwnObject } from '../objects/objects.ts';
import { findNotImplemented } from './notImplemented.ts';
import { rolloutEntries, rolloutReferences } from './rollout.ts';
import { hostRegex } from './route.ts';
import { translate, translateAll } from './translate.ts';

function object<K extends OwnKind>(kind: K, spec: unknown, name = 'web'): OwnObject<K> {
  return { apiVersion: 'modernproxy.io/v1alpha1', kind, metadata: { name, namespace: 'shop' }, spec };
}

const ROUTE = { hosts: ['a.example.com'], poolRef: { name: 'web' } };

describe('the same spec gives the same fragment', () => {
  const digest = (spec: unknown) => translate(object('ProxyRoute', spec)).fragment?.digest;

  test('whatever the order of what are sets', () => {
    const matches = (methods: string[], headers: object[]) => ({
      ...ROUTE,
      hosts: ['a.org', 'b.org'],
      matches: [{ methods, headers }],
    });
    const x = { name: 'X-A', value: '1' };
    const y = { name: 'x-b', value: '2' };
    assert.equal(
      digest(matches(['GET', 'POST'], [x, y])),
      digest({ ...matches(['POST', 'GET'], [y, { ...x, name: 'x-a' }]), hosts: ['b.org', 'a.org'] }),
    );
  });

  test('whatever its metadata and status', () => {
    const one = object('ProxyRoute', ROUTE);
    const other = {
      ...one,
      metadata: {
        ...one.metadata,
        uid: 'x',
        generation: 7,
        annotations: { a: 'b' },
        creationTimestamp: '2026-01-01T00:00:00Z',
      },
      status: { conditions: [] },
    };
    assert.equal(translate(one).fragment?.digest, translate(other).fragment?.digest);
  });

  test('with empty fields as without them', () => {
    const empty = { hostRegexes: [], matches: [], tls: null, cache: { enabled: false }, policyRef: null };
    assert.equal(digest({ ...ROUTE, ...empty }), digest(ROUTE));
  });

  test('and another one for what means something else', () => {
    const [a, b] = [{ path: { value: '/a' } }, { path: { value: '/b' } }];
    assert.notEqual(digest({ ...ROUTE, matches: [a] }), digest({ ...ROUTE, matches: [b] }));
    assert.notEqual(digest({ ...ROUTE, poolRef: { name: 'other' } }), digest(ROUTE));
  });
});

describe('what is not implemented', () => {
  test('is refused wherever the list names a field of an object', () => {
    for (const { objects = [], values } of NOT_IMPLEMENTED) {
      for (const entry of objects) {
        const [kind = '', path = ''] = entry.split(' ');
        assert.ok(isOwnKind(kind), entry);
        const build = (steps: readonly string[], value: unknown): unknown =>
          steps.length === 0 ? value : { [steps[0] ?? '']: build(steps.slice(1), value) };
        for (const value of values ?? ['anything']) {
          const found = findNotImplemented(kind, 'id', build(path.split('.'), value) as object);
          assert.deepEqual(
            found.map((finding) => [finding.path, finding.reason]),
            [[path, 'NotImplemented']],
            entry,
          );
        }
        for (const value of [undefined, null, false, [], { enabled: false, more: 1 }, { a: false, b: null }]) {
          assert.deepEqual(findNotImplemented(kind, 'id', build(path.split('.'), value) as object), [], entry);
        }
      }
    }
  });

  test('refuses the whole object, and is asked only of what is valid otherwise', () => {
    const refused = translate(object('UpstreamPool', { endpoints: [], protocol: 'H2C' }));
    assert.equal(refused.fragment, null);
    assert.deepEqual(refused.references, []);
    assert.ok(refused.findings.some(({ reason }) => reason === 'NotImplemented'));
    assert.notEqual(translate(object('UpstreamPool', { endpoints: [], protocol: 'HTTP1' })).fragment, null);
  });

  test('is an empty object where that asks for something', () => {
    assert.equal(findNotImplemented('UpstreamPool', 'id', { spec: { tls: {} } }).length, 1);
  });
});

test('an object of which nothing is as it should be gives findings, and no fragment', () => {
  for (const spec of [undefined, null, 1, 'text', [], { hosts: 3 }, { poolRef: null }]) {
    const { fragment, findings, references } = translate(object('ProxyRoute', spec));
    assert.equal(fragment, null);
    assert.deepEqual(references, []);
    assert.ok(findings.length > 0);
  }
});

test('namespace and name are bounded together too, since they become one id', () => {
  const long = translate(object('ProxyRoute', ROUTE, 'x'.repeat(253)));
  assert.equal(long.fragment, null);
  assert.deepEqual(
    long.findings.map(({ path, reason }) => [path, reason]),
    [['metadata.name', 'Invalid']],
  );
});

test('references name fields, and the namespaces that are meant', () => {
  const { references } = translate(
    object('ProxyRoute', { ...ROUTE, poolRef: { name: 'web', namespace: 'infra' }, policyRef: { name: 'strict' } }),
  );
  assert.deepEqual(references, [
    { path: 'spec.poolRef', kind: 'UpstreamPool', namespace: 'infra', name: 'web', target: 'UpstreamPool/infra/web' },
    {
      path: 'spec.policyRef',
      kind: 'TrafficPolicy',
      namespace: 'shop',
      name: 'strict',
      target: 'TrafficPolicy/shop/strict',
    },
  ]);
});

test('the fleet of a route is known even where its spec is invalid', () => {
  assert.equal(translate(object('ProxyRoute', { fleetRef: { name: 'a' } })).fleet, 'shop/a');
  assert.equal(
    translate(object('ProxyRoute', { fleetRef: { name: 'a', namespace: 'edge' }, hosts: 1 })).fleet,
    'edge/a',
  );
  for (const fleetRef of [undefined, null, 'text', { name: 7 }]) {
    assert.equal(translate(object('ProxyRoute', { fleetRef })).fleet, null);
  }
});

test('who may use a fleet is known unless just that is invalid', () => {
  const rules = (fleet: unknown) => translate(object('ProxyRollout', { fleet })).rules;
  const hostClaims = [{ host: '*', namespaces: ['a'] }];
  assert.deepEqual(rules({ hostClaims, http: { h2c: 'maybe' }, allowedNamespaces: { from: 'All', selector: null } }), {
    allowedNamespaces: { from: 'All' },
    hostClaims,
  });
  assert.deepEqual(rules(undefined), { allowedNamespaces: {}, hostClaims: [] });
  assert.equal(rules({ hostClaims: [{ host: '*' }] }), null);
  assert.equal(rules({ allowedNamespaces: { from: 'Selector' } }), null);
  assert.equal(rules('text'), null);
  assert.equal(translate(object('ProxyRollout', 'text')).rules, null);
});

test('an accepted ProxyRollout hands its spec on, without nulls', () => {
  const { rolloutSpec } = translate(object('ProxyRollout', { strategy: null, paused: true, fleet: { tls: null } }));
  assert.deepEqual(rolloutSpec, { paused: true, fleet: {} });
  assert.equal(translate(object('ProxyRollout', { paused: 'yes' })).rolloutSpec, null);
  assert.equal(translate(object('ProxyRoute', ROUTE)).rolloutSpec, null);
});

test('a secret that metrics need is named with its namespace', () => {
  const meta = { name: 'main', namespace: 'edge' };
  const spec = { fleet: { metrics: { requireToken: true, tokenSecretRef: { name: 'scrape' } } } };
  assert.deepEqual(
    rolloutEntries(meta, spec).map(({ value }) => value),
    [{ require_token: true, token_secret: 'edge/scrape' }],
  );
  assert.deepEqual(rolloutReferences(meta, spec), [
    {
      path: 'spec.fleet.metrics.tokenSecretRef',
      kind: 'Secret',
      namespace: 'edge',
      name: 'scrape',
      target: 'Secret/edge/scrape',
    },
  ]);
});

test('an expression over hosts stays one, though it looks like a name or an address', () => {
  assert.equal(hostRegex('[a-z]+[.]org'), '[a-z]+[.]org');
  for (const source of ['a.example.com', '*.example.com', 'localhost', '[::1]', '10.0.0.1', '*']) {
    assert.equal(hostRegex(source), `(?:${source})`);
  }
});

test('age is read where there is one', () => {
  const at = (creationTimestamp?: string) => {
    const one = object('ProxyRoute', ROUTE);
    const metadata = creationTimestamp === undefined ? one.metadata : { ...one.metadata, creationTimestamp };
    return translate({ ...one, metadata }).createdAtMs;
  };
  assert.equal(at('1970-01-01T00:00:01Z'), 1000);
  assert.equal(at(), null);
  assert.equal(at('yesterday'), null);
});

test('an object that did not change is not translated again', () => {
  const route = object('ProxyRoute', ROUTE);
  const set = {
    ...emptyObjectSet(),
    ProxyRoute: new Map([[objectKey('shop', 'web'), { object: route, source: 'a:1' }]]),
  };
  const first = translateAll(set).get('ProxyRoute/shop/web');
  assert.notEqual(first, undefined);
  assert.equal(translateAll({ ...set, Secret: new Map() }).get('ProxyRoute/shop/web'), first);
});
