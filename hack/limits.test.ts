/** Tables that promise something: a limit that nothing reads, and an error that nothing answers, are promises not kept. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ERRORS } from '../proxy/contract/errors.ts';
import { LIMITS } from '../proxy/contract/limits.ts';
import { METRICS } from '../proxy/observability/metricTable.ts';
import { isTest, listFiles } from './source-files.ts';
import { maskSource } from './source-text.ts';

const ROOT = join(import.meta.dirname, '..');
const SIDES = ['proxy/', 'operator/', 'crds/'];

/** Rows of `table` that no product code outside of `tableFile` names, as a string or as a property. */
function unnamed(table: object, tableFile: string): string[] {
  const left = new Set(Object.keys(table));
  for (const file of listFiles(ROOT)) {
    const isProduct = SIDES.some((side) => file.startsWith(side)) && file.endsWith('.ts') && !isTest(file);
    if (!isProduct || file === tableFile) continue;
    const { code, strings } = maskSource(readFileSync(join(ROOT, file), 'utf8'));
    for (const text of strings) left.delete(text);
    for (const name of left) if (new RegExp(`\\.${name}\\b`).test(code)) left.delete(name);
  }
  return [...left];
}

test('every limit is read by something', () => {
  assert.deepEqual(unnamed(LIMITS, 'proxy/contract/limits.ts'), []);
});

test('every error is answered by something', () => {
  assert.deepEqual(unnamed(ERRORS, 'proxy/contract/errors.ts'), []);
});

test('every metric is counted by something', () => {
  assert.deepEqual(unnamed(METRICS, 'proxy/observability/metricTable.ts'), []);
});

test('a row that only comments name counts as unnamed', () => {
  assert.deepEqual(unnamed({ 'no such limit': 0, routeTimeoutMs: 0 }, 'proxy/contract/limits.ts'), ['no such limit']);
});
