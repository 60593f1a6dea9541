/** Canonical bytes and digests: the same content has the same digest, whoever wrote it and in whatever key order. */
import { createHash } from 'node:crypto';
import canonicalizeJson from 'canonicalize';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** `sha256:` and 64 hex digits. */
export type Digest = `sha256:${string}`;

export const DIGEST_PATTERN = '^sha256:[0-9a-f]{64}$';
const DIGEST = new RegExp(DIGEST_PATTERN);

/** RFC 8785 text of a JSON value. Throws on values JSON cannot carry (a programming error). */
export function canonicalText(value: Json): string {
  const text = canonicalizeJson(value);
  if (text === undefined) throw new TypeError('value has no canonical JSON form');
  return text;
}

export function canonicalBytes(value: Json): Buffer {
  return Buffer.from(canonicalText(value), 'utf8');
}

/** sha256 over uncompressed bytes. */
export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function digestOfJson(value: Json): Digest {
  return digestOf(canonicalBytes(value));
}

export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && DIGEST.test(text);
}

/** First twelve hex digits, as shown in tables and logs. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}
