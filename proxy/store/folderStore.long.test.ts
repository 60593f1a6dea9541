import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { bundleOf, FLEET, manyEntries, reasonOf, unwrap } from '../bundle/testkit.ts';
import { digestOf, type Digest } from '../contract/canonical.ts';
import type { HeadFile } from '../contract/head.ts';
import { limit } from '../contract/limits.ts';
import { NODE_FILE_SYSTEM } from './files.ts';
import { FolderStore } from './folderStore.ts';
import { countedDisk, faultyFileSystem, smallDisk, temporaryFolder } from './testkit.ts';

const bytes = Buffer.from('{"format":1}');
const object = { digest: digestOf(bytes), bytes };
const headFile = (name: string | number): HeadFile => ({ jws: `head.${name}.x` });

async function newStore(t: TestContext) {
  const root = await temporaryFolder(t);
  const objects = join(root, FLEET, 'objects');
  return { root, objects, heads: join(root, FLEET, 'heads'), store: new FolderStore(root) };
}
const hidden = async (folder: string) => (await readdir(folder)).filter((name) => name.startsWith('.'));

describe('objects in a folder', () => {
  test('are read back, listed and deleted', async (t) => {
    const { store } = await newStore(t);
    assert.equal(reasonOf(await store.getObject(FLEET, object.digest)), 'NotFound');
    assert.deepEqual(unwrap(await store.listObjects(FLEET)), []);
    unwrap(await store.putObject(FLEET, object));
    assert.deepEqual(unwrap(await store.getObject(FLEET, object.digest)), bytes);
    const [listed] = unwrap(await store.listObjects(FLEET));
    assert.equal(listed?.digest, object.digest);
    assert.ok(listed !== undefined);
    unwrap(await store.deleteObject(FLEET, listed));
    assert.equal(reasonOf(await store.getObject(FLEET, object.digest)), 'NotFound');
    unwrap(await store.deleteObject(FLEET, listed));
  });

  test('are compressed, and leave no temporary files', async (t) => {
    const { store, objects } = await newStore(t);
    const large = bundleOf(manyEntries(100)).shards[0];
    assert.ok(large !== undefined);
    unwrap(await store.putObject(FLEET, large));
    assert.deepEqual(await hidden(objects), []);
    assert.ok((await stat(join(objects, `${large.digest.slice(7)}.gz`))).size < large.bytes.length / 4);
  });

  test('are not deleted when they were written again after they were listed', async (t) => {
    const { store, objects } = await newStore(t);
    unwrap(await store.putObject(FLEET, object));
    await utimes(join(objects, `${object.digest.slice(7)}.gz`), 1, 1);
    const [listed] = unwrap(await store.listObjects(FLEET));
    assert.ok(listed !== undefined);
    unwrap(await store.putObject(FLEET, object));
    assert.equal(reasonOf(await store.deleteObject(FLEET, listed)), 'Conflict');
    assert.deepEqual(unwrap(await store.getObject(FLEET, object.digest)), bytes);
    assert.deepEqual(await hidden(objects), []);
  });

  test('that are damaged are written anew', async (t) => {
    const { store, objects } = await newStore(t);
    unwrap(await store.putObject(FLEET, object));
    const path = join(objects, `${object.digest.slice(7)}.gz`);
    for (const damage of [Buffer.from('x'), gzipSync('something else'), Buffer.alloc(0)]) {
      await writeFile(path, damage);
      unwrap(await store.putObject(FLEET, object));
      assert.deepEqual(unwrap(await store.getObject(FLEET, object.digest)), bytes);
    }
  });

  test('that are too large, no gzip, a bomb or no file are errors', async (t) => {
    const { store, objects } = await newStore(t);
    unwrap(await store.putObject(FLEET, object));
    const path = join(objects, `${object.digest.slice(7)}.gz`);
    await writeFile(path, Buffer.alloc(2 * limit('shardObjectBytes')));
    assert.equal(reasonOf(await store.getObject(FLEET, object.digest)), 'TooLarge');
    await writeFile(path, gzipSync(Buffer.alloc(64 * 1024 * 1024)));
    assert.equal(reasonOf(await store.getObject(FLEET, object.digest)), 'TooLarge');
    await writeFile(path, 'plain');
    assert.equal(reasonOf(await store.getObject(FLEET, object.digest)), 'Corrupt');
    const other: Digest = `sha256:${'0'.repeat(64)}`;
    await mkdir(join(objects, `${'0'.repeat(64)}.gz`));
    assert.equal(reasonOf(await store.getObject(FLEET, other)), 'Unavailable');
    const large = Buffer.alloc(limit('shardObjectBytes') + 1);
    assert.equal(reasonOf(await store.putObject(FLEET, { digest: digestOf(large), bytes: large })), 'TooLarge');
  });

  test('are listed without what else lies in the folder', async (t) => {
    const { store, objects } = await newStore(t);
    unwrap(await store.putObject(FLEET, object));
    await writeFile(join(objects, 'notes.txt'), '');
    await writeFile(join(objects, `${'g'.repeat(64)}.gz`), '');
    await symlink('/nowhere', join(objects, `${'1'.repeat(64)}.gz`));
    assert.deepEqual(
      unwrap(await store.listObjects(FLEET)).map((o) => o.digest),
      [object.digest],
    );
  });
});

