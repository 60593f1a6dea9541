import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { findCycles } from './cycles.ts';
import { checkTable, checkTree } from './room-rules.ts';

const FIXTURES = 'test/fixtures/rooms';

for (const name of readdirSync(FIXTURES)) {
  test(`the tree ${name} is refused`, () => {
    const expected = readFileSync(`${FIXTURES}/${name}/expected.txt`, 'utf8').trimEnd().split('\n');
    const findings = checkTree(`${FIXTURES}/${name}`);
    assert.equal(findings.length, expected.length, findings.join('\n'));
    for (const [index, start] of expected.entries()) {
      assert.ok(findings[index]?.startsWith(start), `${findings[index]} does not start with ${start}`);
    }
  });
}

test('a tree that keeps to the table passes, whatever its comments and strings say', () => {
  assert.deepEqual(checkTree('test/fixtures/rooms-kept'), []);
});

test('the table allows no circle, names only rooms, and keeps pure rooms pure', () => {
  assert.deepEqual(checkTable(), []);
});

test('a table that allows a circle is refused', () => {
  const findings = checkTable([
    { path: 'a', mayImport: ['b'], reason: '' },
    { path: 'b', mayImport: ['a'], reason: '' },
  ]);
  assert.deepEqual(findings, ['hack/rooms.ts allows a circle: a → b → a']);
});

test('a table with a pure room that imports an impure or unknown one is refused', () => {
  const findings = checkTable([
    { path: 'a', mayImport: ['b', 'c'], pure: true, reason: '' },
    { path: 'b', mayImport: [], reason: '' },
  ]);
  assert.deepEqual(findings, [
    'hack/rooms.ts: a is pure, so it cannot import b, which is not',
    'hack/rooms.ts: a may import c, which has no row',
  ]);
});

test('a graph without circles has none, and each separate circle is found once', () => {
  const graph = (edges: Record<string, string[]>): Map<string, Set<string>> =>
    new Map(Object.entries(edges).map(([from, to]) => [from, new Set(to)]));
  assert.deepEqual(findCycles(graph({ a: ['b', 'c'], b: ['c'], c: ['elsewhere'] })), []);
  assert.deepEqual(findCycles(graph({ a: ['b'], b: ['a'], c: ['c'], d: ['a'] })), [
    ['a', 'b', 'a'],
    ['c', 'c'],
  ]);
});
