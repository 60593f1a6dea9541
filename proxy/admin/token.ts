import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../contract/secret.ts';

/** Compares in constant time whatever the lengths, by comparing digests. */
export function sameToken(given: string, expected: Secret): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected.reveal()));
}
