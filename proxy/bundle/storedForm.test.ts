import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pack, unpack } from './storedForm.ts';
import { reasonOf, unwrap } from './testkit.ts';

describe('the stored form', () => {
  const bytes = Buffer.from('{"format":1}'.repeat(100));

  test('gives back what went in, up to the limit itself', async () => {
    assert.deepEqual(unwrap(await unpack(await pack(bytes), bytes.length)), bytes);
    assert.equal(reasonOf(await unpack(await pack(bytes), bytes.length - 1)), 'TooLarge');
  });

  test('a gzip bomb is stopped at the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    assert.ok(bomb.length < 100_000);
    const before = process.memoryUsage().arrayBuffers;
    assert.equal(reasonOf(await unpack(bomb, 768 * 1024)), 'TooLarge');
    assert.ok(process.memoryUsage().arrayBuffers - before < 8 * 1024 * 1024, 'the bomb was not unpacked');
  });

  test('a bomb made of many members counts as one', async () => {
    const member = gzipSync(Buffer.alloc(512 * 1024));
    assert.equal(reasonOf(await unpack(Buffer.concat([member, member, member]), 768 * 1024)), 'TooLarge');
  });

  test('what is cut off, or no gzip at all, is refused', async () => {
    const stored = await pack(bytes);
    for (let length = 0; length < stored.length; length++) {
      assert.equal(reasonOf(await unpack(stored.subarray(0, length), 10_000)), 'Malformed', `${length}`);
    }
    assert.equal(reasonOf(await unpack(bytes, 10_000)), 'Malformed');
  });
});
