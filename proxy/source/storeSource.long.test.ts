import assert from 'node:assert/strict';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { generateSigningKey, keySetOf, type KeySet } from '../bundle/keys.ts';
import { buildBundle } from '../bundle/buildBundle.ts';
import { bundleOf, candidateOf, FLEET, manyEntries, routeEntry, unwrap } from '../bundle/testkit.ts';
import { shortDigest } from '../contract/canonical.ts';
import { ringPosition } from '../contract/head.ts';
import { limit } from '../contract/limits.ts';
import type { StoreReader } from '../store/types.ts';
import { aWhile, KEY, KEYS, newFleet, Recorder, until } from './testkit.ts';

const entries = manyEntries(700);
const first = bundleOf(entries);
const second = bundleOf(entries.with(0, routeEntry('r0', '/new')), first);
const third = bundleOf(entries.with(0, routeEntry('r0', '/newer')), first);
const [one, two, three] = [first, second, third].map((bundle) => shortDigest(bundle.digest)) as [
  string,
  string,
  string,
];

describe('a source on a store', () => {
  test('waits for the first head, hands over its stable bundle, and follows', async (t) => {
    const fleet = await newFleet(t);
    const { recorder } = await fleet.follow();
    await aWhile();
    assert.deepEqual(recorder.lines, []);
    await fleet.putBundle(first);
    const head = await fleet.putHead(first);
    await recorder.said(`stable ${one}`);
    assert.equal(recorder.candidates[0]?.entries.length, entries.length);
    assert.deepEqual(recorder.candidates[0]?.head, head);
    await fleet.putBundle(second);
    await fleet.putHead(second);
    await recorder.said(`stable ${two}`);
    await fleet.putHead(first);
    await until('back on the first', () => recorder.candidates.length === 3);
    assert.deepEqual(recorder.lines, [`stable ${one}`, `stable ${two}`, `stable ${one}`]);
  });

  test('hands unchanged entries over as the same objects', async (t) => {
    const fleet = await newFleet(t);
    await fleet.putBundle(first);
    await fleet.putBundle(second);
    await fleet.putHead(first);
    const { recorder } = await fleet.follow();
    await recorder.said(`stable ${one}`);
    await fleet.putHead(second);
    await recorder.said(`stable ${two}`);
    const before = new Set(recorder.candidates[0]?.entries);
    const same = recorder.candidates[1]?.entries.filter((entry) => before.has(entry)).length ?? 0;
    assert.ok(same > entries.length / 4 && same < entries.length);
  });

  test('starts on stable though a candidate is being tried, and takes part in it from the next head on', async (t) => {
    const fleet = await newFleet(t);
    await fleet.putBundle(first);
    await fleet.putBundle(second);
    await fleet.putHead(first, { candidate: candidateOf(second.digest) });
    const { recorder } = await fleet.follow();
    await recorder.said(`stable ${one}`);
    await aWhile();
    assert.equal(recorder.lines.length, 1);
    await fleet.putHead(first, { candidate: candidateOf(second.digest) });
    await recorder.said(`candidate ${two}`);
  });

  test('takes part in a candidate only below the threshold', async (t) => {
    const fleet = await newFleet(t);
    await fleet.putBundle(first);
    await fleet.putBundle(second);
    await fleet.putHead(first);
    const low = await fleet.follow({ podUid: 'pod-a' });
    const high = await fleet.follow({ podUid: 'pod-b' });
    await low.recorder.said(`stable ${one}`);
    await high.recorder.said(`stable ${one}`);
    const [threshold = '', other = ''] = ['pod-a', 'pod-b'].map((pod) => ringPosition(pod, 'seed')).sort();
    assert.notEqual(threshold, other);
    const isLow = ringPosition('pod-a', 'seed') === threshold;
    const head = await fleet.putHead(first, { candidate: candidateOf(second.digest, { threshold }) });
    const [taker, other2] = isLow ? [low, high] : [high, low];
    await taker.recorder.said(`candidate ${two}`);
    await other2.recorder.said(`head ${head.generation} stable`);
    assert.ok(!other2.recorder.lines.includes(`candidate ${two}`));
  });

  test('says so when what runs has got another role: a candidate became stable', async (t) => {
    const fleet = await newFleet(t);
    await fleet.putBundle(first);
    await fleet.putBundle(second);
    await fleet.putHead(first);
    const { recorder } = await fleet.follow();
    await recorder.said(`stable ${one}`);
    await fleet.putHead(first, { candidate: candidateOf(second.digest) });
    await recorder.said(`candidate ${two}`);
    const head = await fleet.putHead(second);
    await recorder.said(`head ${head.generation} stable`);
    assert.equal(recorder.candidates.length, 2);
  });

  test('hands over one at a time; what changes meanwhile is looked at afterwards, and the newest wins', async (t) => {
    const fleet = await newFleet(t);
    for (const bundle of [first, second, third]) await fleet.putBundle(bundle);
    await fleet.putHead(first);
    const recorder = new Recorder();
    recorder.answer = null;
    const { source } = await fleet.follow({}, recorder);
    await recorder.said(`stable ${one}`);
    await fleet.putHead(second);
    await fleet.putHead(third);
    await aWhile();
    assert.equal(recorder.lines.length, 1);
    recorder.answer = 'running';
    await source.settled(first.digest, 'running');
    await recorder.said(`stable ${three}`);
    assert.deepEqual(recorder.lines, [`stable ${one}`, `stable ${three}`]);
  });

  test('offers what was refused here again with the next head, not before', async (t) => {
    const fleet = await newFleet(t);
    await fleet.putBundle(first);
    await fleet.putBundle(second);
    await fleet.putHead(first);
    const { recorder } = await fleet.follow();
    await recorder.said(`stable ${one}`);
    recorder.answer = 'refused';
    await fleet.putHead(second);
    await recorder.said(`stable ${two}`);
    await aWhile();
    assert.equal(recorder.candidates.length, 2);
    recorder.answer = 'running';
    await fleet.putHead(second);
    await until('offered again', () => recorder.candidates.length === 3);
  });

  test('offers again by itself what only failed here', async (t) => {
    const fleet = await newFleet(t);
    await fleet.putBundle(first);
    await fleet.putBundle(second);
    await fleet.putHead(first);
    const { recorder } = await fleet.follow();
    await recorder.said(`stable ${one}`);
    recorder.answer = 'failed';
    await fleet.putHead(second);
    await recorder.said(`stable ${two}`);
    recorder.answer = 'running';
    await until('offered again', () => recorder.candidates.length === 3);
  });

  test('looks again when it is told to', async (t) => {
    const fleet = await newFleet(t);
    await fleet.putBundle(first);
    const head = await fleet.putHead(first);
    const { source, recorder } = await fleet.follow();
    await recorder.said(`stable ${one}`);
    await source.reload();
    await recorder.said(`head ${head.generation} stable`);
  });

  test('reads small changes from the head alone', async (t) => {
    const fleet = await newFleet(t);
    await fleet.putBundle(first);
    await fleet.putHead(first);
    const { recorder } = await fleet.follow();
    await recorder.said(`stable ${one}`);
    const changed = second.shards.filter((shard) => !first.shards.includes(shard));
    await fleet.putHead(second, {}, [second.manifest, ...changed]);
    await recorder.said(`stable ${two}`);
  });

  test('stops', async (t) => {
    const fleet = await newFleet(t);
    await fleet.putBundle(first);
    await fleet.putHead(first);
    const { source, recorder } = await fleet.follow();
    await recorder.said(`stable ${one}`);
    await source.stop();
    await fleet.putHead(first);
    await aWhile();
    assert.equal(recorder.lines.length, 1);
  });
});

