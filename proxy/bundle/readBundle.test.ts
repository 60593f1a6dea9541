import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Bundle, Manifest } from '../contract/bundle.ts';
import { canonicalBytes, digestOf, type Digest, type Json } from '../contract/canonical.ts';
import { compareEntries, entryJson, type Entry } from '../contract/document/entries.ts';
import { limit } from '../contract/limits.ts';
import { hasPrefix, keyBits } from './entryBytes.ts';
import { assembleEntries, readManifest, readShard } from './readBundle.ts';
import { bundleOf, manyEntries, poolEntry, reasonOf, routeEntry, SUPPORTS, unwrap } from './testkit.ts';

const shardsOf = (bundle: Bundle) => new Map(bundle.shards.map((shard) => [shard.digest, shard.bytes]));

function manifestOf(bundle: Bundle): Manifest {
  return unwrap(readManifest(bundle.manifest.bytes, bundle.digest, SUPPORTS));
}

/** A manifest as an attacker who can sign (or a broken operator) would write it. */
function readForged(manifest: Json) {
  const bytes = canonicalBytes(manifest);
  return readManifest(bytes, digestOf(bytes), SUPPORTS);
}

/** A shard with its own digest: only what is inside can be wrong. */
function readForgedShard(shard: Json, change: Partial<Manifest['shards'][number]> = {}) {
  const bytes = canonicalBytes(shard);
  return readShard(bytes, { prefix: '', digest: digestOf(bytes), bytes: bytes.length, entries: 1, ...change });
}
const line = (prefix: string, bytes = 10) => ({ prefix, digest: digestOf(Buffer.from(prefix)), bytes, entries: 1 });
const manifest = (shards: Json[], requires: Json = { documentVersion: 1, features: [] }) => ({
  format: 1,
  requires,
  shards,
});
const a = entryJson(routeEntry('a'));
const b = entryJson(routeEntry('b'));

describe('a bundle that was built is read back', () => {
  test('whatever the entries are', async () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,20}$/), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(names, async (list) => {
        const entries = list.flatMap((name) => [routeEntry(name), poolEntry(name)]);
        const bundle = bundleOf(entries);
        const shards = shardsOf(bundle);
        const assembled = unwrap(await assembleEntries(manifestOf(bundle), (digest) => shards.get(digest)));
        assert.deepEqual([...assembled.entries].sort(compareEntries), [...entries].sort(compareEntries));
      }),
      { numRuns: 50, seed: 4 },
    );
  });

  test('entries of shards that were read before stay the same objects, and their bytes are not asked for', async () => {
    const entries = manyEntries(2_000);
    const before = bundleOf(entries);
    const after = bundleOf(entries.with(0, routeEntry('r0', '/new')), before);
    const shards = shardsOf(before);
    const known = unwrap(await assembleEntries(manifestOf(before), (digest) => shards.get(digest)));
    const asked: Digest[] = [];
    const next = unwrap(
      await assembleEntries(
        manifestOf(after),
        (digest) => {
          asked.push(digest);
          return shardsOf(after).get(digest);
        },
        known.shards,
      ),
    );
    assert.equal(asked.length, 1);
    const same = new Set<Entry>(known.entries);
    const moved = next.entries.filter((entry) => !same.has(entry));
    assert.ok(moved.length < entries.length / 4);
    assert.equal(next.entries.length, entries.length);
  });
});

describe('a manifest is refused', () => {
  const good = bundleOf(manyEntries(1));

  test('under another digest', () => {
    const other = bundleOf(manyEntries(2));
    assert.equal(reasonOf(readManifest(good.manifest.bytes, other.digest, SUPPORTS)), 'DigestMismatch');
  });

  test('over its size, before anything is made of it', () => {
    const bytes = Buffer.alloc(limit('manifestBytes') + 1, 0x20);
    assert.equal(reasonOf(readManifest(bytes, digestOf(bytes), SUPPORTS)), 'TooLarge');
  });

  test('cut off at any place', () => {
    for (let length = 0; length < good.manifest.bytes.length; length += 7) {
      const cut = good.manifest.bytes.subarray(0, length);
      assert.equal(reasonOf(readManifest(cut, good.digest, SUPPORTS)), 'DigestMismatch');
      assert.equal(reasonOf(readManifest(cut, digestOf(cut), SUPPORTS)), 'Malformed');
    }
  });

  test('in any spelling but the canonical one', () => {
    const text = good.manifest.bytes.toString();
    const swapped = text.replace(/^(\{"format":1),("requires":.*?\}),(.*)\}$/, '{$3,"format":1,$2}');
    assert.equal(swapped.length, text.length);
    for (const other of [
      swapped,
      ` ${text}`,
      `${text}\n`,
      text.replace('"format":1', '"format":1.0'),
      `\ufeff${text}`,
    ]) {
      const bytes = Buffer.from(other);
      assert.equal(reasonOf(readManifest(bytes, digestOf(bytes), SUPPORTS)), 'Malformed', other);
    }
  });

  test('with another format or an unknown field', () => {
    assert.equal(reasonOf(readForged({ ...manifest([]), format: 2 })), 'Malformed');
    assert.equal(reasonOf(readForged({ ...manifest([]), more: true })), 'Malformed');
  });

  test('when prefixes overlap, repeat or are out of order', () => {
    assert.ok(readForged(manifest([line('0'), line('10'), line('11')])).ok);
    for (const prefixes of [
      ['0', '01'],
      ['0', '0'],
      ['1', '0'],
      ['', '1'],
      ['01', '0'],
    ]) {
      assert.equal(reasonOf(readForged(manifest(prefixes.map((p) => line(p))))), 'Malformed', prefixes.join());
    }
  });

  test('when a shard or all of them together are too large', () => {
    assert.equal(reasonOf(readForged(manifest([line('', limit('shardObjectBytes') + 1)]))), 'TooLarge');
    const most = limit('shardObjectBytes');
    const count = Math.ceil(limit('bundleBytes') / most) + 1;
    const lines = Array.from({ length: count }, (_, i) => line(i.toString(2).padStart(16, '0'), most));
    assert.equal(reasonOf(readForged(manifest(lines))), 'TooLarge');
  });

  test('when it needs a document version or a feature that is not there', () => {
    assert.equal(reasonOf(readForged(manifest([], { documentVersion: 2, features: [] }))), 'Unsupported');
    assert.equal(reasonOf(readForged(manifest([], { documentVersion: 1, features: ['warp'] }))), 'Unsupported');
  });
});

