import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

const ROOT = resolve(import.meta.dirname, '..');

interface Run {
  readonly status: number | null;
  readonly lines: readonly string[];
}

/** Runs `hack/test.ts feature` in a fixture, as a person or as CI would. */
function runIn(fixture: string, env: Record<string, string> = {}): Run {
  // node:test marks its children, and would refuse to start a run inside of a run.
  const { NODE_TEST_CONTEXT: _, CI: __, TORTURE: ___, ...outer } = process.env;
  const child = spawnSync(process.execPath, [join(ROOT, 'hack/test.ts'), 'feature'], {
    cwd: join(ROOT, 'test/fixtures/suites', fixture),
    env: { ...outer, NO_COLOR: '1', ...env },
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { status: child.status, lines: child.stdout.trimEnd().split('\n') };
}

test('a suite that passes ends with 0, and the last line counts', () => {
  const { status, lines } = runIn('passing', { CI: 'true' });
  assert.equal(status, 0);
  assert.equal(lines.at(-1), '2 passed, 0 failed');
  assert.ok(lines.includes('  ✔ test/features/good.test.ts 2 passed'));
});

test('a failed test is shown with its assertion, and counts once whatever blocks it is in', () => {
  const { status, lines } = runIn('failing');
  assert.equal(status, 1);
  assert.equal(lines.at(-1), '1 passed, 1 failed');
  assert.ok(lines.some((line) => line.includes('Expected values to be strictly equal')));
  assert.ok(lines.some((line) => line.includes('bad.test.ts:6:')));
});

test('a skipped test is a failure in CI, and only there', () => {
  assert.equal(runIn('skipping').status, 0);
  const { status, lines } = runIn('skipping', { CI: 'true' });
  assert.equal(status, 1);
  assert.ok(lines.includes('  feature: skipped: test/features/left-out.test.ts: is left out'));
  assert.ok(lines.includes('  feature: skipped: test/features/left-out.test.ts: is planned'));
  assert.equal(lines.at(-1), '1 passed, 2 failed');
});

test('a file without tests is a failure', () => {
  const { status, lines } = runIn('empty');
  assert.equal(status, 1);
  assert.ok(lines.includes('  feature: test/features/nothing.test.ts has no test'));
});

test('a file that breaks before its first test is a failure', () => {
  const { status, lines } = runIn('crashing');
  assert.equal(status, 1);
  assert.equal(lines.at(-1), '0 passed, 1 failed');
});

test('a suite without files is a failure', () => {
  const { status, lines } = runIn('../rooms-kept');
  assert.equal(status, 1);
  assert.ok(lines.includes('  feature: no file matches test/features/**/*.test.ts'));
});

test('a file that never ends is ended at the limit of its suite, and is a failure', () => {
  const { status, lines } = runIn('leaking', { PATIENCE: '0.003' });
  assert.equal(status, 1);
  assert.match(lines.at(-1) ?? '', /, 1 failed$/);
});

test('an unknown suite is a usage error', () => {
  const child = spawnSync(process.execPath, [join(ROOT, 'hack/test.ts'), 'featur'], { encoding: 'utf8' });
  assert.equal(child.status, 2);
  assert.match(child.stderr, /there are check, unit, long, tools, feature, fault, smoke/);
});
