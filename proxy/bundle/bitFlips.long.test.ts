import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ShardRef } from '../contract/bundle.ts';
import type { HeadFile } from '../contract/head.ts';
import { limit } from '../contract/limits.ts';
import { packInline, readInline, signHead, verifyHead } from './head.ts';
import { generateSigningKey, keySetOf } from './keys.ts';
import { readManifest, readShard } from './readBundle.ts';
import { pack, unpack } from './storedForm.ts';
import {
  bundleOf,
  candidateOf,
  CLUSTER,
  FLEET,
  flipBit,
  headOf,
  manyEntries,
  seededRandom,
  SUPPORTS,
  unwrap,
} from './testkit.ts';

/** 10,000 in all; the long form takes twenty times as many. */
const FLIPS = process.env['TORTURE'] === '1' ? 40_000 : 2_000;

const key = generateSigningKey();
const trust = { keys: keySetOf([key]), clusterUid: CLUSTER, fleet: FLEET, minGeneration: 0 };
const bundle = bundleOf(manyEntries(20));
const [shard] = bundle.shards;
assert.ok(shard !== undefined);
const [ref] = unwrap(readManifest(bundle.manifest.bytes, bundle.digest, SUPPORTS)).shards;
assert.ok(ref !== undefined);

/** Turns over one bit at a time; `read` says 'refused', or checks that what it read is what was written. */
async function flips(
  name: string,
  bytes: Buffer,
  read: (bytes: Buffer) => Promise<'refused' | 'same'>,
): Promise<number> {
  const random = seededRandom(name.length * 7919 + bytes.length);
  assert.equal(await read(bytes), 'same', 'unchanged bytes must be taken');
  let refused = 0;
  for (let i = 0; i < FLIPS; i++) if ((await read(flipBit(bytes, random))) === 'refused') refused += 1;
  return refused;
}

async function readManifestBytes(bytes: Buffer): Promise<'refused' | 'same'> {
  if (!readManifest(bytes, bundle.digest, SUPPORTS).ok) return 'refused';
  assert.deepEqual(bytes, bundle.manifest.bytes);
  return 'same';
}

const readShardBytes = (line: ShardRef, original: Buffer) => async (bytes: Buffer) => {
  if (!readShard(bytes, line).ok) return 'refused';
  assert.deepEqual(bytes, original);
  return 'same';
};

/** The compressed form has bits that do not matter (times, flags): then the bytes inside are the same. */
const stored = (read: (bytes: Buffer) => Promise<'refused' | 'same'>) => async (bytes: Buffer) => {
  const inside = await unpack(bytes, limit('shardObjectBytes'));
  return inside.ok ? read(inside.value) : 'refused';
};

describe('seeded bit flips: each is refused, or decodes to the very same bytes', () => {
  test('over a head file with a candidate and an object inside', async () => {
    const head = headOf(bundle.digest, { candidate: candidateOf(bundle.digest) });
    const file: HeadFile = {
      ...(await signHead(head, key)),
      inline: { [bundle.digest]: await packInline(bundle.manifest.bytes) },
    };
    const digest = unwrap(await verifyHead(file, trust)).digest;
    const refused = await flips('head', Buffer.from(JSON.stringify(file)), async (bytes) => {
      let parsed: unknown;
      try {
        parsed = JSON.parse(bytes.toString());
      } catch {
        return 'refused';
      }
      const verified = await verifyHead(parsed, trust);
      if (!verified.ok) return 'refused';
      assert.equal(verified.value.digest, digest);
      const inline = await readInline(verified.value.file, bundle.digest);
      if (inline !== undefined) assert.deepEqual(inline, bundle.manifest.bytes);
      return 'same';
    });
    // What is left is in the object inside, which then counts as not there.
    assert.ok(refused > FLIPS / 2 && refused < FLIPS, `${refused} of ${FLIPS}`);
  });

  test('over a manifest', async () => {
    assert.equal(await flips('manifest', bundle.manifest.bytes, readManifestBytes), FLIPS);
  });

  test('over a manifest as it is stored', async () => {
    const refused = await flips('stored manifest', await pack(bundle.manifest.bytes), stored(readManifestBytes));
    assert.ok(refused > FLIPS * 0.5 && refused < FLIPS, `${refused} of ${FLIPS}`);
  });

  test('over a shard', async () => {
    assert.equal(await flips('shard', shard.bytes, readShardBytes(ref, shard.bytes)), FLIPS);
  });

  test('over a shard as it is stored', async () => {
    const refused = await flips('stored shard', await pack(shard.bytes), stored(readShardBytes(ref, shard.bytes)));
    assert.ok(refused > FLIPS * 0.8 && refused < FLIPS, `${refused} of ${FLIPS}`);
  });
});