describe('a shard is refused', () => {
  test('when it is missing, or another bundle’s is in its place', async () => {
    const one = bundleOf(manyEntries(1_500));
    const two = bundleOf(manyEntries(1_400));
    const refs = manifestOf(one);
    assert.equal(reasonOf(await assembleEntries(refs, () => undefined)), 'Missing');
    const swapped = new Map(one.shards.map((shard, i) => [shard.digest, two.shards[i % two.shards.length]?.bytes]));
    assert.equal(reasonOf(await assembleEntries(refs, (digest) => swapped.get(digest))), 'DigestMismatch');
    const [first, second] = one.shards;
    assert.ok(first !== undefined && second !== undefined);
    const crossed = new Map([...shardsOf(one), [first.digest, second.bytes], [second.digest, first.bytes]]);
    assert.equal(reasonOf(await assembleEntries(refs, (digest) => crossed.get(digest))), 'DigestMismatch');
  });

  test('when its size or count is not the one in the manifest', () => {
    assert.ok(readForgedShard({ format: 1, entries: [a] }).ok);
    assert.equal(reasonOf(readForgedShard({ format: 1, entries: [a] }, { bytes: 1 })), 'Malformed');
    assert.equal(reasonOf(readForgedShard({ format: 1, entries: [a] }, { entries: 2 })), 'Malformed');
  });

  test('over its size', () => {
    const bytes = Buffer.alloc(limit('shardObjectBytes') + 1, 0x20);
    const ref = { prefix: '', digest: digestOf(bytes), bytes: bytes.length, entries: 1 };
    assert.equal(reasonOf(readShard(bytes, ref)), 'TooLarge');
  });

  test('when entries repeat or are out of order', () => {
    for (const entries of [
      [b, a],
      [a, a],
    ]) {
      assert.equal(reasonOf(readForgedShard({ format: 1, entries }, { entries: 2 })), 'Malformed');
    }
  });

  test('when an entry belongs to another prefix', () => {
    const bits = keyBits('routes/shop/a');
    const [inside, outside] = hasPrefix(bits, '0') ? ['0', '1'] : ['1', '0'];
    assert.ok(readForgedShard({ format: 1, entries: [a] }, { prefix: inside }).ok);
    assert.equal(reasonOf(readForgedShard({ format: 1, entries: [a] }, { prefix: outside })), 'Malformed');
  });

  test('when a value is not of its section’s schema', () => {
    const wrong: Json[] = [
      { section: 'routes', id: 'shop/a', object: '', value: { id: 'shop/a', nonsense: 1 } },
      { section: 'routes', id: 'shop/a', object: '', value: { id: '../../etc' } },
      { section: 'pools', id: 'shop/a', object: '', value: [] },
      { section: 'http', id: '-', object: '', value: { max_headers: 0 } },
      { section: '__proto__', id: 'x', object: '', value: {} },
      { section: 'routes', id: '', object: '', value: { id: 'a' } },
    ];
    for (const entry of wrong) {
      assert.equal(reasonOf(readForgedShard({ format: 1, entries: [entry] })), 'Malformed', JSON.stringify(entry));
    }
  });

  test('when it is nested deeper than any parser should recurse', () => {
    const bytes = Buffer.from('['.repeat(200_000));
    const ref = { prefix: '', digest: digestOf(bytes), bytes: bytes.length, entries: 1 };
    assert.equal(reasonOf(readShard(bytes, ref)), 'Malformed');
    const closed = Buffer.from('['.repeat(200_000) + ']'.repeat(200_000));
    const closedRef = { prefix: '', digest: digestOf(closed), bytes: closed.length, entries: 1 };
    assert.equal(reasonOf(readShard(closed, closedRef)), 'Malformed');
  });
});
