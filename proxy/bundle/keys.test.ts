import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { calculateJwkThumbprint } from 'jose';
import { limit } from '../contract/limits.ts';
import { Secret } from '../contract/secret.ts';
import {
  generateSigningKey,
  keySetOf,
  keySetText,
  readKeySet,
  readSigningKey,
  signingKeyFor,
  signingKeyPem,
} from './keys.ts';
import { unwrap } from './testkit.ts';

const one = generateSigningKey();
const two = generateSigningKey();
const pemOf = (key: typeof one) =>
  createPublicKey(key.privateKey.reveal()).export({ format: 'pem', type: 'spki' }).toString();
const errorOf = (text: string) => {
  const read = readKeySet(text);
  assert.ok(!read.ok);
  return read.error;
};

describe('keys', () => {
  test('are named by their RFC 7638 thumbprint', async () => {
    assert.equal(one.kid, await calculateJwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x: one.publicJwk.x }));
    assert.notEqual(one.kid, two.kid);
  });

  test('a signing key survives being written and read', () => {
    const read = unwrap(readSigningKey(signingKeyPem(one)));
    assert.equal(read.kid, one.kid);
    assert.deepEqual(
      read.privateKey.reveal().export({ format: 'jwk' }),
      one.privateKey.reveal().export({ format: 'jwk' }),
    );
  });

  test('print nothing of the private key', () => {
    const secret = String(one.privateKey.reveal().export({ format: 'jwk' }).d);
    for (const text of [JSON.stringify(one), inspect(one, { depth: 9, showHidden: true }), String(one.privateKey)]) {
      assert.ok(!text.includes(secret));
    }
    assert.match(inspect(signingKeyPem(one)), /redacted/);
  });

  test('a signing key of another kind, or none, is refused', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs8' });
    assert.ok(!readSigningKey(new Secret(rsa.toString())).ok);
    assert.ok(!readSigningKey(new Secret('nothing')).ok);
    assert.ok(!readSigningKey(new Secret(pemOf(one))).ok);
  });
});

describe('a key set', () => {
  test('is read as a JWK set and as PEM, with the same kids', () => {
    const jwks = unwrap(readKeySet(keySetText([one, two])));
    const pem = unwrap(readKeySet(`${pemOf(one)}\n${pemOf(two)}`));
    assert.deepEqual([...jwks.keys()], [one.kid, two.kid]);
    assert.deepEqual([...pem.keys()], [one.kid, two.kid]);
    assert.deepEqual([...keySetOf([one, two]).keys()], [one.kid, two.kid]);
  });

  test('with a private key in it is refused, in both forms', () => {
    const jwk = { ...one.publicJwk, d: one.privateKey.reveal().export({ format: 'jwk' }).d };
    assert.match(errorOf(JSON.stringify({ keys: [jwk] })), /additional properties/);
    assert.match(errorOf(signingKeyPem(one).reveal()), /PRIVATE KEY/);
    assert.match(errorOf(`${pemOf(two)}${signingKeyPem(one).reveal()}`), /PRIVATE KEY/);
  });

  test('with a kid that is not the thumbprint, or there twice, is refused', () => {
    assert.match(errorOf(JSON.stringify({ keys: [{ ...one.publicJwk, kid: two.kid }] })), /thumbprint/);
    assert.match(errorOf(JSON.stringify({ keys: [one.publicJwk, one.publicJwk] })), /twice/);
  });

  test('of other keys, of none or of too many is refused', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
    assert.ok(!readKeySet(JSON.stringify({ keys: [ec.export({ format: 'jwk' })] })).ok);
    assert.match(errorOf(ec.export({ format: 'pem', type: 'spki' }).toString()), /not an Ed25519/);
    assert.ok(!readKeySet('{"keys":[]}').ok);
    assert.ok(!readKeySet('').ok);
    assert.ok(!readKeySet('{').ok);
    const many = limit('keysPerKeySet') + 1;
    assert.ok(!readKeySet(JSON.stringify({ keys: Array.from({ length: many }, () => one.publicJwk) })).ok);
    assert.ok(!readKeySet(pemOf(one).repeat(many)).ok);
  });
});

describe('signingKeyFor', () => {
  const knows = (...keys: (typeof one)[]) => ({ knownKids: keys.map((key) => key.kid) });

  test('takes the newest key that every proxy knows', () => {
    assert.equal(signingKeyFor([one, two], [knows(one, two), knows(one, two)]), two);
    assert.equal(signingKeyFor([one, two], [knows(one, two), knows(one)]), one);
  });

  test('stays with the oldest while a proxy has not answered, and before any has', () => {
    assert.equal(signingKeyFor([one, two], [knows(one, two), null]), one);
    assert.equal(signingKeyFor([one, two], []), one);
  });

  test('goes on with the newest when the old one was taken away', () => {
    assert.equal(signingKeyFor([two], [knows(one, two)]), two);
  });
});
