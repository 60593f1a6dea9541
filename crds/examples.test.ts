import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { KINDS, type Kind } from './kinds.ts';
import type { SchemaNode } from './schema.ts';
import { readObject } from './validate.ts';

function example(kind: Kind, name: string): unknown {
  return parse(readFileSync(join(import.meta.dirname, 'examples', `${KINDS[kind].singular}.${name}.yaml`), 'utf8'));
}

/** Fields that exclude one that the full example shows, or live in stages of another type. */
const EXCLUDED = [
  'UpstreamPool spec.serviceRef',
  'UpstreamPool spec.serviceRef.name',
  'UpstreamPool spec.serviceRef.port',
  'TrafficPolicy spec.hedging.delay',
  'ProxyRoute spec.cohorts.cookie',
  'ProxyRoute spec.cohorts.hash',
  'ProxyRoute spec.cohorts.hash.type',
  'ProxyRoute spec.cohorts.hash.name',
  'ProxyRollout spec.request.digest',
];

/** Paths of all fields of a schema that no example may lack. */
function* schemaPaths(node: SchemaNode, at: string): Generator<string> {
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    yield `${at}.${name}`;
    yield* schemaPaths(child.items ?? child, child.items === undefined ? `${at}.${name}` : `${at}.${name}[]`);
  }
}

function* valuePaths(value: unknown, at: string): Generator<string> {
  if (Array.isArray(value)) for (const item of value) yield* valuePaths(item, `${at}[]`);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, child] of Object.entries(value)) {
      yield `${at}.${name}`;
      yield* valuePaths(child, `${at}.${name}`);
    }
  }
}

for (const kind of Object.keys(KINDS) as Kind[]) {
  test(`the examples of ${kind} are accepted`, () => {
    for (const name of ['minimal', 'full']) {
      const read = readObject(kind, example(kind, name));
      assert.deepEqual(read.findings, [], name);
      assert.deepEqual(read.object, example(kind, name), name);
    }
  });

  test(`the full example of ${kind} shows every field`, () => {
    const shown = new Set(valuePaths((example(kind, 'full') as { spec: unknown }).spec, 'spec'));
    const missing = [...schemaPaths(KINDS[kind].spec, 'spec')].filter(
      (path) =>
        !shown.has(path) &&
        !EXCLUDED.includes(`${kind} ${path}`) &&
        // Namespace selectors are shown once, references into other namespaces where they are likely.
        !/allowedNamespaces\.selector|[rR]ef\.namespace$/.test(path),
    );
    assert.deepEqual(missing, []);
  });
}