describe('a head is refused, once, and what runs stays', () => {
  const foreign = generateSigningKey();
  type Fleet = Awaited<ReturnType<typeof newFleet>>;
  const overwrite = async (fleet: Fleet, text: string) => {
    const folder = join(fleet.root, FLEET, 'heads');
    const newest = Math.max(...(await readdir(folder)).map((name) => Number.parseInt(name)));
    // Whole or not at all, so that no other reason is said for the half of it.
    await writeFile(join(folder, 'next'), text);
    await rename(join(folder, 'next'), join(folder, `${newest + 1}.json`));
  };
  const cases: Record<string, { reason: string; attack: (fleet: Fleet) => Promise<unknown> }> = {
    'signed by a foreign key': { reason: 'UnknownKey', attack: async (f) => f.putHead(second, {}, [], foreign) },
    'of another cluster': { reason: 'WrongCluster', attack: async (f) => f.putHead(second, { clusterUid: 'other' }) },
    'of another fleet': { reason: 'WrongFleet', attack: async (f) => f.putHead(second, { fleet: 'edge/other' }) },
    'of an older generation, replayed': {
      reason: 'OlderGeneration',
      attack: async (f) => f.putHead(second, { generation: 1_000 }),
    },
    'of the same generation with other content': {
      reason: 'OlderGeneration',
      attack: async (f) => f.putHead(second, { generation: 1_001 }),
    },
    'that is no JSON': { reason: 'Malformed', attack: async (f) => overwrite(f, '{"jws":') },
    'that is JSON, but no head': { reason: 'Malformed', attack: async (f) => overwrite(f, '{"jws":{}}') },
    'that is too large': { reason: 'TooLarge', attack: async (f) => overwrite(f, ' '.repeat(limit('headBytes') + 1)) },
    'that is cut off': {
      reason: 'Malformed',
      attack: async (f) => overwrite(f, JSON.stringify(unwrap(await f.store.getHead(FLEET)).file).slice(0, -9)),
    },
  };
  for (const [name, { reason, attack }] of Object.entries(cases)) {
    test(name, async (t) => {
      const fleet = await newFleet(t);
      for (const bundle of [first, second, third]) await fleet.putBundle(bundle);
      await fleet.putHead(first);
      const { recorder } = await fleet.follow();
      await recorder.said(`stable ${one}`);
      await attack(fleet);
      await recorder.said(`refused ${reason}`);
      await aWhile();
      assert.deepEqual(recorder.lines, [`stable ${one}`, `refused ${reason}`]);
      assert.equal(recorder.refusals[0]?.digest, null);
      await fleet.putHead(third, { generation: 5_000 });
      await recorder.said(`stable ${three}`);
    });
  }

  test('until its key is known, without a new head', async (t) => {
    const fleet = await newFleet(t);
    await fleet.putBundle(first);
    await fleet.putHead(first, {}, [], foreign);
    let keys: KeySet = KEYS;
    const { recorder } = await fleet.follow({ keys: () => keys });
    await recorder.said('refused UnknownKey');
    keys = keySetOf([KEY, foreign]);
    await recorder.said(`stable ${one}`);
  });
});

