import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasErrors } from '../proxy/contract/finding.ts';
import { limit } from '../proxy/contract/limits.ts';
import { API_VERSION } from './kind.ts';
import { KINDS, type Kind } from './kinds.ts';
import type { SchemaNode } from './schema.ts';
import { checkObject, checkStatus, objectIdOf, readObject } from './validate.ts';

const KIND_NAMES = Object.keys(KINDS) as Kind[];
const SEED = 20_260_131;

function route(spec: unknown, extra: object = {}) {
  return { apiVersion: API_VERSION, kind: 'ProxyRoute', metadata: { name: 'web', namespace: 'shop' }, spec, ...extra };
}
const GOOD = { hosts: ['a.example.com'], poolRef: { name: 'api' } };

function messages(value: unknown, kind: Kind = 'ProxyRoute'): string[] {
  return checkObject(kind, value).map((f) => `${f.path}: ${f.message}`);
}

test('findings name the object, the field and what would be right', () => {
  const [finding] = checkObject('ProxyRoute', route({ ...GOOD, matches: [{ pth: { value: '/' } }] }));
  assert.deepEqual(finding, {
    object: 'ProxyRoute/shop/web',
    path: 'spec.matches[0].pth',
    reason: 'UnknownField',
    message: 'unknown field "pth"; did you mean "path"?',
    severity: 'error',
  });
});

test('messages say what must be, in words', () => {
  const cases: [spec: unknown, message: string][] = [
    [
      { ...GOOD, hosts: ['API.example.com'] },
      'spec.hosts[0]: must be a lowercase host name such as api.example.com, *.example.com or *, not "API.example.com"',
    ],
    [{ ...GOOD, hosts: 'a.example.com' }, 'spec.hosts: must be a list, not a string'],
    [{ hosts: ['a.example.com'] }, 'spec.poolRef: is required'],
    [
      { ...GOOD, matches: [{ path: { type: 'prefix', value: '/' } }] },
      'spec.matches[0].path.type: must be one of Exact, PathPrefix, RegularExpression, not "prefix"',
    ],
    [
      { ...GOOD, canary: { poolRef: { name: 'b' }, weight: 101 } },
      'spec.canary.weight: must be between 0 and 100, not 101',
    ],
    [
      { ...GOOD, canary: { poolRef: { name: 'b' }, weight: 0.5 } },
      'spec.canary.weight: must be a whole number, not 0.5',
    ],
    [{ ...GOOD, matches: [{ methods: [] }] }, 'spec.matches[0].methods: must have at least 1 item'],
    [{ ...GOOD, poolRef: { name: 'a'.repeat(254) } }, 'spec.poolRef.name: must have at most 253 characters'],
    [
      { ...GOOD, overload: { maxConcurrent: 1, queueSize: 1, queueTimeout: '2m' } },
      'spec.overload.queueTimeout: must be between 1ms and 1m, not "2m"',
    ],
    [{ ...GOOD, hosts: ['a.example.com', 'a.example.com'] }, 'spec.hosts[1]: is the same as item 0'],
    [null, 'spec: is required'],
  ];
  for (const [spec, message] of cases) assert.deepEqual(messages(route(spec)), [message]);
});

test('a name that nobody could have meant gets no suggestion', () => {
  assert.deepEqual(messages(route({ ...GOOD, completelyDifferent: 1 })), [
    'spec.completelyDifferent: unknown field "completelyDifferent"',
  ]);
});

test('kind, version and name are checked too', () => {
  assert.deepEqual(
    messages({ ...route(GOOD), apiVersion: 'v1', kind: 'Pod', metadata: { name: 'A', labels: { a: 1 } } }),
    [
      'apiVersion: must be modernproxy.io/v1alpha1, not "v1"',
      'kind: must be ProxyRoute, not "Pod"',
      'metadata.name: must be the name of an object: lowercase letters, digits, hyphens and dots, not "A"',
      'metadata.labels.a: must be a string, not a number',
    ],
  );
  assert.deepEqual(messages(route(GOOD, { stats: {} })), ['stats: unknown field "stats"; did you mean "status"?']);
});

test('what kubectl and the API server add is taken', () => {
  const metadata = {
    name: 'web',
    uid: '7d7f4c5e-0000-4000-8000-000000000000',
    resourceVersion: '12',
    generation: 3,
    creationTimestamp: null,
    labels: { 'app.kubernetes.io/name': 'web' },
    annotations: { note: 'line\nline' },
    managedFields: [{ manager: 'kubectl' }],
    finalizers: ['x'],
    ownerReferences: [],
  };
  const read = readObject('ProxyRoute', route(GOOD, { metadata, status: { conditions: 'not ours to judge here' } }));
  assert.deepEqual(read.findings, []);
  assert.deepEqual(Object.keys(read.object ?? {}), ['apiVersion', 'kind', 'metadata', 'spec']);
  assert.equal(read.object?.metadata.namespace, undefined);
  assert.equal(read.object?.metadata.generation, 3);
});

test('an accepted object comes without nulls, so that types hold', () => {
  const read = readObject('ProxyRoute', route({ ...GOOD, tls: null, poolRef: { name: 'api', namespace: null } }));
  assert.deepEqual(read.object?.spec, GOOD);
});

test('a refused object is not handed over', () => {
  const read = readObject('ProxyRoute', route({}));
  assert.ok(hasErrors(read.findings));
  assert.equal(read.object, undefined);
});

