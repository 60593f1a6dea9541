/** Reading JSON of which only one spelling is accepted: the canonical one (RFC 8785). */
import { isUtf8 } from 'node:buffer';
import { canonicalText, type Json } from '../contract/canonical.ts';
import { ok, type Result } from '../contract/result.ts';
import { refuse, type Refused } from './refused.ts';

/** Any JSON text. */
export function parseJson(text: string, what: string): Result<unknown, Refused> {
  try {
    return ok(JSON.parse(text) as unknown);
  } catch {
    return refuse('Malformed', `${what} is not JSON`);
  }
}

/**
 * Parses bytes and compares them with their own canonical form, so that white space, key order, repeated keys, other
 * spellings of a number or string and invalid UTF-8 are all refused: what is signed or hashed has one reading.
 */
export function parseCanonical(bytes: Buffer, what: string): Result<unknown, Refused> {
  // Decoding maps every invalid sequence to the same replacement character.
  if (!isUtf8(bytes)) return refuse('Malformed', `${what} is not UTF-8`);
  const text = bytes.toString('utf8');
  const parsed = parseJson(text, what);
  if (!parsed.ok || isPlainlyCanonical(parsed.value, text)) return parsed;
  let again: string;
  try {
    again = canonicalText(parsed.value as Json);
  } catch {
    // Lone surrogates, or numbers out of range.
    return refuse('Malformed', `${what} has a value without canonical form`);
  }
  return again === text ? parsed : refuse('Malformed', `${what} is not canonical JSON`);
}

/** JSON.stringify writes these escapes for half a surrogate pair only, which has no canonical form. */
const SURROGATE_ESCAPE = /\\ud[89a-f]/;

/**
 * Whether a text is canonical, seen with the platform’s own writer, which is several times faster: RFC 8785 is what
 * JSON.stringify writes when keys are sorted. False where that cannot be told.
 */
function isPlainlyCanonical(value: unknown, text: string): boolean {
  try {
    return JSON.stringify(value) === text && !SURROGATE_ESCAPE.test(text) && hasSortedKeys(value);
  } catch {
    // Nested deeper than it can follow.
    return false;
  }
}

function hasSortedKeys(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(hasSortedKeys);
  let previous: string | undefined;
  for (const [key, item] of Object.entries(value)) {
    if (previous !== undefined && previous >= key) return false;
    if (!hasSortedKeys(item)) return false;
    previous = key;
  }
  return true;
}
