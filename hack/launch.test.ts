import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

const base = mkdtempSync(join(tmpdir(), 'launch-'));
after(() => rmSync(base, { recursive: true, force: true }));

let count = 0;
function newFolder(): string {
  const folder = join(base, String((count += 1)));
  mkdirSync(folder);
  return folder;
}

describe('hack/node.sh', () => {
  /** A project with the launcher; each entry is a `node` that claims a major version and says its name. */
  function launch(nodes: { readonly own?: string; readonly onPath?: string }) {
    const root = newFolder();
    cpSync(join(import.meta.dirname, 'node.sh'), join(root, 'hack/node.sh'));
    const fake = (folder: string, name: string, major: string): void => {
      mkdirSync(join(root, folder), { recursive: true });
      const script = `#!/bin/sh\n[ "$1" = -p ] && echo ${major} && exit\n[ "$1" = --version ] && echo v${major} && exit\necho ${name} "$@"\n`;
      writeFileSync(join(root, folder, 'node'), script, { mode: 0o755 });
    };
    if (nodes.own !== undefined) fake('node_modules/.bin', 'own', nodes.own);
    if (nodes.onPath !== undefined) fake('bin', 'path', nodes.onPath);
    const path = `${join(root, 'bin')}:/usr/bin:/bin`;
    const run = spawnSync('/bin/sh', [join(root, 'hack/node.sh'), 'a.ts', '--b'], {
      env: { PATH: path },
      encoding: 'utf8',
    });
    return { status: run.status, stdout: run.stdout.trim(), stderr: run.stderr };
  }

  test('takes the project’s own Node.js before the one on PATH', () => {
    assert.equal(launch({ own: '24', onPath: '26' }).stdout, 'own a.ts --b');
  });

  test('takes the one on PATH where the project has none that runs here', () => {
    assert.equal(launch({ onPath: '24' }).stdout, 'path a.ts --b');
    assert.equal(launch({ own: '', onPath: '25' }).stdout, 'path a.ts --b');
  });

  test('says what is needed and what there is, when both are too old', () => {
    const run = launch({ own: '22', onPath: '20' });
    assert.equal(run.status, 1);
    assert.match(run.stderr, /Node\.js 24 or newer is needed; on PATH: v20/);
  });
});

describe('hack/ensure-deps.mjs', () => {
  type Packages = Record<string, { version: string; integrity?: string; optional?: boolean }>;

  function compare(wanted: Packages | string, installed?: Packages): number | null {
    const root = newFolder();
    const write = (path: string, packages: Packages | string): void =>
      writeFileSync(join(root, path), typeof packages === 'string' ? packages : JSON.stringify({ packages }));
    write('package-lock.json', wanted);
    mkdirSync(join(root, 'node_modules'));
    if (installed !== undefined) write('node_modules/.package-lock.json', installed);
    const script = join(import.meta.dirname, 'ensure-deps.mjs');
    return spawnSync(process.execPath, [script], { cwd: root }).status;
  }
  const a = { version: '1.0.0', integrity: 'sha512-a' };

  test('is content when every locked package is installed', () => {
    assert.equal(compare({ '': { version: '1' }, 'node_modules/a': a }, { 'node_modules/a': a }), 0);
  });

  test('does not miss optional packages, which npm leaves out on other platforms', () => {
    assert.equal(
      compare({ 'node_modules/a': a, 'node_modules/b': { ...a, optional: true } }, { 'node_modules/a': a }),
      0,
    );
  });

  test('asks for an install when nothing, something else, or half of it is installed', () => {
    assert.equal(compare({ 'node_modules/a': a }), 1);
    assert.equal(compare({ 'node_modules/a': a }, {}), 1);
    assert.equal(compare({ 'node_modules/a': a }, { 'node_modules/a': { ...a, version: '1.0.1' } }), 1);
    assert.equal(compare({ 'node_modules/a': a }, { 'node_modules/a': { ...a, integrity: 'sha512-b' } }), 1);
  });

  test('takes any installed bytes for an entry that has no hash', () => {
    assert.equal(compare({ 'node_modules/a': { version: '1.0.0' } }, { 'node_modules/a': a }), 0);
  });

  test('fails on a lockfile that cannot be read, since npm could not either', () => {
    assert.equal(compare('{'), 2);
  });
});
