import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');

test('every invariant names a test that exists', () => {
  const page = readFileSync(join(ROOT, 'docs/INVARIANTS.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| ') && !/^\| (Invariant|---)/.test(line));
  assert.ok(rows.length > 20);
  for (const row of rows) {
    const [, file, title] = /`([^`]+\.test\.ts)`: “([^”]+)”/.exec(row) ?? [];
    assert.ok(file !== undefined && title !== undefined, row);
    assert.ok(readFileSync(join(ROOT, file), 'utf8').includes(title), `${file} has no test “${title}”`);
  }
});
