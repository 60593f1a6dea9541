import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { digestOf } from '../contract/canonical.ts';
import { entryKey, type Entry } from '../contract/document/entries.ts';
import { limit } from '../contract/limits.ts';
import { buildBundle } from './buildBundle.ts';
import { assembleEntries, readManifest } from './readBundle.ts';
import { bundleOf, manyEntries, poolEntry, REQUIRES, routeEntry, SUPPORTS, unwrap } from './testkit.ts';

/** Entries long enough that a few hundred of them need several shards. */
function longEntry(name: string, fill: string): Entry {
  return {
    section: 'plugins',
    id: name,
    object: `ProxyRollout/shop/${name}`,
    value: { id: name, type: 'builtin', config: { text: fill.repeat(1_500) } },
  };
}
const longEntries = Array.from({ length: 400 }, (_, i) => longEntry(`p${i}`, 'a'));
const shardDigests = (bundle: { shards: readonly { digest: string }[] }) => new Set(bundle.shards.map((s) => s.digest));

describe('buildBundle', () => {
  test('the order of entries does not change a byte', () => {
    const expected = bundleOf(longEntries);
    assert.ok(expected.shards.length > 4, 'the example must need several shards');
    fc.assert(
      fc.property(fc.shuffledSubarray(longEntries, { minLength: longEntries.length }), (shuffled) => {
        const bundle = bundleOf(shuffled.map((entry) => ({ ...entry })));
        assert.equal(bundle.digest, expected.digest);
        assert.deepEqual(shardDigests(bundle), shardDigests(expected));
      }),
      { numRuns: 20, seed: 1 },
    );
  });

  test('one changed entry changes its shard and the manifest only, and changing it back gives the digest back', () => {
    const before = bundleOf(longEntries);
    fc.assert(
      fc.property(fc.nat({ max: longEntries.length - 1 }), (index) => {
        const changed = longEntries.map((entry, i) => (i === index ? longEntry(entry.id, 'b') : entry));
        const after = bundleOf(changed, before);
        const added = [...shardDigests(after)].filter((digest) => !shardDigests(before).has(digest));
        assert.equal(added.length, 1);
        assert.notEqual(after.digest, before.digest);
        const back = bundleOf(
          changed.map((entry, i) => (i === index ? longEntry(entry.id, 'a') : entry)),
          after,
        );
        assert.equal(back.digest, before.digest);
      }),
      { numRuns: 20, seed: 2 },
    );
  });

  test('a bundle built on the one before is the bundle built from nothing, whatever was added, changed or removed', () => {
    const edits = fc.array(fc.record({ index: fc.nat({ max: 600 }), fill: fc.constantFrom('a', 'b', '') }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.array(edits, { maxLength: 4 }), (rounds) => {
        const entries = new Map(longEntries.map((entry) => [entry.id, entry]));
        let previous = bundleOf([...entries.values()]);
        for (const round of rounds) {
          for (const { index, fill } of round) {
            if (fill === '') entries.delete(`p${index}`);
            else entries.set(`p${index}`, longEntry(`p${index}`, fill));
          }
          previous = bundleOf([...entries.values()], previous);
          const fresh = bundleOf([...entries.values()].map((entry) => structuredClone(entry)));
          assert.equal(previous.digest, fresh.digest);
          assert.deepEqual(shardDigests(previous), shardDigests(fresh));
        }
      }),
      { numRuns: 10, seed: 3 },
    );
  });

  test('adding and removing any number of entries gives the digest back', () => {
    const before = bundleOf(longEntries.slice(0, 50));
    assert.equal(before.shards.length, 1);
    const grown = bundleOf(longEntries, before);
    assert.ok(grown.shards.length > 1);
    assert.equal(bundleOf(longEntries.slice(0, 50), grown).digest, before.digest);
  });

  test('a shard is over the split size only where it holds a single entry', () => {
    const huge: Entry = {
      section: 'plugins',
      id: 'huge',
      object: '',
      value: { id: 'huge', type: 'builtin', config: { text: 'x'.repeat(limit('shardBytes') + 1) } },
    };
    const bundle = bundleOf([...longEntries, huge]);
    const manifest = unwrap(readManifest(bundle.manifest.bytes, bundle.digest, SUPPORTS));
    for (const shard of manifest.shards) assert.ok(shard.bytes <= limit('shardBytes') || shard.entries === 1);
    assert.ok(manifest.shards.some((shard) => shard.bytes > limit('shardBytes')));
  });

  test('no entries make a bundle without shards', async () => {
    const bundle = bundleOf([]);
    assert.equal(bundle.shards.length, 0);
    const manifest = unwrap(readManifest(bundle.manifest.bytes, bundle.digest, SUPPORTS));
    assert.deepEqual(unwrap(await assembleEntries(manifest, () => undefined)).entries, []);
  });

  test('the digest is the one of the manifest, and the order of features has no effect', () => {
    const entries = manyEntries(2);
    const one = unwrap(buildBundle(entries, { documentVersion: 1, features: ['b', 'a'] }));
    const two = unwrap(buildBundle(entries, { documentVersion: 1, features: ['a', 'b'] }));
    assert.equal(one.digest, two.digest);
    assert.equal(one.digest, digestOf(one.manifest.bytes));
    assert.notEqual(one.digest, bundleOf(entries).digest);
  });

  test('5,000 routes: a change of one writes one shard', () => {
    const entries = manyEntries(5_000);
    const before = bundleOf(entries);
    const index = entries.findIndex((entry) => entryKey(entry) === 'routes/shop/r4242');
    const after = bundleOf(entries.with(index, routeEntry('r4242', '/new')), before);
    assert.ok(after.shards.length >= 10);
    const kept = after.shards.filter((shard) => before.shards.includes(shard));
    assert.equal(kept.length, before.shards.length - 1, 'unchanged shards are the same objects');
  });
});

describe('what cannot be in a bundle is a finding on its object', () => {
  const findingsOf = (entries: readonly Entry[]) => {
    const built = buildBundle(entries, REQUIRES);
    assert.ok(!built.ok);
    return built.error.map((finding) => `${finding.object} ${finding.reason}`);
  };

  test('an entry over its size', () => {
    const text = 'x'.repeat(limit('entryBytes'));
    const entry: Entry = {
      section: 'plugins',
      id: 'p',
      object: 'ProxyRollout/a/b',
      value: { id: 'p', type: 'builtin', config: { text } },
    };
    assert.deepEqual(findingsOf([entry, routeEntry('a')]), ['ProxyRollout/a/b TooLarge']);
  });

  test('a key used twice', () => {
    assert.deepEqual(findingsOf([poolEntry('a'), routeEntry('a'), poolEntry('a', 1)]), [
      'UpstreamPool/shop/a Duplicate',
    ]);
  });

  test('half a surrogate pair', () => {
    const value = { id: 'shop/a', host: 'a.example.com', path: '/\ud800' };
    assert.deepEqual(findingsOf([{ section: 'routes', id: 'shop/a', object: 'ProxyRoute/shop/a', value }]), [
      'ProxyRoute/shop/a Invalid',
    ]);
  });
});
