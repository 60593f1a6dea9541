/** Reading JSON of which only one spelling is accepted: the canonical one (RFC 8785). */
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
  const text = bytes.toString('utf8');
  const parsed = parseJson(text, what);
  if (!parsed.ok) return parsed;
  let again: string;
  try {
    again = canonicalText(parsed.value as Json);
  } catch {
    // Lone surrogates, or numbers out of range.
    return refuse('Malformed', `${what} has a value without canonical form`);
  }
  // Compared as bytes: decoding maps every invalid sequence to the same replacement character.
  if (!Buffer.from(again, 'utf8').equals(bytes)) return refuse('Malformed', `${what} is not canonical JSON`);
  return parsed;
}