describe('a bundle is refused, and what runs stays', () => {
  const firstShard = second.shards.find((shard) => !first.shards.includes(shard));
  assert.ok(firstShard !== undefined);
  const fileOf = (root: string, digest: string) => join(root, FLEET, 'objects', `${digest.slice(7)}.gz`);

  test('with a shard that is missing, until it is there', async (t) => {
    const fleet = await newFleet(t);
    await fleet.putBundle(first);
    await fleet.putHead(first);
    const { recorder } = await fleet.follow();
    await recorder.said(`stable ${one}`);
    await fleet.putObjects([second.manifest]);
    const head = await fleet.putHead(second);
    await recorder.said('refused Missing');
    assert.deepEqual(recorder.refusals[0]?.digest, second.digest);
    assert.equal(recorder.refusals[0]?.generation, head.generation);
    await aWhile();
    assert.equal(recorder.refusals.length, 1, 'said once, however often it is tried');
    await fleet.putObjects([firstShard]);
    await recorder.said(`stable ${two}`);
  });

  test('not at all when the missing shard comes within the retries', async (t) => {
    const fleet = await newFleet(t);
    await fleet.putBundle(first);
    await fleet.putHead(first);
    let asked = 0;
    const late: StoreReader = {
      getHead: async (name) => fleet.store.getHead(name),
      getObject: async (name, digest) => {
        if (digest === second.digest && ++asked === 3) await fleet.putBundle(second);
        return fleet.store.getObject(name, digest);
      },
    };
    const { recorder } = await fleet.follow({ store: late });
    await recorder.said(`stable ${one}`);
    await fleet.putHead(second);
    await recorder.said(`stable ${two}`);
    assert.deepEqual(recorder.refusals, []);
    assert.ok(asked >= 3);
  });

  test('nor when the head meanwhile moved on from a bundle that was collected', async (t) => {
    const fleet = await newFleet(t);
    await fleet.putBundle(first);
    await fleet.putBundle(third);
    await fleet.putHead(first);
    let moved = false;
    const moving: StoreReader = {
      getHead: async (name) => fleet.store.getHead(name),
      getObject: async (name, digest) => {
        if (digest === second.digest && !moved) {
          moved = true;
          await fleet.putHead(third);
        }
        return fleet.store.getObject(name, digest);
      },
    };
    const { recorder } = await fleet.follow({ store: moving });
    await recorder.said(`stable ${one}`);
    await fleet.putHead(second);
    await recorder.said(`stable ${three}`);
    assert.deepEqual(recorder.lines, [`stable ${one}`, `stable ${three}`]);
  });

  test('with a shard that is damaged, too large or another’s, until it is put right', async (t) => {
    const fleet = await newFleet(t);
    await fleet.putBundle(first);
    await fleet.putBundle(second);
    await fleet.putHead(first);
    const { recorder } = await fleet.follow();
    await recorder.said(`stable ${one}`);
    const path = fileOf(fleet.root, firstShard.digest);
    await writeFile(path, 'no gzip');
    await fleet.putHead(second);
    await recorder.said('refused Malformed');
    await writeFile(path, Buffer.alloc(2 * limit('shardObjectBytes')));
    await recorder.said('refused TooLarge');
    await writeFile(path, await readFile(fileOf(fleet.root, first.digest)));
    await recorder.said('refused DigestMismatch');
    assert.equal(recorder.candidates.length, 1);
    await fleet.putObjects([firstShard]);
    await recorder.said(`stable ${two}`);
  });

  test('that needs what this proxy cannot do, once and for all', async (t) => {
    const fleet = await newFleet(t);
    const modern = unwrap(buildBundle(entries, { documentVersion: 1, features: ['warp'] }));
    await fleet.putBundle(modern);
    await fleet.putHead(modern);
    const { recorder } = await fleet.follow();
    await recorder.said('refused Unsupported');
    await aWhile();
    assert.deepEqual(recorder.lines, ['refused Unsupported']);
  });
});

