/** Canonical text and place in the trie of an entry, computed once per entry. */
import { hash } from 'node:crypto';
import { canonicalText } from '../contract/canonical.ts';
import { entryJson, entryKey, type Entry } from '../contract/document/entries.ts';

/** The first 64 bits of sha256 over an entry’s key, most significant first. */
export interface KeyBits {
  readonly high: number;
  readonly low: number;
}

/** Deepest prefix; beyond it two keys would share 64 bits of sha256. */
export const MAX_PREFIX_BITS = 64;

export function keyBits(key: string): KeyBits {
  const digest = hash('sha256', key, 'buffer');
  return { high: digest.readUInt32BE(0), low: digest.readUInt32BE(4) };
}

/** Bit `index` counted from the most significant. */
export function bitAt(bits: KeyBits, index: number): 0 | 1 {
  const word = index < 32 ? bits.high : bits.low;
  return ((word >>> (31 - (index & 31))) & 1) === 1 ? 1 : 0;
}

export function hasPrefix(bits: KeyBits, prefix: string): boolean {
  for (let i = 0; i < prefix.length; i++) {
    if (bitAt(bits, i) !== (prefix.charCodeAt(i) & 1)) return false;
  }
  return true;
}

export interface PreparedEntry {
  readonly entry: Entry;
  readonly key: string;
  readonly bits: KeyBits;
  readonly text: string;
  readonly bytes: number;
}

// Entries are immutable, and those of unchanged objects are the same objects in the next build.
const prepared = new WeakMap<Entry, PreparedEntry>();

/** Throws where the value has no canonical form (lone surrogates, numbers that are not finite). */
export function prepareEntry(entry: Entry): PreparedEntry {
  const known = prepared.get(entry);
  if (known !== undefined) return known;
  const key = entryKey(entry);
  const text = canonicalText(entryJson(entry));
  const made = { entry, key, bits: keyBits(key), text, bytes: Buffer.byteLength(text) };
  prepared.set(entry, made);
  return made;
}
