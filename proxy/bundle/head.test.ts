import assert from 'node:assert/strict';
import { createHmac, sign } from 'node:crypto';
import { describe, test } from 'node:test';
import { canonicalText, digestOf, type Json } from '../contract/canonical.ts';
import type { Head, HeadFile } from '../contract/head.ts';
import { limit } from '../contract/limits.ts';
import { exportBundle } from './exportedBundle.ts';
import { fitHead, packInline, readInline, signHead, verifyHead } from './head.ts';
import { generateSigningKey, keySetOf, type SigningKey } from './keys.ts';
import { bundleOf, candidateOf, CLUSTER, FLEET, headOf, manyEntries, reasonOf, unwrap } from './testkit.ts';

const key = generateSigningKey();
const bundle = bundleOf(manyEntries(3));
const head = headOf(bundle.digest, { candidate: candidateOf(bundle.digest) });
const trust = { keys: keySetOf([key]), clusterUid: CLUSTER, fleet: FLEET, minGeneration: 0 };
const verify = async (file: unknown, changes: Partial<typeof trust> = {}) => verifyHead(file, { ...trust, ...changes });

const part = (value: Json | string) =>
  Buffer.from(typeof value === 'string' ? value : canonicalText(value)).toString('base64url');
/** A JWS with any header and payload, signed properly over exactly those. */
function forge(header: Json | string, payload: Json | string = head, by: SigningKey = key): HeadFile {
  const input = `${part(header)}.${part(payload)}`;
  return { jws: `${input}.${sign(null, Buffer.from(input), by.privateKey.reveal()).toString('base64url')}` };
}
const goodHeader = { alg: 'Ed25519', kid: key.kid, typ: 'mrp-head+jws' };

