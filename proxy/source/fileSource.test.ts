import assert from 'node:assert/strict';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { exportBundle } from '../bundle/exportedBundle.ts';
import { generateSigningKey, keySetOf } from '../bundle/keys.ts';
import { bundleOf, FLEET, manyEntries, SUPPORTS, unwrap } from '../bundle/testkit.ts';
import { parseDocument } from '../compiler/parse.ts';
import { shortDigest } from '../contract/canonical.ts';
import { limit } from '../contract/limits.ts';
import { writeKeySet } from '../store/keyFolder.ts';
import { temporaryFolder } from '../store/testkit.ts';
import { FileSource, type FileSourceOptions } from './fileSource.ts';
import { KeyFile } from './keyFile.ts';
import { folderSource } from './folderSource.ts';
import { aWhile, KEY, KEYS, newFleet, Recorder, until } from './testkit.ts';

const pathOf = (path: string) => `{"routes":[{"id":"a","host":"a.example.com","path":"${path}","pool":"p"}],
  "pools":[{"id":"p","endpoints":[{"address":"127.0.0.1:8081"}]}]}`;

async function newFile(t: TestContext, text: string | null, changes: Partial<FileSourceOptions> = {}) {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'config.yaml');
  if (text !== null) await writeFile(path, text);
  const recorder = new Recorder();
  const source = new FileSource({
    path,
    parse: parseDocument,
    keys: null,
    supports: SUPPORTS,
    log: recorder.log,
    pollMs: 10,
    ...changes,
  });
  recorder.source = source;
  t.after(async () => source.stop());
  await source.start(recorder);
  return { folder, path, recorder, source };
}

describe('a document in a file', () => {
  test('is handed over when the source starts, and again when it changes', async (t) => {
    const { path, recorder } = await newFile(t, pathOf('/a'));
    assert.equal(recorder.lines.length, 1);
    const [first] = recorder.candidates;
    assert.equal(first?.role, 'stable');
    assert.equal(first?.head, null);
    assert.deepEqual(
      first?.entries.map((entry) => entry.id),
      ['a', 'p'],
    );
    await writeFile(path, pathOf('/b'));
    await until('changed', () => recorder.candidates.length === 2);
    await writeFile(path, pathOf('/a'));
    await until('changed back', () => recorder.candidates.length === 3);
    assert.equal(recorder.candidates[2]?.digest, first?.digest, 'the old content has the old digest');
  });

  test('may be YAML, and is the same configuration as its JSON', async (t) => {
    const yaml = `
pools:
  - id: p
    endpoints: [{ address: 127.0.0.1:8081 }]
routes:
  - { pool: p, path: /a, host: a.example.com, id: a }
`;
    const one = await newFile(t, yaml);
    const two = await newFile(t, pathOf('/a'));
    assert.equal(one.recorder.candidates[0]?.digest, two.recorder.candidates[0]?.digest);
  });

  test('that is written with other spaces changes nothing', async (t) => {
    const { path, recorder } = await newFile(t, pathOf('/a'));
    await writeFile(path, `${pathOf('/a')}\n\n`);
    await aWhile();
    assert.equal(recorder.lines.length, 1);
  });

  test('that is replaced by renaming, as editors and mounts do, is seen', async (t) => {
    const { folder, path, recorder } = await newFile(t, pathOf('/a'));
    await writeFile(join(folder, 'new'), pathOf('/b'));
    await rename(join(folder, 'new'), path);
    await until('changed', () => recorder.candidates.length === 2);
  });

  test('goes back while the change is being taken: the last content wins', async (t) => {
    const { path, recorder, source } = await newFile(t, pathOf('/a'));
    recorder.answer = null;
    await writeFile(path, pathOf('/b'));
    await until('changed', () => recorder.candidates.length === 2);
    await writeFile(path, pathOf('/a'));
    await until('changed back', () => recorder.candidates.length === 3);
    await source.settled(recorder.candidates[1]?.digest ?? 'sha256:', 'running');
    assert.equal(recorder.candidates[2]?.digest, recorder.candidates[0]?.digest);
  });

  test('that was refused after it was handed over is handed over again only when it changes, or on reload', async (t) => {
    const { path, recorder, source } = await newFile(t, pathOf('/a'));
    recorder.answer = 'refused';
    await writeFile(path, pathOf('/b'));
    await until('changed', () => recorder.candidates.length === 2);
    await aWhile();
    assert.equal(recorder.candidates.length, 2);
    await source.reload();
    await until('offered again', () => recorder.candidates.length === 3);
    assert.equal(recorder.candidates[2]?.digest, recorder.candidates[1]?.digest);
  });
});

const signed = await exportBundle(bundleOf(manyEntries(1)), KEY);

