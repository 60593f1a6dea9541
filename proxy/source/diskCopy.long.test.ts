import assert from 'node:assert/strict';
import { cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { generateSigningKey, keySetOf } from '../bundle/keys.ts';
import {
  bundleOf,
  candidateOf,
  CLUSTER,
  FLEET,
  flipBit,
  manyEntries,
  poolEntry,
  seededRandom,
  SUPPORTS,
} from '../bundle/testkit.ts';
import { shortDigest } from '../contract/canonical.ts';
import { limit } from '../contract/limits.ts';
import { fail } from '../contract/result.ts';
import { faultyFileSystem, smallDisk, temporaryFolder } from '../store/testkit.ts';
import type { StoreReader } from '../store/types.ts';
import { DiskCopy } from './diskCopy.ts';
import { aWhile, KEYS, newFleet, Recorder, until } from './testkit.ts';

const bundles = Array.from({ length: 6 }, (_, i) => bundleOf([...manyEntries(5), poolEntry(`only-${i}`)]));
const [first, second, third] = bundles as [(typeof bundles)[0], (typeof bundles)[0], (typeof bundles)[0]];
const [one, two, three] = [first, second, third].map((bundle) => shortDigest(bundle.digest)) as [
  string,
  string,
  string,
];

/** The long form takes more. */
const FLIPS_PER_FILE = process.env['TORTURE'] === '1' ? 400 : 8;

const gone = async () => fail({ reason: 'Unavailable' as const, message: 'away' });
const AWAY: StoreReader = { getHead: gone, getObject: gone };

async function newProxy(t: TestContext) {
  const fleet = await newFleet(t);
  const folder = await temporaryFolder(t);
  for (const bundle of bundles) await fleet.putBundle(bundle);
  /** A process of the proxy: each begins with the same disk. */
  const start = async (changes: Parameters<typeof fleet.follow>[0] = {}) => {
    const recorder = new Recorder();
    return fleet.follow({ disk: new DiskCopy(folder, FLEET, recorder.log), ...changes }, recorder);
  };
  return { ...fleet, folder, start };
}

describe('a proxy with a disk copy', () => {
  test('starts from it while the store is away, and follows the store when it is back', async (t) => {
    const proxy = await newProxy(t);
    await proxy.putHead(first);
    const before = await proxy.start();
    await before.recorder.said(`stable ${one}`);
    await before.source.stop();

    let away = true;
    const store: StoreReader = {
      getHead: async (name) => (away ? gone() : proxy.store.getHead(name)),
      getObject: async (name, digest) => (away ? gone() : proxy.store.getObject(name, digest)),
    };
    const after = await proxy.start({ store });
    await after.recorder.said(`stable ${one}`);
    assert.ok(after.recorder.logged.includes('starting from the disk copy'));
    await proxy.putHead(second);
    away = false;
    await after.recorder.said(`stable ${two}`);
  });

  test('starts from it when the store never answers', async (t) => {
    const proxy = await newProxy(t);
    await proxy.putHead(first);
    const before = await proxy.start();
    await before.recorder.said(`stable ${one}`);
    await before.source.stop();
    const never = async () => new Promise<never>(() => undefined);
    const after = await proxy.start({ store: { getHead: never, getObject: never } });
    await after.recorder.said(`stable ${one}`);
  });

  test('starts from it when the store’s head is refused, or its bundle is missing', async (t) => {
    const proxy = await newProxy(t);
    await proxy.putHead(first);
    const before = await proxy.start();
    await before.recorder.said(`stable ${one}`);
    await before.source.stop();
    await proxy.putHead(second, {}, [], generateSigningKey());
    const refused = await proxy.start();
    await refused.recorder.said(`stable ${one}`);
    assert.deepEqual(refused.recorder.lines, ['refused UnknownKey', `stable ${one}`]);
    await refused.source.stop();
    await proxy.putHead(second);
    const missing = await proxy.start({
      store: { getHead: async (name) => proxy.store.getHead(name), getObject: gone },
    });
    await missing.recorder.said(`stable ${one}`);
    assert.deepEqual(missing.recorder.lines, ['refused Missing', `stable ${one}`]);
  });

  test('refuses an older head after a restart too', async (t) => {
    const proxy = await newProxy(t);
    await proxy.putHead(second, { generation: 2_000 });
    const before = await proxy.start();
    await before.recorder.said(`stable ${two}`);
    await before.source.stop();
    await proxy.putHead(first, { generation: 1_500 });
    const after = await proxy.start();
    await after.recorder.said(`stable ${two}`);
    assert.deepEqual(after.recorder.lines, ['refused OlderGeneration', `stable ${two}`]);
  });

  test('starts on stable from disk, though it ran the candidate', async (t) => {
    const proxy = await newProxy(t);
    await proxy.putHead(first);
    const before = await proxy.start();
    await before.recorder.said(`stable ${one}`);
    await proxy.putHead(first, { candidate: candidateOf(second.digest) });
    await before.recorder.said(`candidate ${two}`);
    await before.source.stop();
    const after = await proxy.start({ store: AWAY });
    await after.recorder.said(`stable ${one}`);
  });

  test('does not take part again in a candidate that an earlier process saw, not even when the store comes late', async (t) => {
    const proxy = await newProxy(t);
    await proxy.putHead(first);
    const before = await proxy.start();
    await before.recorder.said(`stable ${one}`);
    // This process dies of the candidate: it never says that it runs.
    before.recorder.answer = null;
    const head = await proxy.putHead(first, { candidate: candidateOf(second.digest) });
    await before.recorder.said(`candidate ${two}`);
    void before.source.stop();

    let away = true;
    const store: StoreReader = {
      getHead: async (name) => (away ? gone() : proxy.store.getHead(name)),
      getObject: async (name, digest) => proxy.store.getObject(name, digest),
    };
    const after = await proxy.start({ store });
    await after.recorder.said(`stable ${one}`);
    away = false;
    await after.recorder.said(`head ${head.generation} stable`);
    await aWhile();
    assert.ok(!after.recorder.lines.includes(`candidate ${two}`));
  });

  test('keeps as good only a bundle that ran here', async (t) => {
    const proxy = await newProxy(t);
    await proxy.putHead(first);
    const before = await proxy.start();
    await before.recorder.said(`stable ${one}`);
    before.recorder.answer = 'refused';
    await proxy.putHead(second);
    await before.recorder.said(`stable ${two}`);
    await before.source.stop();
    const after = await proxy.start({ store: AWAY });
    await after.recorder.said(`stable ${one}`);
  });

  test('does not keep a stable bundle as good that it skipped for its candidate', async (t) => {
    const proxy = await newProxy(t);
    await proxy.putHead(first);
    const before = await proxy.start();
    await before.recorder.said(`stable ${one}`);
    await proxy.putHead(third, { candidate: candidateOf(second.digest) });
    await before.recorder.said(`candidate ${two}`);
    await before.source.stop();
    const after = await proxy.start({ store: AWAY });
    await after.recorder.said(`stable ${one}`);
  });

  test('keeps few bundles, however many it ran', async (t) => {
    const proxy = await newProxy(t);
    await proxy.putHead(first);
    const { source, recorder } = await proxy.start();
    for (const bundle of [...bundles, ...bundles]) {
      await proxy.putHead(bundle);
      await until('runs', () => recorder.candidates.at(-1)?.digest === bundle.digest);
    }
    await source.stop();
    const objects = await readdir(join(proxy.folder, 'good', FLEET, 'objects'));
    assert.ok(objects.length <= 2 * limit('diskBundles'), objects.join());
    const after = await proxy.start({ store: AWAY });
    await after.recorder.said(`stable ${shortDigest(bundles.at(-1)?.digest ?? '')}`);
  });

  test('gives nothing to who does not know its key any more', async (t) => {
    const proxy = await newProxy(t);
    await proxy.putHead(first);
    const before = await proxy.start();
    await before.recorder.said(`stable ${one}`);
    await before.source.stop();
    const after = await proxy.start({ store: AWAY, keys: () => keySetOf([generateSigningKey()]) });
    await aWhile();
    assert.deepEqual(after.recorder.lines, []);
  });
});

describe('a disk copy that is damaged', () => {
  /** A disk on which `first` ran, and then `second`. */
  async function usedDisk(t: TestContext) {
    const proxy = await newProxy(t);
    await proxy.putHead(first);
    const { source, recorder } = await proxy.start();
    await recorder.said(`stable ${one}`);
    await proxy.putHead(second);
    await recorder.said(`stable ${two}`);
    await source.stop();
    return proxy;
  }
  const load = async (folder: string) => {
    const recorder = new Recorder();
    const disk = new DiskCopy(folder, FLEET, recorder.log);
    return disk.load({ keys: KEYS, clusterUid: CLUSTER, fleet: FLEET }, SUPPORTS);
  };
  async function filesBelow(folder: string): Promise<string[]> {
    const found = await readdir(folder, { recursive: true, withFileTypes: true });
    return found.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  }

  test('by one bit in any of its files gives the bundle before, or the very same, or nothing; never another', async (t) => {
    const proxy = await usedDisk(t);
    assert.equal((await load(proxy.folder)).good?.bundle.digest, second.digest);
    const random = seededRandom(21);
    const outcomes = new Map<string, number>();
    const files = await filesBelow(proxy.folder);
    assert.ok(files.length >= 6, files.join());
    for (const file of files) {
      const original = await readFile(file);
      for (let i = 0; i < FLIPS_PER_FILE; i++) {
        await writeFile(file, flipBit(original, random));
        const { good, seen } = await load(proxy.folder);
        const digest = good?.bundle.digest ?? 'nothing';
        outcomes.set(digest, (outcomes.get(digest) ?? 0) + 1);
        assert.ok(seen === null || [first.digest, second.digest].includes(seen.head.stable.digest));
        assert.deepEqual(good?.bundle.entries.length ?? 11, 11);
      }
      await writeFile(file, original);
    }
    assert.deepEqual(
      [...outcomes.keys()].filter((digest) => ![first.digest, second.digest, 'nothing'].includes(digest)),
      [],
    );
    assert.ok((outcomes.get(first.digest) ?? 0) > 0, 'the bundle before was used');
    assert.ok((outcomes.get(second.digest) ?? 0) > 0);
  });

  test('by losing the newest head, or its bundle, gives the bundle before', async (t) => {
    const proxy = await usedDisk(t);
    const other = await temporaryFolder(t);
    await cp(proxy.folder, other, { recursive: true });
    await rm(join(other, 'good', FLEET, 'heads'), { recursive: true });
    assert.equal((await load(other)).good?.bundle.digest, first.digest);
    await rm(join(proxy.folder, 'good', FLEET, 'objects', `${second.digest.slice(7)}.gz`));
    const content = await load(proxy.folder);
    assert.equal(content.good?.bundle.digest, first.digest);
    assert.equal(content.seen?.head.stable.digest, second.digest, 'and still knows what was seen');
  });

  test('altogether gives nothing, and is written anew', async (t) => {
    const proxy = await usedDisk(t);
    for (const file of await filesBelow(proxy.folder)) await writeFile(file, 'x');
    const away = await proxy.start({ store: AWAY });
    await aWhile();
    assert.deepEqual(away.recorder.lines, []);
    await away.source.stop();
    const back = await proxy.start();
    await back.recorder.said(`stable ${two}`);
    await back.source.stop();
    assert.equal((await load(proxy.folder)).good?.bundle.digest, second.digest);
  });
});

describe('a disk that cannot be written', () => {
  test('when full costs the copy, not what is served, and is said once', async (t) => {
    const proxy = await newProxy(t);
    const disk = await smallDisk(t, 256 * 1024);
    const filler = join(disk.folder, 'filler');
    const recorder = new Recorder();
    await proxy.putHead(first);
    const { source } = await proxy.follow({ disk: new DiskCopy(disk.folder, FLEET, recorder.log, disk.fs) }, recorder);
    await recorder.said(`stable ${one}`);
    await until(
      'kept',
      async () => (await stat(join(disk.folder, 'good', FLEET, 'heads', '1.json')).catch(() => null)) !== null,
    );
    let full = false;
    for (let i = 0; !full && i < 100; i++) {
      const handle = await disk.fs.open(`${filler}${i}`, 'w');
      full = await handle.writeFile(Buffer.alloc(4096, 1)).then(
        () => false,
        () => true,
      );
      await handle.close();
    }
    await proxy.putHead(second);
    await recorder.said(`stable ${two}`);
    await proxy.putHead(third);
    await recorder.said(`stable ${three}`);
    await source.stop();
    assert.equal(recorder.logged.filter((line) => line.startsWith('disk copy cannot be written')).length, 1);
    assert.deepEqual(recorder.refusals, []);
  });

  test('for a while is said when it begins and when it ends, and the copy is whole again', async (t) => {
    const proxy = await newProxy(t);
    let broken = true;
    const fs = faultyFileSystem((operation) => (broken && operation === 'write' ? 'EROFS' : undefined));
    const recorder = new Recorder();
    await proxy.putHead(first);
    const { source } = await proxy.follow({ disk: new DiskCopy(proxy.folder, FLEET, recorder.log, fs) }, recorder);
    await recorder.said(`stable ${one}`);
    await until('said', () => recorder.logged.some((line) => line.startsWith('disk copy cannot be written')));
    broken = false;
    // The same bundle under a newer head: what was not kept before is fetched again.
    const head = await proxy.putHead(first);
    await recorder.said(`head ${head.generation} stable`);
    await source.stop();
    assert.ok(recorder.logged.includes('disk copy is written again'));
    const after = await proxy.start({ store: AWAY });
    await after.recorder.said(`stable ${one}`);
  });
});