test('prototype keys are names like any other', () => {
  const text = JSON.stringify(route({ ...GOOD, x: 1 })).replace(
    '"x":1',
    '"__proto__":{"poolRef":{"name":"evil"}},"constructor":{}',
  );
  assert.deepEqual(messages(JSON.parse(text)), [
    'spec.__proto__: unknown field "__proto__"',
    'spec.constructor: unknown field "constructor"',
  ]);
  const inherited = Object.create({ hosts: ['a.example.com'], poolRef: { name: 'api' } }) as unknown;
  assert.deepEqual(messages(route(inherited)), ['spec.poolRef: is required']);
  const labels = JSON.parse('{"__proto__": "x", "a": "b"}') as unknown;
  const read = readObject('ProxyRoute', route(GOOD, { metadata: { name: 'web', labels } }));
  assert.deepEqual(Object.keys(read.object?.metadata.labels ?? {}), ['__proto__', 'a']);
});

test('huge lists and objects cost no more findings than the limits allow', () => {
  const many = Array.from({ length: 200_000 }, () => ({ address: 1, extra: 1 }));
  const pool = { apiVersion: API_VERSION, kind: 'UpstreamPool', metadata: { name: 'p' }, spec: { endpoints: many } };
  const found = checkObject('UpstreamPool', pool);
  assert.equal(found.length, limit('findings') + 1);
  assert.match(found.at(-1)?.message ?? '', /^and [0-9]+ more findings$/);
  assert.ok(found.some(({ path }) => path === 'spec.endpoints'));

  const fields = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`field${i}`, i]));
  assert.equal(checkObject('ProxyRoute', route({ ...GOOD, ...fields })).length, 20);
});

test('long and hostile texts stay short in messages', () => {
  const long = 'é\n'.repeat(500_000);
  for (const finding of checkObject('ProxyRoute', route({ [long]: 1, hosts: [long], poolRef: { name: long } }))) {
    assert.ok(finding.message.length < 300, finding.message);
    assert.ok(finding.path.length < 300, finding.path);
    assert.doesNotMatch(finding.message + finding.path, /\n/);
  }
});

test('the id of an object survives metadata of any shape', () => {
  for (const value of [null, 1, 'x', [], {}, { metadata: null }, { metadata: { name: 1, namespace: {} } }]) {
    assert.equal(objectIdOf('ProxyRoute', value), 'ProxyRoute/default/?');
  }
  assert.equal(objectIdOf('ProxyRoute', { metadata: { name: 'a', namespace: 'b' } }), 'ProxyRoute/b/a');
});

test('a status is checked before it is written', () => {
  const condition = {
    type: 'Accepted',
    status: 'True',
    reason: 'Accepted',
    message: '',
    observedGeneration: 1,
    lastTransitionTime: '2026-01-31T12:00:00Z',
  };
  const digest = `sha256:${'0'.repeat(64)}`;
  assert.deepEqual(checkStatus('ProxyRoute', { fragmentDigest: digest, conditions: [condition] }), []);
  assert.deepEqual(
    checkStatus('ProxyRoute', { conditions: [condition, { ...condition, lastTransitionTime: 'now' }], stage: 1 }).map(
      ({ path, reason }) => `${path} ${reason}`,
    ),
    ['status.stage UnknownField', 'status.conditions[1].lastTransitionTime Invalid', 'status.conditions[1] Duplicate'],
  );
});

test('any JSON gives findings, never an exception', () => {
  fc.assert(
    fc.property(fc.constantFrom(...KIND_NAMES), fc.jsonValue({ maxDepth: 6 }), (kind, value) => {
      assert.ok(hasErrors(checkObject(kind, value)));
    }),
    { seed: SEED, numRuns: 500 },
  );
});

/** Values that have the shape of a schema, more or less: every node may be anything instead. */
function shaped(node: SchemaNode): fc.Arbitrary<unknown> {
  const anything = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('__proto__', '1s', '1%', '*', '[::1]:80', -1, Number.POSITIVE_INFINITY),
  );
  return fc.oneof({ arbitrary: regular(node), weight: 12 }, { arbitrary: anything, weight: 1 });
}

function regular(node: SchemaNode): fc.Arbitrary<unknown> {
  if (node.enum !== undefined) return fc.constantFrom(...node.enum);
  if (node.items !== undefined) return fc.array(shaped(node.items), { maxLength: 3 });
  if (node.type === 'boolean') return fc.boolean();
  if (node.type === 'integer' || node.type === 'number')
    return fc.integer({ min: node.minimum ?? 0, max: node.maximum ?? 9 });
  if (node.type === 'string')
    return fc.constantFrom('a', 'api.example.com', '1s', '500ms', '1Mi', '1%', '10.0.0.1:80', '/a', 'X-A', '200-399');
  const known = Object.entries(node.properties ?? {}).map(([name, child]) => [name, shaped(child)] as const);
  const fields = fc.record(Object.fromEntries(known), { requiredKeys: [] });
  return fc
    .tuple(
      fields,
      fc.dictionary(fc.constantFrom('__proto__', 'a', 'constructor', 'name'), fc.constant('x'), { maxKeys: 1 }),
    )
    .map(([one, other]) => ({ ...one, ...other }));
}

test('nearly right objects give findings, never an exception, and are not changed', () => {
  for (const kind of KIND_NAMES) {
    const object = shaped(KINDS[kind].spec).map((spec) => ({
      apiVersion: API_VERSION,
      kind,
      metadata: { name: 'a' },
      spec,
    }));
    fc.assert(
      fc.property(object, (value) => {
        const before = JSON.stringify(value);
        const read = readObject(kind, value);
        assert.equal(JSON.stringify(value), before);
        assert.equal(read.object === undefined, read.findings.length > 0);
        // What was accepted is accepted again, and unchanged.
        if (read.object !== undefined) assert.deepEqual(readObject(kind, read.object).object, read.object);
      }),
      { seed: SEED, numRuns: 100 },
    );
  }
});
