/** HTTP-version (RFC 9112 §2.3): `HTTP/` in capitals, one digit, a dot, one digit. */
import { byteAt } from './chars.ts';

export const VERSION_LENGTH = 8;
/** Well-formed, but neither 1.0 nor 1.1. */
export const OTHER_VERSION = 2;
export const NO_VERSION = -1;

/** Minor version at `at`, OTHER_VERSION or NO_VERSION. Byte by byte: one Buffer.compare costs as much as a whole line. */
export function readVersion(buffer: Buffer, at: number): 0 | 1 | typeof OTHER_VERSION | typeof NO_VERSION {
  const prefixed =
    buffer[at] === 0x48 && // H
    buffer[at + 1] === 0x54 && // T
    buffer[at + 2] === 0x54 && // T
    buffer[at + 3] === 0x50 && // P
    buffer[at + 4] === 0x2f && // /
    buffer[at + 6] === 0x2e; // .
  if (!prefixed) return NO_VERSION;
  const major = byteAt(buffer, at + 5) - 0x30;
  const minor = byteAt(buffer, at + 7) - 0x30;
  if (major < 0 || major > 9 || minor < 0 || minor > 9) return NO_VERSION;
  if (major !== 1 || minor > 1) return OTHER_VERSION;
  return minor === 0 ? 0 : 1;
}
