import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compareEntries } from '../contract/document/entries.ts';
import { exportBundle, importBundle, looksLikeBundleFile } from './exportedBundle.ts';
import { signHead } from './head.ts';
import { generateSigningKey, keySetOf } from './keys.ts';
import { packInline } from './head.ts';
import { bundleOf, flipBit, headOf, manyEntries, reasonOf, seededRandom, SUPPORTS, unwrap } from './testkit.ts';

const key = generateSigningKey();
const keys = keySetOf([key]);
const entries = manyEntries(700);
const bundle = bundleOf(entries);
const text = await exportBundle(bundle, key);
interface File {
  jws: string;
  objects: Record<string, string>;
}
const changed = (change: (file: File) => void) => {
  const file = JSON.parse(text) as File;
  change(file);
  return JSON.stringify(file);
};
const importReason = async (file: string) => reasonOf(await importBundle(file, keys, SUPPORTS));

describe('an exported bundle', () => {
  test('is imported with its digest and entries', async () => {
    const imported = unwrap(await importBundle(text, keys, SUPPORTS));
    assert.equal(imported.digest, bundle.digest);
    assert.deepEqual([...imported.entries].sort(compareEntries), [...entries].sort(compareEntries));
    assert.ok(looksLikeBundleFile(text));
    assert.ok(!looksLikeBundleFile('{"routes":[]}'));
  });

  test('is refused with a foreign key, a head’s signature or another bundle’s', async () => {
    assert.equal(reasonOf(await importBundle(text, keySetOf([generateSigningKey()]), SUPPORTS)), 'UnknownKey');
    const head = await signHead(headOf(bundle.digest), key);
    assert.equal(await importReason(changed((file) => (file.jws = head.jws))), 'Signature');
    const other = JSON.parse(await exportBundle(bundleOf(manyEntries(1)), key)) as File;
    assert.equal(await importReason(changed((file) => (file.jws = other.jws))), 'Missing');
  });

  test('is refused with an object that is missing, another’s or a bomb', async () => {
    const [shard] = bundle.shards;
    assert.ok(shard !== undefined);
    assert.equal(
      await importReason(changed((file) => (file.objects = { [bundle.digest]: file.objects[bundle.digest] ?? '' }))),
      'Missing',
    );
    const manifest = await packInline(bundle.manifest.bytes);
    assert.equal(await importReason(changed((file) => (file.objects[shard.digest] = manifest))), 'DigestMismatch');
    const bomb = await packInline(Buffer.alloc(4 * 1024 * 1024));
    assert.equal(await importReason(changed((file) => (file.objects[shard.digest] = bomb))), 'TooLarge');
  });

  test('is refused when it is no such file', async () => {
    for (const file of [
      '',
      '{}',
      '[]',
      'routes: []',
      text.slice(0, -20),
      changed((f) => Object.assign(f, { more: 1 })),
    ]) {
      assert.equal(await importReason(file), 'Malformed');
    }
  });

  test('with any bit turned over is refused, or the very same bundle', async () => {
    const small = Buffer.from(await exportBundle(bundleOf(manyEntries(2)), key));
    const digest = bundleOf(manyEntries(2)).digest;
    const random = seededRandom(11);
    let refused = 0;
    for (let i = 0; i < 500; i++) {
      const imported = await importBundle(flipBit(small, random).toString(), keys, SUPPORTS);
      if (!imported.ok) refused += 1;
      else assert.equal(imported.value.digest, digest);
    }
    assert.ok(refused > 400);
  });
});
