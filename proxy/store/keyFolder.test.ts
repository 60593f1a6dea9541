import assert from 'node:assert/strict';
import { chmod, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { reasonOf, unwrap } from '../bundle/testkit.ts';
import { addSigningKey, ensureSigningKeys, loadKeySet, loadSigningKeys, writeKeySet } from './keyFolder.ts';
import { temporaryFolder } from './testkit.ts';

const mode = async (path: string) => (await stat(path)).mode & 0o777;

describe('a folder of signing keys', () => {
  test('is made with its first key, which only the owner may read', async (t) => {
    const folder = join(await temporaryFolder(t), 'keys');
    const [key] = unwrap(await ensureSigningKeys(folder, 1_700_000_000_000));
    const [name] = await readdir(folder);
    assert.equal(await mode(folder), 0o700);
    assert.equal(await mode(join(folder, name ?? '')), 0o600);
    const again = unwrap(await ensureSigningKeys(folder, 1_800_000_000_000));
    assert.deepEqual(
      again.map((k) => k.kid),
      [key?.kid],
    );
  });

  test('gives its keys oldest first', async (t) => {
    const folder = await temporaryFolder(t);
    const late = unwrap(await addSigningKey(folder, 2_000));
    const early = unwrap(await addSigningKey(folder, 1_000));
    assert.deepEqual(
      unwrap(await loadSigningKeys(folder)).map((key) => key.kid),
      [early.kid, late.kid],
    );
  });

  test('is refused when others may read a key, or a key is none', async (t) => {
    const folder = await temporaryFolder(t);
    unwrap(await addSigningKey(folder, 1));
    const path = join(folder, (await readdir(folder))[0] ?? '');
    await chmod(path, 0o640);
    assert.equal(reasonOf(await loadSigningKeys(folder)), 'Invalid');
    assert.equal(reasonOf(await ensureSigningKeys(folder, 2)), 'Invalid');
    await chmod(path, 0o600);
    await writeFile(path, 'nothing');
    assert.equal(reasonOf(await loadSigningKeys(folder)), 'Corrupt');
  });
});

describe('a file of verifying keys', () => {
  test('is written from signing keys, readable by all, and read back', async (t) => {
    const folder = await temporaryFolder(t);
    const keys = unwrap(await ensureSigningKeys(join(folder, 'private'), 1));
    const path = join(folder, 'public', 'keys.json');
    unwrap(await writeKeySet(path, keys));
    assert.equal(await mode(path), 0o644);
    assert.deepEqual(
      [...unwrap(await loadKeySet(path)).keys()],
      keys.map((key) => key.kid),
    );
  });

  test('that is missing, large or no key set is an error', async (t) => {
    const path = join(await temporaryFolder(t), 'keys.json');
    assert.equal(reasonOf(await loadKeySet(path)), 'NotFound');
    await writeFile(path, '{}');
    assert.equal(reasonOf(await loadKeySet(path)), 'Corrupt');
    await writeFile(path, ' '.repeat(1024 * 1024));
    assert.equal(reasonOf(await loadKeySet(path)), 'TooLarge');
  });
});
