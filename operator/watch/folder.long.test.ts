import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { limit } from '../../proxy/contract/limits.ts';
import { FolderReader, type FolderReading } from './folder.ts';

const roots: string[] = [];
let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'manifests-'));
  roots.push(root);
});
after(() => {
  for (const folder of roots) rmSync(folder, { recursive: true, force: true });
});

function put(path: string, text: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
}

function policy(name: string, timeout = '1s'): string {
  return `apiVersion: modernproxy.io/v1alpha1\nkind: TrafficPolicy\nmetadata: {name: ${name}, namespace: shop}\nspec: {timeout: ${timeout}}\n`;
}

/** Policies by name, with their timeouts. */
function policies({ objects }: FolderReading): Record<string, string> {
  const entries = [...objects.TrafficPolicy.values()].map(({ object }) => [
    object.metadata.name,
    (object.spec as { timeout: string }).timeout,
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

function findings({ findings: found }: FolderReading): string[] {
  return found.map(({ reason, source, message }) => `${reason} ${(source ?? '').replace(root, '')} ${message}`);
}

describe('a folder', () => {
  test('is read with everything below it, whatever the ending', async () => {
    put('a.yaml', policy('a'));
    put('sub/b.yml', policy('b'));
    put(
      'sub/deep/c.json',
      JSON.stringify({
        apiVersion: 'modernproxy.io/v1alpha1',
        kind: 'TrafficPolicy',
        metadata: { name: 'c', namespace: 'shop' },
        spec: { timeout: '3s' },
      }),
    );
    put('notes.txt', 'not: [yaml');
    put('.hidden.yaml', policy('hidden'));
    put('.git/config.yaml', policy('git'));
    const reading = await new FolderReader(root).read();
    assert.deepEqual(policies(reading), { a: '1s', b: '1s', c: '3s' });
    assert.deepEqual(reading.findings, []);
    assert.equal(reading.objects.complete, true);
  });

  test('names file and line of each object', async () => {
    put('a.yaml', `# note\n---\n${policy('a')}---\n${policy('b')}`);
    const { objects } = await new FolderReader(root).read();
    assert.deepEqual(
      [...objects.TrafficPolicy.values()].map(({ source }) => source),
      [join(root, 'a.yaml:3'), join(root, 'a.yaml:8')],
    );
  });

  test('may be a single file', async () => {
    put('a.yaml', policy('a'));
    assert.deepEqual(policies(await new FolderReader(join(root, 'a.yaml')).read()), { a: '1s' });
  });

  test('that did not change is the same reading', async () => {
    put('a.yaml', policy('a'));
    const reader = new FolderReader(root);
    assert.equal(await reader.read(), await reader.read());
  });

  test('keeps the identity of objects whose text did not change', async () => {
    put('a.yaml', `${policy('a')}---\n${policy('b')}`);
    const reader = new FolderReader(root);
    const before = (await reader.read()).objects.TrafficPolicy;
    put('a.yaml', `# a line more\n---\n${policy('a', '9s')}---\n${policy('b')}`);
    const now = (await reader.read()).objects.TrafficPolicy;
    assert.notEqual(now.get('shop/a')?.object, before.get('shop/a')?.object);
    assert.equal(now.get('shop/b')?.object, before.get('shop/b')?.object);
    assert.equal(now.get('shop/b')?.source, join(root, 'a.yaml:8'));
  });

  test('sees a change that keeps size and modification time', async () => {
    put('a.yaml', policy('a', '1s'));
    utimesSync(join(root, 'a.yaml'), 1, 1);
    const reader = new FolderReader(root);
    await reader.read();
    put('a.yaml', policy('a', '2s'));
    utimesSync(join(root, 'a.yaml'), 1, 1);
    assert.deepEqual(policies(await reader.read()), { a: '2s' });
  });

  test('loses the objects of files and documents that are gone', async () => {
    put('a.yaml', policy('a'));
    put('b.yaml', `${policy('b')}---\n${policy('c')}`);
    const reader = new FolderReader(root);
    await reader.read();
    rmSync(join(root, 'a.yaml'));
    put('b.yaml', policy('c'));
    assert.deepEqual(policies(await reader.read()), { c: '1s' });
  });

  test('tells which of two definitions counts: the first by path', async () => {
    put('a.yaml', policy('x', '1s'));
    put('b.yaml', policy('x', '2s'));
    const reading = await new FolderReader(root).read();
    assert.deepEqual(policies(reading), { x: '1s' });
    assert.deepEqual(findings(reading), [
      `Duplicate /b.yaml:1 is already defined in ${root}/a.yaml:1, which counts; this one is ignored`,
    ]);
  });
});

describe('a broken file', () => {
  test('keeps the objects last read from it, and lets others change', async () => {
    put('a.yaml', policy('a'));
    put('b.yaml', policy('b'));
    const reader = new FolderReader(root);
    await reader.read();
    put('a.yaml', 'apiVersion: [modernproxy.io');
    put('b.yaml', policy('b', '2s'));
    const reading = await reader.read();
    assert.deepEqual(policies(reading), { a: '1s', b: '2s' });
    assert.equal(reading.objects.complete, true);
    assert.match(findings(reading)[0] ?? '', /^Malformed \/a.yaml:1 /);
  });

  test('stays as it was through several broken edits, and is read again when it is whole', async () => {
    put('a.yaml', `${policy('a')}---\n${policy('b')}`);
    const reader = new FolderReader(root);
    await reader.read();
    put('a.yaml', `${policy('a', '2s')}---\n${policy('b')}  bad`);
    assert.deepEqual(policies(await reader.read()), { a: '2s', b: '1s' });
    put('a.yaml', `kind: ProxyRout\napiVersion: modernproxy.io/v1alpha1\n`);
    assert.deepEqual(policies(await reader.read()), { a: '2s', b: '1s' });
    put('a.yaml', policy('b', '3s'));
    const reading = await reader.read();
    assert.deepEqual(policies(reading), { b: '3s' });
    assert.deepEqual(reading.findings, []);
  });

  test('that was never whole leaves open what is deleted', async () => {
    put('a.yaml', 'a: [');
    put('b.yaml', policy('b'));
    const reader = new FolderReader(root);
    assert.equal((await reader.read()).objects.complete, false);
    put('a.yaml', policy('a'));
    assert.equal((await reader.read()).objects.complete, true);
  });

  test('of something else altogether is a finding and no more', async () => {
    put('values.yaml', 'replicas: 3\n');
    const reading = await new FolderReader(root).read();
    assert.equal(reading.objects.complete, true);
    assert.match(findings(reading)[0] ?? '', /^Malformed \/values.yaml:1 must be an object with apiVersion and kind/);
  });

  test('is one that is no UTF-8', async () => {
    put('a.yaml', '');
    writeFileSync(join(root, 'a.yaml'), Buffer.from([0x61, 0x3a, 0x20, 0xff]));
    assert.match(findings(await new FolderReader(root).read())[0] ?? '', /^Malformed \/a.yaml:1 cannot be read/);
  });

  test('is one over the size limit, which is not even opened', async () => {
    put('a.yaml', policy('a'));
    const reader = new FolderReader(root);
    await reader.read();
    truncateSync(join(root, 'a.yaml'), limit('inputFileBytes') + 1);
    const reading = await reader.read();
    assert.deepEqual(policies(reading), { a: '1s' });
    assert.match(findings(reading)[0] ?? '', /^TooLarge \/a.yaml has 16777217 bytes/);
    assert.equal(await reader.read(), reading);
  });
});

describe('a folder that cannot be read', () => {
  test('at first has nothing, and nothing counts as deleted', async () => {
    const reader = new FolderReader(join(root, 'later'));
    const reading = await reader.read();
    assert.equal(reading.objects.complete, false);
    assert.match(findings(reading)[0] ?? '', /^Malformed \/later cannot be read/);
    put('later/a.yaml', policy('a'));
    const next = await reader.read();
    assert.deepEqual(policies(next), { a: '1s' });
    assert.equal(next.objects.complete, true);
  });

  test('later on keeps everything that was in it', async () => {
    put('in/a.yaml', policy('a'));
    const reader = new FolderReader(join(root, 'in'));
    await reader.read();
    renameSync(join(root, 'in'), join(root, 'away'));
    const reading = await reader.read();
    assert.deepEqual(policies(reading), { a: '1s' });
    assert.equal(reading.objects.complete, true);
  });

  test('because it leads into itself is read once', async () => {
    put('a.yaml', policy('a'));
    mkdirSync(join(root, 'sub'));
    symlinkSync('..', join(root, 'sub', 'up'));
    symlinkSync('sub', join(root, 'again'));
    symlinkSync('nowhere', join(root, 'dangling.yaml'));
    const reading = await new FolderReader(root).read();
    assert.deepEqual(policies(reading), { a: '1s' });
    assert.deepEqual(reading.findings, []);
  });

  test('because it has too many files keeps everything that was in it', async () => {
    put('a.yaml', policy('a'));
    const reader = new FolderReader(root);
    await reader.read();
    for (let i = 0; i < limit('inputFolderFiles'); i += 1) writeFileSync(join(root, `n${i}.yaml`), '');
    const reading = await reader.read();
    assert.deepEqual(policies(reading), { a: '1s' });
    assert.match(findings(reading)[0] ?? '', /^TooLarge .* has more than 10000 manifests; nothing of it is read/);
  });

  test('because it is too deep is told', async () => {
    put(`${'d/'.repeat(limit('folderDepth') + 2)}a.yaml`, policy('a'));
    assert.match(findings(await new FolderReader(root).read())[0] ?? '', /^TooLarge .* folders deep; not read/);
  });
});