describe('names from outside', () => {
  test('that are no fleet never become a path', async (t) => {
    const { store, root } = await newStore(t);
    const names = [
      '',
      'a',
      '../x',
      'a/..',
      '../../etc',
      'a/b/c',
      '/a/b',
      'a//b',
      'A/b',
      'a/b\n',
      'a\0/b',
      'a/.b',
      'a\\b/c',
    ];
    for (const name of [...names, `a/${'b'.repeat(300)}`]) {
      assert.equal(reasonOf(await store.putHead(name, headFile(1), null)), 'Invalid', JSON.stringify(name));
      assert.equal(reasonOf(await store.putObject(name, object)), 'Invalid');
      assert.equal(reasonOf(await store.getHead(name)), 'Invalid');
      assert.equal(reasonOf(await store.listObjects(name)), 'Invalid');
      assert.throws(() => store.headsFolder(name), TypeError);
    }
    assert.deepEqual(await readdir(root), []);
  });

  test('that are no digest never become a path', async (t) => {
    const { store } = await newStore(t);
    for (const name of ['sha256:../../x', `sha256:${'A'.repeat(64)}`, `sha256:${'a'.repeat(63)}/`, 'x']) {
      const digest = name as Digest;
      assert.equal(reasonOf(await store.getObject(FLEET, digest)), 'Invalid');
      assert.equal(reasonOf(await store.putObject(FLEET, { digest, bytes })), 'Invalid');
      assert.equal(reasonOf(await store.deleteObject(FLEET, { digest, modifiedAtMs: 0, version: '' })), 'Invalid');
    }
  });
});

describe('the head in a folder', () => {
  test('is replaced only by who read the one before', async (t) => {
    const { store } = await newStore(t);
    assert.equal(reasonOf(await store.getHead(FLEET)), 'NotFound');
    const first = unwrap(await store.putHead(FLEET, headFile(1), null));
    assert.equal(reasonOf(await store.putHead(FLEET, headFile(2), null)), 'Conflict');
    const second = unwrap(await store.putHead(FLEET, headFile(2), first.version));
    assert.equal(reasonOf(await store.putHead(FLEET, headFile(3), first.version)), 'Conflict');
    assert.deepEqual(unwrap(await store.getHead(FLEET)), second);
    assert.deepEqual(second.file, headFile(2));
  });

  test('has another version in a folder that was emptied and begun anew', async (t) => {
    const one = await newStore(t);
    const two = await newStore(t);
    const first = unwrap(await one.store.putHead(FLEET, headFile('a'), null));
    unwrap(await two.store.putHead(FLEET, headFile('b'), null));
    assert.equal(reasonOf(await two.store.putHead(FLEET, headFile('c'), first.version)), 'Conflict');
  });

  test('keeps few files, however often it is written', async (t) => {
    const { store, heads } = await newStore(t);
    let version: string | null = null;
    for (let i = 0; i < 20; i++) version = unwrap(await store.putHead(FLEET, headFile(i), version)).version;
    assert.equal((await readdir(heads)).length, 9);
  });

  test('that is damaged or too large is an error with a version by which it can be replaced', async (t) => {
    const { store, heads } = await newStore(t);
    unwrap(await store.putHead(FLEET, headFile(1), null));
    for (const [damage, reason] of [
      ['{"jws', 'Corrupt'],
      [' '.repeat(limit('headBytes') + 1), 'TooLarge'],
    ] as const) {
      const [newest] = (await readdir(heads)).sort((a, b) => Number.parseInt(b) - Number.parseInt(a));
      await writeFile(join(heads, newest ?? ''), damage);
      const read = await store.getHead(FLEET);
      assert.ok(!read.ok);
      assert.equal(read.error.reason, reason);
      unwrap(await store.putHead(FLEET, headFile(2), read.error.version ?? null));
      assert.deepEqual(unwrap(await store.getHead(FLEET)).file, headFile(2));
    }
  });

  test('over its size is not written', async (t) => {
    const { store } = await newStore(t);
    const file = { jws: 'x'.repeat(limit('headBytes')) };
    assert.equal(reasonOf(await store.putHead(FLEET, file, null)), 'TooLarge');
  });

  test('is won by exactly one of many writers at once', async (t) => {
    const { root } = await newStore(t);
    const writers = Array.from({ length: 10 }, () => new FolderStore(root));
    let version: string | null = null;
    for (let round = 0; round < 5; round++) {
      const writing = writers.map(async (writer, i) => writer.putHead(FLEET, headFile(`${round}-${i}`), version));
      const puts = await Promise.all(writing);
      const won = puts.filter((put) => put.ok);
      assert.equal(won.length, 1);
      for (const put of puts) if (!put.ok) assert.equal(put.error.reason, 'Conflict');
      version = unwrap(await new FolderStore(root).getHead(FLEET)).version;
      assert.equal(won[0]?.value.version, version);
    }
  });

  test('does not fall back to a writer that slept while others wrote many', async (t) => {
    const { root, store } = await newStore(t);
    const first = unwrap(await store.putHead(FLEET, headFile('first'), null));
    const asleep = Promise.withResolvers<void>();
    const awake = Promise.withResolvers<void>();
    const sleepy = new FolderStore(root, {
      ...NODE_FILE_SYSTEM,
      link: async (from, to) => {
        asleep.resolve();
        await awake.promise;
        return NODE_FILE_SYSTEM.link(from, to);
      },
    });
    const late = sleepy.putHead(FLEET, headFile('late'), first.version);
    await asleep.promise;
    let version = first.version;
    for (let i = 0; i < 20; i++) version = unwrap(await store.putHead(FLEET, headFile(i), version)).version;
    awake.resolve();
    assert.equal(reasonOf(await late), 'Conflict');
    assert.deepEqual(unwrap(await store.getHead(FLEET)).file, headFile(19));
  });

  test('counts right when several processes count in it', async (t) => {
    const { root, store } = await newStore(t);
    const script = `
      const { FolderStore } = await import(${JSON.stringify(new URL('folderStore.ts', import.meta.url).href)});
      const store = new FolderStore(${JSON.stringify(root)});
      for (let done = 0; done < 15; ) {
        const head = await store.getHead(${JSON.stringify(FLEET)});
        const count = head.ok ? Number(head.value.file.jws) : 0;
        const put = await store.putHead(${JSON.stringify(FLEET)}, { jws: String(count + 1) }, head.ok ? head.value.version : null);
        if (put.ok) done += 1;
        else if (put.error.reason !== 'Conflict') throw new Error(JSON.stringify(put.error));
      }`;
    const run = async () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    await Promise.all([run(), run(), run()]);
    assert.equal(unwrap(await store.getHead(FLEET)).file.jws, '45');
  });
});

