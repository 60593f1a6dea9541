/** Keys that sign and verify heads: Ed25519, named by their RFC 7638 thumbprint. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { canonicalText } from '../contract/canonical.ts';
import { keySetSchema, type KeySetFile, type PublicJwk } from '../contract/keySet.ts';
import { limit } from '../contract/limits.ts';
import { fail, ok, type Result } from '../contract/result.ts';
import { Secret } from '../contract/secret.ts';
import { parseJson } from './json.ts';
import { checker } from './schemas.ts';

const checkKeySet = checker<KeySetFile>(keySetSchema, 'key set');

/** Verifying keys by kid. */
export type KeySet = ReadonlyMap<string, KeyObject>;

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: Secret<KeyObject>;
  readonly publicJwk: PublicJwk;
}

/** RFC 7638 over the required members of an OKP key (RFC 8037 §2). */
function thumbprint(x: string): string {
  return createHash('sha256')
    .update(canonicalText({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url');
}

function publicJwkOf(key: KeyObject): PublicJwk {
  const x = key.export({ format: 'jwk' }).x ?? '';
  return { kty: 'OKP', crv: 'Ed25519', x, kid: thumbprint(x), use: 'sig', alg: 'Ed25519' };
}

export function generateSigningKey(): SigningKey {
  return signingKeyOf(generateKeyPairSync('ed25519').privateKey);
}

function signingKeyOf(privateKey: KeyObject): SigningKey {
  const publicJwk = publicJwkOf(createPublicKey(privateKey));
  return { kid: publicJwk.kid, privateKey: new Secret(privateKey), publicJwk };
}

/** PKCS #8 PEM, for the one place that keeps private keys. */
export function signingKeyPem(key: SigningKey): Secret {
  return new Secret(key.privateKey.reveal().export({ format: 'pem', type: 'pkcs8' }).toString());
}

export function readSigningKey(pem: Secret): Result<SigningKey> {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem.reveal());
  } catch {
    return fail('the file holds no private key in PEM');
  }
  return key.asymmetricKeyType === 'ed25519' ? ok(signingKeyOf(key)) : fail('the private key is not an Ed25519 key');
}

/** The set that verifies what these keys sign. */
export function keySetOf(keys: readonly SigningKey[]): KeySet {
  return new Map(keys.map((key) => [key.kid, createPublicKey(key.privateKey.reveal())]));
}

/** The file that proxies are given: a JWK set (RFC 7517 §5) of public keys. */
export function keySetText(keys: readonly SigningKey[]): string {
  return `${JSON.stringify({ keys: keys.map((key) => key.publicJwk) }, null, 2)}\n`;
}

/**
 * Reads verifying keys: a JWK set, or public keys in PEM one after the other. Never a private key.
 *
 * @param text the whole file
 */
export function readKeySet(text: string): Result<KeySet> {
  return text.trimStart().startsWith('{') ? readJwkSet(text) : readPemKeys(text);
}

function readJwkSet(text: string): Result<KeySet> {
  const parsed = parseJson(text, 'the key set');
  const checked = parsed.ok ? checkKeySet(parsed.value) : parsed;
  if (!checked.ok) return fail(checked.error.message);
  const keys = new Map<string, KeyObject>();
  for (const jwk of checked.value.keys) {
    if (jwk.kid !== thumbprint(jwk.x)) return fail(`kid ${jwk.kid} is not the thumbprint of its key`);
    if (keys.has(jwk.kid)) return fail(`kid ${jwk.kid} is there twice`);
    try {
      keys.set(jwk.kid, createPublicKey({ key: { kty: jwk.kty, crv: jwk.crv, x: jwk.x }, format: 'jwk' }));
    } catch {
      return fail(`key ${jwk.kid} is not an Ed25519 key`);
    }
  }
  return ok(keys);
}

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----[A-Za-z0-9+/=\s]{1,4096}-----END \1-----/g;

function readPemKeys(text: string): Result<KeySet> {
  const blocks = [...text.matchAll(PEM_BLOCK)];
  if (blocks.length === 0) return fail('the file holds neither a JWK set nor a public key in PEM');
  if (blocks.length > limit('keysPerKeySet')) return fail(`the file holds ${blocks.length} keys`);
  const keys = new Map<string, KeyObject>();
  for (const [pem, label] of blocks) {
    // createPublicKey would take a private key and derive the public one: a proxy must not hold it in the first place.
    if (label !== 'PUBLIC KEY') return fail(`"${label}" is not a public key`);
    let key: KeyObject;
    try {
      key = createPublicKey(pem);
    } catch {
      return fail('a public key is malformed');
    }
    if (key.asymmetricKeyType !== 'ed25519') return fail('a public key is not an Ed25519 key');
    keys.set(publicJwkOf(key).kid, key);
  }
  return ok(keys);
}

/**
 * The key to sign with: the newest that every proxy knows, else the oldest. A proxy that has not answered (null), and a
 * fleet from which nobody has answered yet, may know the oldest only.
 *
 * @param keys oldest first; at least one
 */
export function signingKeyFor(
  keys: readonly SigningKey[],
  acks: readonly ({ readonly knownKids: readonly string[] } | null)[],
): SigningKey {
  const [oldest] = keys;
  if (oldest === undefined) throw new TypeError('there is no signing key');
  if (acks.length === 0) return oldest;
  return keys.findLast((key) => acks.every((ack) => ack?.knownKids.includes(key.kid) === true)) ?? oldest;
}
