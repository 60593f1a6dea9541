import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { ObjectSet } from '../objects/objectSet.ts';
import { FolderWatcher } from './watcher.ts';

const NAMESPACE = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n';

/** A watcher on a new folder, and the sets it hands over, to be awaited one by one. */
function watching(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'watched-'));
  const seen: ObjectSet[] = [];
  let told = () => {};
  const watcher = new FolderWatcher(root, (objects) => {
    seen.push(objects);
    told();
  });
  t.after(async () => {
    await watcher.stop();
    rmSync(root, { recursive: true, force: true });
  });
  const seenAtLeast = async (count: number) => {
    while (seen.length < count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      told = resolve;
      await promise;
    }
  };
  return { root, seen, watcher, seenAtLeast };
}

test('the first reading is handed over before start ends, and changes after it', async (t) => {
  const { root, seen, watcher, seenAtLeast } = watching(t);
  writeFileSync(join(root, 'a.yaml'), NAMESPACE);
  await watcher.start();
  assert.deepEqual(
    seen.map(({ Namespace }) => Namespace.size),
    [1],
  );
  writeFileSync(join(root, 'b.yaml'), NAMESPACE.replace('shop', 'other'));
  await seenAtLeast(2);
  assert.equal(seen.at(-1)?.Namespace.size, 2);
});

test('a reload without a change hands nothing over', async (t) => {
  const { seen, watcher } = watching(t);
  await watcher.start();
  await watcher.reload();
  assert.equal(seen.length, 1);
});

test('a reload sees a change at once', async (t) => {
  const { root, seen, watcher } = watching(t);
  await watcher.start();
  writeFileSync(join(root, 'a.yaml'), NAMESPACE);
  await watcher.reload();
  assert.equal(seen.at(-1)?.Namespace.size, 1);
});

test('after stop nothing is handed over any more', async (t) => {
  const { root, seen, watcher } = watching(t);
  await watcher.start();
  writeFileSync(join(root, 'a.yaml'), NAMESPACE);
  const reloading = watcher.reload();
  await watcher.stop();
  await reloading;
  await watcher.reload();
  assert.ok(seen.length <= 2);
  const before = seen.length;
  writeFileSync(join(root, 'b.yaml'), NAMESPACE.replace('shop', 'other'));
  await watcher.reload();
  assert.equal(seen.length, before);
});

test('a folder that is not there yet is read once it is', async (t) => {
  const { root, seen, watcher, seenAtLeast } = watching(t);
  rmSync(root, { recursive: true });
  await watcher.start();
  assert.equal(seen[0]?.complete, false);
  mkdirSync(root);
  writeFileSync(join(root, 'a.yaml'), NAMESPACE);
  await seenAtLeast(2);
  assert.equal(seen.at(-1)?.complete, true);
});