describe('what killed processes left behind', () => {
  test('is cleared up: temporary files go, an object on its way out comes back', async (t) => {
    const { store, objects, heads, root } = await newStore(t);
    unwrap(await store.putObject(FLEET, object));
    const gone = digestOf(Buffer.from('gone'));
    const aside = `.${gone.slice(7)}.gz.${'0'.repeat(16)}.aside`;
    for (const folder of [objects, heads]) await writeFile(join(folder, `.x.${'0'.repeat(16)}.tmp`), 'half');
    await writeFile(join(objects, aside), gzipSync('gone'));
    unwrap(await new FolderStore(root).putObject(FLEET, object));
    assert.equal((await hidden(objects)).length, 2, 'young ones may belong to a process that lives');

    const later = Date.now() + 120_000;
    t.mock.timers.enable({ apis: ['Date'], now: later });
    const next = new FolderStore(root);
    unwrap(await next.putObject(FLEET, object));
    assert.deepEqual([...(await hidden(objects)), ...(await hidden(heads))], []);
    assert.deepEqual(unwrap(await next.getObject(FLEET, gone)), Buffer.from('gone'));
  });
});

describe('a process killed at any file operation', () => {
  test('leaves the old head or the new one, and no object that is torn', async (t) => {
    let operations = 0;
    for (let killAt = 0; ; killAt++) {
      const { root, store } = await newStore(t);
      const old = unwrap(await store.putHead(FLEET, headFile('old'), null));
      operations = 0;
      // From then on nothing works any more, not even clearing up.
      const fs = faultyFileSystem(() => (operations++ >= killAt ? 'EIO' : undefined));
      const dying = new FolderStore(root, fs);
      const putObject = await dying.putObject(FLEET, object);
      const putHead = await dying.putHead(FLEET, headFile('new'), old.version);
      const after = new FolderStore(root);
      const head = unwrap(await after.getHead(FLEET)).file;
      if (putHead.ok) assert.deepEqual(head, headFile('new'));
      else assert.ok(['head.old.x', 'head.new.x'].includes(head.jws));
      const kept = await after.getObject(FLEET, object.digest);
      if (putObject.ok) assert.ok(kept.ok);
      if (kept.ok) assert.deepEqual(kept.value, bytes);
      else assert.equal(kept.error.reason, 'NotFound');
      unwrap(await after.putObject(FLEET, object));
      unwrap(await after.putHead(FLEET, headFile('next'), unwrap(await after.getHead(FLEET)).version));
      if (putObject.ok && putHead.ok) break;
    }
    assert.ok(operations > 10, 'every operation had its turn');
  });
});

