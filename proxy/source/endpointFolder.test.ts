import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { limit } from '../contract/limits.ts';
import { temporaryFolder } from '../store/testkit.ts';
import { EndpointFolder } from './endpointFolder.ts';
import { EndpointBook } from './endpointSlices.ts';
import { aWhile, Recorder, until } from './testkit.ts';

const slice = (service: string, ...addresses: string[]) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: service, namespace: 'shop', labels: { 'kubernetes.io/service-name': service } },
  addressType: 'IPv4',
  endpoints: addresses.map((address) => ({ addresses: [address] })),
  ports: [{ port: 80 }],
});

async function follow(t: TestContext, write: (folder: string) => Promise<unknown>) {
  const folder = await temporaryFolder(t);
  await write(folder);
  const book = new EndpointBook();
  const recorder = new Recorder();
  let changes = 0;
  const endpoints = new EndpointFolder([folder], book, () => (changes += 1), recorder.log, 5);
  t.after(() => endpoints.stop());
  await endpoints.start();
  const hosts = (service: string) => book.resolve('shop', service, '80')?.map(({ host }) => host) ?? [];
  return { folder, hosts, warnings: recorder.logged, changes: () => changes };
}

const writeJson = async (path: string, value: unknown) => writeFile(path, JSON.stringify(value));

describe('a folder of EndpointSlices', () => {
  test('is read with the folders in it, and followed', async (t) => {
    const { folder, hosts } = await follow(t, async (root) => {
      await mkdir(join(root, 'a', 'b'), { recursive: true });
      await writeJson(join(root, 'a', 'b', 'web.yaml'), slice('web', '10.0.0.1'));
    });
    assert.deepEqual(hosts('web'), ['10.0.0.1']);
    await writeJson(join(folder, 'a', 'db.json'), slice('db', '10.0.0.2'));
    await until('found', () => hosts('db').length === 1);
    await rm(join(folder, 'a', 'b'), { recursive: true });
    await until('gone', () => hosts('web').length === 0);
  });

  test('may hold lists, as kubectl prints them', async (t) => {
    const { hosts } = await follow(t, async (root) =>
      writeJson(join(root, 'all.json'), {
        apiVersion: 'v1',
        kind: 'List',
        items: [slice('web', '10.0.0.1'), slice('db', '10.0.0.2'), { kind: 'Secret' }, null],
      }),
    );
    assert.deepEqual([hosts('web'), hosts('db')], [['10.0.0.1'], ['10.0.0.2']]);
  });

  test('is read where a link leads in a circle, and no deeper than the limit', async (t) => {
    const deep = Array.from({ length: limit('folderDepth') + 1 }, () => 'd');
    const { hosts, warnings } = await follow(t, async (root) => {
      await symlink(root, join(root, 'circle'));
      await mkdir(join(root, ...deep), { recursive: true });
      await writeJson(join(root, ...deep, 'web.json'), slice('web', '10.0.0.1'));
      await writeJson(join(root, ...deep.slice(1), 'db.json'), slice('db', '10.0.0.2'));
    });
    assert.deepEqual([hosts('web'), hosts('db')], [[], ['10.0.0.2']]);
    assert.equal(warnings.length, 1);
  });

  test('has nothing to read in what is no file', async (t) => {
    const { hosts } = await follow(t, async (root) => {
      execFileSync('mkfifo', [join(root, 'pipe.yaml')]);
      await symlink('/dev/zero', join(root, 'zero.yaml'));
      await writeJson(join(root, 'web.json'), slice('web', '10.0.0.1'));
    });
    assert.deepEqual(hosts('web'), ['10.0.0.1']);
  });

  test('is said to be wrong once, keeps what it had, and is said again when it is wrong in another way', async (t) => {
    const { folder, hosts, warnings, changes } = await follow(t, async (root) =>
      writeJson(join(root, 'web.yaml'), slice('web', '10.0.0.1')),
    );
    const path = join(folder, 'web.yaml');
    await writeFile(path, 'kind: {');
    await until('said', () => warnings.length > 0);
    await aWhile();
    assert.equal(warnings.length, 1);
    await writeFile(path, 'kind: a\nkind: b\n');
    await until('said', () => warnings.length > 1);
    await aWhile();
    assert.deepEqual([warnings.length, hosts('web'), changes()], [2, ['10.0.0.1'], 1]);
    await writeJson(path, slice('web', '10.0.0.3'));
    await until('right again', () => hosts('web').includes('10.0.0.3'));
    await writeFile(path, 'kind: {');
    await until('said again', () => warnings.length > 2);
  });

  test('that is wrong from the start is said once too', async (t) => {
    const { warnings } = await follow(t, async (root) => writeFile(join(root, 'bad.yaml'), 'kind: {'));
    await aWhile();
    assert.equal(warnings.length, 1);
  });

  test('that goes away keeps its endpoints, and is said once', async (t) => {
    const { folder, hosts, warnings } = await follow(t, async (root) =>
      writeJson(join(root, 'web.json'), slice('web', '10.0.0.1')),
    );
    await rename(folder, `${folder}-away`);
    t.after(async () => rm(`${folder}-away`, { recursive: true, force: true }));
    await aWhile();
    assert.deepEqual([hosts('web'), warnings.length], [['10.0.0.1'], 1]);
    await rename(`${folder}-away`, folder);
    await rm(join(folder, 'web.json'));
    await until('gone', () => hosts('web').length === 0);
  });

  test('billion laughs: aliases that grow beyond all bounds are refused', async (t) => {
    const level = (n: number) => `${n}: &a${n} [${Array.from({ length: 10 }, () => `*a${n - 1}`).join(',')}]`;
    const text = ['0: &a0 [x]', ...Array.from({ length: 9 }, (_, i) => level(i + 1))].join('\n');
    const { warnings } = await follow(t, async (root) => writeFile(join(root, 'bomb.yaml'), text));
    assert.equal(warnings.length, 1);
  });
});
