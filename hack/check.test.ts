import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

const ROOT = resolve(import.meta.dirname, '..');
const CONFIGURATION = [
  'tsconfig.json',
  '.oxlintrc.json',
  '.prettierrc.json',
  '.prettierignore',
  'knip.jsonc',
  '.gitignore',
];
/** Links to single packages: tools that walk the tree would follow a link to all of them. */
const LINKED = ['.bin', '@types', 'undici-types', 'yaml'];
const ALL_CHECKS = ['types', 'lint', 'format', 'dead-code', 'rooms', 'tidy', 'generated'];

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A project of its own made from a fixture, the real configuration, and `dependencies`. */
function project(fixture: string, dependencies: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'checks-'));
  folders.push(folder);
  cpSync(join(ROOT, 'test/fixtures', fixture), folder, { recursive: true });
  for (const file of CONFIGURATION) cpSync(join(ROOT, file), join(folder, file));
  const versions = Object.fromEntries(dependencies.map((name) => [name, '*']));
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'fixture', type: 'module', dependencies: versions }),
  );
  mkdirSync(join(folder, 'node_modules'));
  for (const name of LINKED) symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  return folder;
}

function check(folder: string, ...names: string[]): { status: number | null; output: string } {
  const run = spawnSync(process.execPath, [join(ROOT, 'hack/check.ts'), ...names], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status: run.status, output: run.stdout + run.stderr };
}

for (const name of ALL_CHECKS) {
  test(`the check ${name} refuses its fixture, and names what is wrong`, () => {
    const expected = readFileSync(`${ROOT}/test/fixtures/checks/${name}/expected.txt`, 'utf8').trimEnd().split('\n');
    const { status, output } = check(project(`checks/${name}`, ['yaml']), name);
    assert.equal(status, 1, output);
    for (const text of expected) assert.ok(output.includes(text), `"${text}" is not in:\n${output}`);
    assert.match(output, new RegExp(`1 of 1 checks failed in .*: ${name}`));
  });
}

test('every check has a fixture that it refuses', () => {
  assert.deepEqual(readdirSync(`${ROOT}/test/fixtures/checks`).toSorted(), ALL_CHECKS.toSorted());
  const { output } = check(ROOT, 'no-such-check');
  assert.match(output, new RegExp(`there are ${ALL_CHECKS.join(', ')}`));
});

test('a tree without faults passes every check', () => {
  const { status, output } = check(project('checks-kept', []));
  assert.equal(status, 0, output);
  assert.match(output, /7 checks passed/);
});

test('an unknown name is a usage error', () => {
  assert.equal(check(ROOT, 'no-such-check').status, 2);
});