describe('a disk that is full or read-only', () => {
  for (const [name, makeDisk] of [
    ['a small disk (mounted, where that is allowed)', smallDisk],
    ['a disk whose size is counted', countedDisk],
  ] as const) {
    test(`${name}, when full: writes say Full, leave nothing half-written, and what was there stays`, async (t) => {
      const disk = await makeDisk(t, 256 * 1024);
      const store = new FolderStore(disk.folder, disk.fs);
      const head = unwrap(await store.putHead(FLEET, headFile('old'), null));
      unwrap(await store.putObject(FLEET, object));
      const large = (seed: number) => {
        // Incompressible, so that it takes its room.
        const content = Buffer.from(
          Array.from({ length: 1_000 }, (_, i) => digestOf(Buffer.from(`${seed} ${i}`))).join(),
        );
        return { digest: digestOf(content), bytes: content };
      };
      let written = 0;
      let reason = '';
      for (let i = 0; i < 200 && reason === ''; i++) {
        const put = await store.putObject(FLEET, large(i));
        if (put.ok) written += 1;
        else reason = put.error.reason;
      }
      assert.equal(reason, 'Full', `after ${written} objects`);
      assert.ok(written > 0);
      const put = await store.putHead(FLEET, { jws: 'x'.repeat(200_000) }, head.version);
      assert.equal(reasonOf(put), 'Full');
      assert.deepEqual(unwrap(await store.getHead(FLEET)), head);
      assert.equal(unwrap(await store.listObjects(FLEET)).length, written + 1);
      assert.deepEqual(unwrap(await store.getObject(FLEET, object.digest)), bytes);
      for (const folder of ['objects', 'heads']) assert.deepEqual(await hidden(join(disk.folder, FLEET, folder)), []);
    });

    test(`${name}, when read-only: writes say ReadOnly, and reading goes on`, async (t) => {
      const disk = await makeDisk(t, 1024 * 1024);
      const store = new FolderStore(disk.folder, disk.fs);
      const head = unwrap(await store.putHead(FLEET, headFile('old'), null));
      unwrap(await store.putObject(FLEET, object));
      const [listed] = unwrap(await store.listObjects(FLEET));
      assert.ok(listed !== undefined);
      disk.makeReadOnly();
      const other = { digest: digestOf(Buffer.from('2')), bytes: Buffer.from('2') };
      for (const one of [store, new FolderStore(disk.folder, disk.fs)]) {
        assert.equal(reasonOf(await one.putObject(FLEET, other)), 'ReadOnly');
        assert.equal(reasonOf(await one.putHead(FLEET, headFile('new'), head.version)), 'ReadOnly');
        assert.equal(reasonOf(await one.deleteObject(FLEET, listed)), 'ReadOnly');
        assert.deepEqual(unwrap(await one.getHead(FLEET)), head);
        assert.deepEqual(unwrap(await one.getObject(FLEET, object.digest)), bytes);
      }
    });
  }

  test('a folder without the right to write says ReadOnly', async (t) => {
    const { root } = await newStore(t);
    const fs = faultyFileSystem((operation) => (operation === 'open' || operation === 'mkdir' ? 'EACCES' : undefined));
    assert.equal(reasonOf(await new FolderStore(root, fs).putHead(FLEET, headFile(1), null)), 'ReadOnly');
  });

  test('a quota is a full disk, and an error of the device is Unavailable', async (t) => {
    const { root } = await newStore(t);
    for (const [code, reason] of [
      ['EDQUOT', 'Full'],
      ['EIO', 'Unavailable'],
    ] as const) {
      const fs = faultyFileSystem((operation) => (operation === 'write' ? code : undefined));
      assert.equal(reasonOf(await new FolderStore(root, fs).putObject(FLEET, object)), reason);
    }
  });

  test('a mistake in the program is no store error', async (t) => {
    const { root } = await newStore(t);
    const fs = faultyFileSystem(() => {
      throw new TypeError('a mistake');
    });
    await assert.rejects(new FolderStore(root, fs).getHead(FLEET), TypeError);
  });
});

test('the head that is read is the file that lies there', async (t) => {
  const { store, heads } = await newStore(t);
  unwrap(await store.putHead(FLEET, headFile(1), null));
  assert.equal(await readFile(join(heads, '1.json'), 'utf8'), '{"jws":"head.1.x"}');
});
