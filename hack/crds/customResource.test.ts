import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { KINDS } from '../../crds/kinds.ts';
import type { SchemaNode } from '../../crds/schema.ts';
import { customResource } from './customResource.ts';

interface Validation {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
}
type Node = SchemaNode & { readonly 'x-kubernetes-validations'?: readonly Validation[] };

interface Crd {
  readonly spec: {
    readonly names: { readonly shortNames: readonly string[]; readonly categories: readonly string[] };
    readonly versions: readonly [
      {
        readonly additionalPrinterColumns: readonly { name: string; priority?: number }[];
        readonly schema: { readonly openAPIV3Schema: Node };
      },
    ];
  };
}

/** As it is read from the YAML that is written. */
function crdOf(kind: keyof typeof KINDS): Crd {
  return parse(stringify(customResource(KINDS[kind]), { version: '1.1' })) as Crd;
}

/** Spec and status with everything below them, by path. */
function* nodesOf(node: Node, path: string): Generator<readonly [string, Node]> {
  if (path !== '') yield [path, node];
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    if (path === '' && name !== 'spec' && name !== 'status') continue;
    yield* nodesOf(child, path === '' ? name : `${path}.${name}`);
  }
  if (node.items !== undefined) yield* nodesOf(node.items, `${path}[]`);
  if (typeof node.additionalProperties === 'object') yield* nodesOf(node.additionalProperties, `${path}{}`);
}

/** What structural schemas may hold, of what is used here (apiextensions.k8s.io/v1 JSONSchemaProps). */
const ALLOWED = new Set([
  'type',
  'description',
  'format',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'required',
  'properties',
  'items',
  'additionalProperties',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
]);

for (const kind of Object.keys(KINDS) as (keyof typeof KINDS)[]) {
  describe(`the CRD of ${kind}`, () => {
    const root = crdOf(kind).spec.versions[0].schema.openAPIV3Schema;
    const nodes = [...nodesOf(root, '')];

    test('is a structural schema', () => {
      for (const [path, node] of nodes) {
        for (const keyword of Object.keys(node)) assert.ok(ALLOWED.has(keyword), `${path}: ${keyword}`);
        assert.ok(['object', 'array', 'string', 'integer', 'number', 'boolean'].includes(node.type ?? ''), path);
        assert.notEqual(node.additionalProperties, false, path);
        assert.ok(node.properties === undefined || node.additionalProperties === undefined, path);
        assert.equal(node.type === 'array', node.items !== undefined, path);
        for (const name of node.required ?? []) assert.ok(node.properties?.[name] !== undefined, `${path}.${name}`);
      }
    });

    test('has a description on every field and a bound on every text, number, list and map', () => {
      for (const [path, node] of nodes) {
        if (!path.endsWith('{}')) assert.match(node.description ?? '', /^[^a-z]?[\w*].*[.)]$/s, path);
        if (node.type === 'string') assert.ok(node.enum !== undefined || node.maxLength !== undefined, path);
        if (node.type === 'integer' || node.type === 'number') {
          assert.ok(node.minimum !== undefined && node.maximum !== undefined, path);
        }
        if (node.type === 'array') assert.ok(node.maxItems !== undefined, path);
        if (node.type === 'object' && node.properties === undefined) assert.ok(node.maxProperties !== undefined, path);
      }
    });

    test('says of every list how it is merged, by keys that every item has', () => {
      for (const [path, node] of nodes) {
        if (node.type !== 'array') continue;
        const type = node['x-kubernetes-list-type'];
        assert.ok(type !== undefined, path);
        if (type === 'set') assert.ok(node.items?.type !== 'object' && node.items?.type !== 'array', path);
        assert.equal(type === 'map', node['x-kubernetes-list-map-keys'] !== undefined, path);
        for (const key of node['x-kubernetes-list-map-keys'] ?? []) {
          assert.ok(node.items?.required?.includes(key), `${path}: ${key}`);
        }
      }
    });

    test('has CamelCase enums', () => {
      for (const [path, node] of nodes)
        for (const value of node.enum ?? []) assert.match(value, /^[A-Z][A-Za-z0-9]*$/, path);
    });

    test('has every rule of the table, with fields that exist', () => {
      const byPath = new Map(nodes);
      for (const rule of KINDS[kind].rules) {
        const node = byPath.get(rule.at);
        const found = node?.['x-kubernetes-validations']?.find(({ message }) => message === rule.message);
        assert.equal(found?.rule, rule.cel, `${rule.at}: ${rule.message}`);
        assert.ok(byPath.has(rule.at + (rule.field ?? '')), `${rule.at}${rule.field}`);
      }
    });

    test('has no defaults: one that the API server writes could not be told from a choice', () => {
      assert.doesNotMatch(stringify(root), /^\s*default:/m);
    });

    test('reads the same by YAML 1.1, which Helm and kubectl follow', () => {
      const text = stringify(customResource(KINDS[kind]), { version: '1.1' });
      assert.deepEqual(parse(text, { version: '1.1' }), parse(text));
    });
  });
}

test('kinds have a short name of their own and share a category', () => {
  const crds = (Object.keys(KINDS) as (keyof typeof KINDS)[]).map(crdOf);
  assert.deepEqual(
    crds.flatMap((crd) => crd.spec.names.shortNames),
    ['prt', 'upool', 'tpol', 'prollout'],
  );
  for (const crd of crds) assert.deepEqual(crd.spec.names.categories, ['mrp']);
});

test('columns are those that people look for, details only with -o wide', () => {
  const columns = (kind: keyof typeof KINDS) =>
    crdOf(kind)
      .spec.versions[0].additionalPrinterColumns.filter(({ priority = 0 }) => priority === 0)
      .map(({ name }) => name);
  assert.deepEqual(columns('ProxyRollout'), ['Phase', 'Stage', 'Candidate', 'Stable', 'Proxies', 'Age']);
  for (const kind of ['ProxyRoute', 'UpstreamPool', 'TrafficPolicy'] as const) {
    assert.deepEqual(columns(kind), ['Accepted', 'Reason', 'Programmed', 'Age']);
  }
});
