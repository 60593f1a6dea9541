import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { bundleOf, manyEntries, reasonOf, routeEntry, SUPPORTS, unwrap } from '../bundle/testkit.ts';
import type { Bundle } from '../contract/bundle.ts';
import type { Digest } from '../contract/canonical.ts';
import { limit } from '../contract/limits.ts';
import { fail, ok } from '../contract/result.ts';
import { fetchBundle, type ReadObject } from './fetchBundle.ts';
import type { StoreError } from './types.ts';

const entries = manyEntries(4_000);
const bundle = bundleOf(entries);
const objectsOf = (of: Bundle) => new Map([of.manifest, ...of.shards].map((object) => [object.digest, object.bytes]));

function reader(objects: ReadonlyMap<Digest, Buffer>) {
  const asked: Digest[] = [];
  let now = 0;
  let most = 0;
  const read: ReadObject = async (digest) => {
    asked.push(digest);
    most = Math.max(most, ++now);
    await nextTurn();
    now -= 1;
    const bytes = objects.get(digest);
    return bytes === undefined ? fail<StoreError>({ reason: 'NotFound', message: 'not there' }) : ok(bytes);
  };
  return { read, asked, most: () => most };
}

describe('fetchBundle', () => {
  test('reads every object once, a bounded number at a time', async () => {
    const { read, asked, most } = reader(objectsOf(bundle));
    const fetched = unwrap(await fetchBundle(bundle.digest, read, { supports: SUPPORTS }));
    assert.equal(fetched.entries.length, entries.length);
    assert.equal(asked.length, new Set(asked).size);
    assert.equal(asked.length, bundle.shards.length + 1);
    assert.ok(bundle.shards.length > limit('fetchConcurrency'));
    assert.equal(most(), limit('fetchConcurrency'));
    assert.deepEqual(new Set(fetched.objects.keys()), new Set(asked));
  });

  test('reads only what is not known yet', async () => {
    const first = unwrap(await fetchBundle(bundle.digest, reader(objectsOf(bundle)).read, { supports: SUPPORTS }));
    const next = bundleOf(entries.with(0, routeEntry('r0', '/new')), bundle);
    const { read, asked } = reader(objectsOf(next));
    const fetched = unwrap(await fetchBundle(next.digest, read, { supports: SUPPORTS, known: first.shards }));
    assert.equal(asked.length, 2);
    assert.equal(fetched.entries.length, entries.length);
  });

  test('says what is missing, and stops asking', async () => {
    const objects = objectsOf(bundle);
    for (const shard of bundle.shards) objects.delete(shard.digest);
    const { read, asked } = reader(objects);
    assert.equal(reasonOf(await fetchBundle(bundle.digest, read, { supports: SUPPORTS })), 'Missing');
    assert.ok(asked.length <= 1 + limit('fetchConcurrency'));
    assert.equal(reasonOf(await fetchBundle(bundle.digest, reader(new Map()).read, { supports: SUPPORTS })), 'Missing');
  });

  test('refuses bytes of another digest, and says too large and damaged apart from missing', async () => {
    const objects = objectsOf(bundle);
    const [shard] = bundle.shards;
    assert.ok(shard !== undefined);
    objects.set(shard.digest, Buffer.from('other'));
    assert.equal(
      reasonOf(await fetchBundle(bundle.digest, reader(objects).read, { supports: SUPPORTS })),
      'DigestMismatch',
    );
    for (const [reason, refusal] of [
      ['TooLarge', 'TooLarge'],
      ['Corrupt', 'Malformed'],
      ['Unavailable', 'Missing'],
    ] as const) {
      const read: ReadObject = async () => fail<StoreError>({ reason, message: '' });
      assert.equal(reasonOf(await fetchBundle(bundle.digest, read, { supports: SUPPORTS })), refusal);
    }
  });
});