describe('a store that is away', () => {
  test('is said once, and followed again when it is back', async (t) => {
    const fleet = await newFleet(t);
    await fleet.putBundle(first);
    await fleet.putBundle(second);
    await fleet.putHead(first);
    let away = false;
    const answers: StoreReader = {
      getHead: async (name) =>
        away ? { ok: false, error: { reason: 'Unavailable', message: 'away' } } : fleet.store.getHead(name),
      getObject: async (name, digest) => fleet.store.getObject(name, digest),
    };
    const { recorder } = await fleet.follow({ store: answers });
    await recorder.said(`stable ${one}`);
    away = true;
    await until('said', () => recorder.logged.includes('head cannot be read; what runs goes on'));
    await fleet.putHead(second);
    await aWhile();
    assert.equal(recorder.logged.filter((line) => line.startsWith('head cannot be read')).length, 1);
    assert.deepEqual(recorder.lines, [`stable ${one}`]);
    away = false;
    await recorder.said(`stable ${two}`);
  });

  test('or that never answers does not stop the source from stopping', async (t) => {
    const fleet = await newFleet(t);
    const silent: StoreReader = {
      getHead: async () => new Promise(() => undefined),
      getObject: async () => new Promise(() => undefined),
    };
    const { source, recorder } = await fleet.follow({ store: silent });
    await until('given up waiting', () => recorder.logged.includes('head cannot be read; what runs goes on'));
    await source.stop();
  });
});