describe('a file that is refused says why, and what runs stays', () => {
  const cases: Record<string, { text: string | Buffer; reason: string; finding: string | null }> = {
    'no YAML': { text: 'routes: [', reason: 'CompileFailed', finding: 'Malformed' },
    'an unknown field': { text: '{"routse":[]}', reason: 'CompileFailed', finding: 'UnknownField' },
    'a key used twice': {
      text: '{"pools":[{"id":"p","endpoints":[]},{"id":"p","endpoints":[]}]}',
      reason: 'CompileFailed',
      finding: 'Duplicate',
    },
    'half a surrogate pair': {
      text: '{"plugins":[{"id":"p","type":"builtin","config":{"a":"\\ud800"}}]}',
      reason: 'CompileFailed',
      finding: null,
    },
    'over its size': { text: Buffer.alloc(limit('inputFileBytes') + 1, 0x20), reason: 'TooLarge', finding: null },
    'a signed bundle, without a key for it': { text: signed, reason: 'UnknownKey', finding: null },
  };
  for (const [name, { text, reason, finding }] of Object.entries(cases)) {
    test(name, async (t) => {
      const { path, recorder } = await newFile(t, pathOf('/a'));
      await writeFile(path, text);
      await recorder.said(`refused ${reason}`);
      if (finding !== null)
        assert.ok(
          recorder.findings.some((f) => f.reason === finding && f.source === path),
          finding,
        );
      assert.equal(recorder.candidates.length, 1);
      await writeFile(path, pathOf('/b'));
      await until('put right', () => recorder.candidates.length === 2);
    });
  }

  test('and says so when what runs comes back, also after a change that was taken and refused', async (t) => {
    const { path, recorder } = await newFile(t, pathOf('/a'));
    const unchanged = `unchanged ${shortDigest(recorder.candidates[0]?.digest ?? 'sha256:')}`;
    const timesUnchanged = () => recorder.lines.filter((line) => line === unchanged).length;
    await writeFile(path, 'routes: [');
    await recorder.said('refused CompileFailed');
    // At once: a file that is seen half written is refused, and then there is something to say.
    const replace = async (text: string) => {
      await writeFile(`${path}.next`, text);
      await rename(`${path}.next`, path);
    };
    await replace(pathOf('/a'));
    await until('back', () => timesUnchanged() === 1);
    recorder.answer = 'refused';
    await replace(pathOf('/b'));
    await until('offered', () => recorder.candidates.length === 2);
    await replace(pathOf('/a'));
    await until('back again', () => timesUnchanged() === 2);
    await replace(`${pathOf('/a')}\n`);
    await aWhile();
    assert.equal(timesUnchanged(), 2, 'without a refusal there is nothing to say');
    assert.equal(recorder.candidates.length, 2);
  });

  test('gone, or a folder', async (t) => {
    const { path, recorder } = await newFile(t, pathOf('/a'));
    await rm(path);
    await recorder.said('refused Missing');
    await mkdir(path);
    await until('refused again', () => recorder.refusals.length === 2);
    await rm(path, { recursive: true });
    await writeFile(path, pathOf('/b'));
    await until('put right', () => recorder.candidates.length === 2);
  });

  test('missing when the source starts', async (t) => {
    const { path, recorder } = await newFile(t, null);
    assert.deepEqual(recorder.lines, ['refused Missing']);
    await writeFile(path, pathOf('/a'));
    await until('there', () => recorder.candidates.length === 1);
  });
});

describe('a signed bundle in a file', () => {
  const bundle = bundleOf(manyEntries(10));

  test('is handed over with its digest', async (t) => {
    const { recorder } = await newFile(t, await exportBundle(bundle, KEY), { keys: () => KEYS });
    assert.deepEqual(recorder.lines, [`stable ${shortDigest(bundle.digest)}`]);
    assert.equal(recorder.candidates[0]?.entries.length, 20);
  });

  test('is refused with a foreign key, and so is everything unsigned', async (t) => {
    const { path, recorder } = await newFile(t, await exportBundle(bundle, generateSigningKey()), { keys: () => KEYS });
    assert.deepEqual(recorder.lines, ['refused UnknownKey']);
    await writeFile(path, pathOf('/a'));
    await recorder.said('refused Malformed');
    assert.match(recorder.refusals[1]?.message ?? '', /only a signed bundle/);
    assert.deepEqual(recorder.candidates, []);
  });
});

describe('the file of verifying keys', () => {
  test('is followed; one that is not good changes nothing', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'keys.json');
    const next = generateSigningKey();
    const recorder = new Recorder();
    assert.ok(!(await KeyFile.open(path, recorder.log)).ok);
    unwrap(await writeKeySet(path, [KEY]));
    const file = unwrap(await KeyFile.open(path, recorder.log, 10));
    t.after(() => file.stop());
    const before = file.current();
    assert.deepEqual(file.kids(), [KEY.kid]);
    await writeFile(path, '{"keys":[]}');
    await until('said', () => recorder.logged.some((line) => line.includes('the known ones stay')));
    assert.equal(file.current(), before);
    unwrap(await writeKeySet(path, [KEY, next]));
    await until('read', () => file.kids().length === 2);
    assert.deepEqual(new Set(file.kids()), new Set(keySetOf([KEY, next]).keys()));
  });
});

test('a folder source follows the fleet’s folder, also one that is made later', async (t) => {
  const { root, putBundle, putHead } = await newFleet(t);
  const recorder = new Recorder();
  const bundle = bundleOf(manyEntries(2));
  const options = { fleet: FLEET, clusterUid: 'cluster-1', podUid: 'pod', keys: () => KEYS, supports: SUPPORTS };
  const source = folderSource({ ...options, folder: root, disk: null, log: recorder.log, pollMs: 10 });
  recorder.source = source;
  t.after(async () => source.stop());
  await source.start(recorder);
  await putBundle(bundle);
  await putHead(bundle);
  await recorder.said(`stable ${shortDigest(bundle.digest)}`);
});
