/** Compact JWS (RFC 7515) of which only one spelling is accepted: Ed25519, three header members, canonical everything. */
import { CompactSign, compactVerify } from 'jose';
import { canonicalBytes, canonicalText, type Json } from '../contract/canonical.ts';
import { ok, type Result } from '../contract/result.ts';
import { parseCanonical } from './json.ts';
import type { KeySet, SigningKey } from './keys.ts';
import { refuse, type Refused } from './refused.ts';

/** RFC 9864: the fully specified name, so that one word pins key type, curve and hash. */
const ALG = 'Ed25519';

/** `typ` keeps what was signed for one purpose from being taken for another (RFC 8725 §3.11). */
export type JwsType = 'mrp-head+jws' | 'mrp-bundle+jws';

export async function signJws(payload: Json, typ: JwsType, key: SigningKey): Promise<string> {
  return new CompactSign(canonicalBytes(payload))
    .setProtectedHeader({ alg: ALG, kid: key.kid, typ })
    .sign(key.privateKey.reveal());
}

export interface VerifiedJws {
  readonly payload: unknown;
  readonly kid: string;
}

/**
 * Verifies a compact JWS. The header must be exactly `{alg, kid, typ}`: `jku`, `x5u`, `jwk`, `crit` and any other member
 * are refused unread, and `kid` is only ever looked up in the key set.
 */
export async function verifyJws(jws: string, typ: JwsType, keys: KeySet): Promise<Result<VerifiedJws, Refused>> {
  const parts = jws.split('.');
  const [header, payload, signature] = parts.map(decodeCanonicalBase64url);
  if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined) {
    return refuse('Signature', 'the signature’s encoding is not canonical');
  }
  const kid = readKid(header, typ);
  if (kid === undefined) return refuse('Signature', `the header is not {alg: ${ALG}, kid, typ: ${typ}}`);
  const key = keys.get(kid);
  if (key === undefined) return refuse('UnknownKey', `no key ${JSON.stringify(kid.slice(0, 64))} is known here`);
  try {
    await compactVerify(jws, key, { algorithms: [ALG] });
  } catch {
    return refuse('Signature', 'the signature does not verify');
  }
  const parsed = parseCanonical(payload, 'what is signed');
  return parsed.ok ? ok({ payload: parsed.value, kid }) : parsed;
}

/** Base64url has spare bits, padding and other alphabets: only the spelling that encoding gives again is taken. */
function decodeCanonicalBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return text !== '' && bytes.toString('base64url') === text ? bytes : undefined;
}

function readKid(header: Buffer, typ: JwsType): string | undefined {
  const parsed = parseCanonical(header, 'the header');
  if (!parsed.ok || typeof parsed.value !== 'object' || parsed.value === null || !('kid' in parsed.value))
    return undefined;
  const { kid } = parsed.value;
  if (typeof kid !== 'string') return undefined;
  return canonicalText({ alg: ALG, kid, typ }) === header.toString('utf8') ? kid : undefined;
}