describe('verifyHead', () => {
  test('takes what signHead signed', async () => {
    const verified = unwrap(await verify(await signHead(head, key)));
    assert.deepEqual(verified.head, head);
    assert.equal(verified.kid, key.kid);
    assert.equal(verified.digest, digestOf(Buffer.from(canonicalText(head))));
  });

  test('takes a head forged with the right key and spelling, so that the refusals below are for what they say', async () => {
    assert.ok((await verify(forge(goodHeader))).ok);
  });

  test('refuses a head of another cluster, of another fleet and of an older generation', async () => {
    const file = await signHead(head, key);
    assert.equal(reasonOf(await verify(file, { clusterUid: 'cluster-2' })), 'WrongCluster');
    assert.equal(reasonOf(await verify(file, { fleet: 'edge/other' })), 'WrongFleet');
    assert.equal(reasonOf(await verify(file, { minGeneration: head.generation + 1 })), 'OlderGeneration');
    assert.ok((await verify(file, { minGeneration: head.generation })).ok);
  });

  test('refuses a foreign key, also one that claims a known kid', async () => {
    const foreign = generateSigningKey();
    assert.equal(reasonOf(await verify(await signHead(head, foreign))), 'UnknownKey');
    assert.equal(reasonOf(await verify(forge(goodHeader, head, foreign))), 'Signature');
  });

  test('refuses alg none, with and without a signature', async () => {
    const header = part({ ...goodHeader, alg: 'none' });
    assert.equal(reasonOf(await verify({ jws: `${header}.${part(head)}.` })), 'Malformed');
    assert.equal(reasonOf(await verify({ jws: `${header}.${part(head)}.AAAA` })), 'Signature');
    assert.equal(reasonOf(await verify(forge({ ...goodHeader, alg: 'none' }))), 'Signature');
  });

  test('refuses an HMAC with the public key’s bytes as secret', async () => {
    const x = Buffer.from(key.publicJwk.x, 'base64url');
    const pem = keySetOf([key]).get(key.kid)?.export({ format: 'pem', type: 'spki' }) ?? '';
    for (const secret of [x, Buffer.from(key.publicJwk.x), pem]) {
      const input = `${part({ ...goodHeader, alg: 'HS256' })}.${part(head)}`;
      const jws = `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
      assert.equal(reasonOf(await verify({ jws })), 'Signature');
    }
  });

  test('refuses every header member beside alg, kid and typ, though the signature is right', async () => {
    const more: Record<string, Json>[] = [
      { jwk: key.publicJwk },
      { jku: 'https://attacker.example/keys' },
      { x5u: 'https://attacker.example/cert' },
      { x5c: ['MIIB'] },
      { crit: ['b64'], b64: true },
      { cty: 'x' },
      { zip: 'DEF' },
    ];
    for (const members of more) {
      const reason = reasonOf(await verify(forge({ ...goodHeader, ...members })));
      assert.equal(reason, 'Signature', JSON.stringify(members));
    }
  });

  test('refuses another algorithm name or type for the right key', async () => {
    for (const header of [
      { ...goodHeader, alg: 'EdDSA' },
      { ...goodHeader, typ: 'mrp-bundle+jws' },
      { ...goodHeader, typ: 'JWT' },
      { alg: 'Ed25519', kid: key.kid },
      { alg: 'Ed25519', typ: 'mrp-head+jws' },
    ]) {
      assert.equal(reasonOf(await verify(forge(header))), 'Signature');
    }
  });

  test('a kid that is a path, SQL or a property of every object is only unknown', async () => {
    for (const kid of ['../../etc/passwd', "' OR 1=1 --", '__proto__', 'constructor', '', 'x'.repeat(5_000)]) {
      assert.equal(reasonOf(await verify(forge({ ...goodHeader, kid }))), 'UnknownKey', kid.slice(0, 20));
    }
    assert.equal(reasonOf(await verify(forge({ ...goodHeader, kid: 5 }))), 'Signature');
  });

  test('refuses a header or payload that is not canonical JSON', async () => {
    const spaced = JSON.stringify(goodHeader, null, 1);
    assert.equal(reasonOf(await verify(forge(spaced))), 'Signature');
    assert.equal(reasonOf(await verify(forge(goodHeader, JSON.stringify(head, null, 1)))), 'Malformed');
    const twice = canonicalText(head).replace('"generation":1000', '"generation":1,"generation":1000');
    assert.equal(reasonOf(await verify(forge(goodHeader, twice))), 'Malformed');
    assert.equal(reasonOf(await verify(forge(goodHeader, 'no json'))), 'Malformed');
  });

  test('refuses base64url that is not the one spelling of its bytes', async () => {
    const { jws } = await signHead(head, key);
    // 64 bytes leave four spare bits in the last character of the signature.
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const at = last.indexOf(jws.slice(-1));
    const respelled = jws.slice(0, -1) + (last[at ^ 1] ?? '');
    assert.deepEqual(
      Buffer.from(respelled.split('.')[2] ?? '', 'base64url'),
      Buffer.from(jws.split('.')[2] ?? '', 'base64url'),
    );
    assert.equal(reasonOf(await verify({ jws: respelled })), 'Signature');
    for (const other of [`${jws}=`, jws.replace('.', '.\n'), `${jws}.AAAA`, jws.replaceAll('-', '+')]) {
      if (other !== jws) assert.ok(!(await verify({ jws: other })).ok, other.slice(-20));
    }
  });

  test('refuses a head with unknown fields, or without those it needs', async () => {
    const { stable: _stable, ...without } = head;
    assert.equal(reasonOf(await verify(forge(goodHeader, without))), 'Malformed');
    assert.equal(reasonOf(await verify(forge(goodHeader, { ...head, more: 1 }))), 'Malformed');
    assert.equal(reasonOf(await verify(forge(goodHeader, { ...head, generation: 1.5 }))), 'Malformed');
  });

  test('refuses files that are no head files', async () => {
    const { jws } = await signHead(head, key);
    for (const file of [
      null,
      1,
      'x',
      [],
      {},
      { jws: 5 },
      { jws, more: 1 },
      { jws, inline: { x: 'y' } },
      { jws, inline: [] },
    ]) {
      assert.equal(reasonOf(await verify(file)), 'Malformed', JSON.stringify(file)?.slice(0, 30));
    }
    assert.equal(reasonOf(await verify({ jws: `${'A'.repeat(limit('headBytes'))}.A.A` })), 'Malformed');
  });

  test('does not take the signature of an exported bundle for a head’s', async () => {
    const { jws } = JSON.parse(await exportBundle(bundle, key)) as { jws: string };
    assert.equal(reasonOf(await verify({ jws })), 'Signature');
  });
});

describe('signHead', () => {
  test('throws on a head that no proxy would take', async () => {
    await assert.rejects(signHead({ ...head, generation: 0 }, key), TypeError);
  });
});

describe('objects in a head file', () => {
  const [shard] = bundle.shards;
  assert.ok(shard !== undefined);

  test('are read by digest', async () => {
    const file = { jws: 'a.b.c', inline: { [shard.digest]: await packInline(shard.bytes) } };
    assert.deepEqual(await readInline(file, shard.digest), shard.bytes);
    assert.equal(await readInline(file, bundle.digest), undefined);
    assert.equal(await readInline({ jws: 'a.b.c' }, shard.digest), undefined);
  });

  test('are as if they were not there when they are not what their name says', async () => {
    const other = await packInline(bundle.manifest.bytes);
    for (const text of [other, 'no base64 at all', '', other.slice(0, 40)]) {
      assert.equal(await readInline({ jws: 'a.b.c', inline: { [shard.digest]: text } }, shard.digest), undefined);
    }
  });
});

describe('fitHead', () => {
  const text = 'x'.repeat(1_000);
  const many = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i));
  const large: Head = headOf(bundle.digest, {
    holds: many(500, (i) => ({
      object: `ProxyRoute/${'n'.repeat(63)}/${'m'.repeat(240)}${i}`,
      digest: bundle.digest,
      reason: text,
      since: i,
      failedIn: [bundle.digest],
    })),
    rejected: many(500, (i) => ({ digest: bundle.digest, reason: text, at: i })),
    history: many(500, (i) => ({
      digest: bundle.digest,
      outcome: 'Promoted' as const,
      reason: 'StagesPassed',
      message: text,
      cause: 'Change' as const,
      at: 1_000 - i,
    })),
  });

  test('leaves a head that fits as it is', () => {
    assert.deepEqual(fitHead(head), head);
  });

  test('drops the oldest and shortens reasons until the head can be published, and keeps what decides', async () => {
    const fitted = fitHead(large);
    const file = await signHead(fitted, key);
    assert.ok(file.jws.length <= limit('headBytes'));
    assert.ok((await verify(file)).ok);
    assert.deepEqual(fitted.stable, large.stable);
    assert.ok(fitted.holds.length > 0);
    assert.ok(
      fitted.holds.some((hold) => hold.since === 499),
      'the newest hold stays',
    );
    assert.ok(fitted.history.length <= limit('rolloutHistory'));
    assert.deepEqual(fitted.history[0] ?? large.history[0], large.history[0], 'the newest history stays');
  });
});
