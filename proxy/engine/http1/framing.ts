/** How long a body is (RFC 9112 §6): shared by both sides, which differ only in the code of the refusal. */
import type { ErrorCode } from '../../contract/errors.ts';
import type { HeaderBlock } from './headerBlock.ts';
import type { Refusal } from './headScanner.ts';
import { KnownHeader } from './knownHeaders.ts';
import type { HttpMinor } from './types.ts';

/** 15 digits are exact numbers, and more than any body. */
const MAX_LENGTH_DIGITS = 15;

const CONTENT_LENGTH_ID = KnownHeader['content-length'];
const TRANSFER_ENCODING_ID = KnownHeader['transfer-encoding'];

export const NO_LENGTH = -1;
export const CHUNKED = -2;

/**
 * Content-Length in bytes, NO_LENGTH or CHUNKED. Whatever two recipients could read differently is refused: both fields
 * at once, repeated or list values, codings other than chunked, chunked in HTTP/1.0 (RFC 9112 §6.1, §6.3).
 */
export function declaredLength(headers: HeaderBlock, minor: HttpMinor, malformed: ErrorCode): number | Refusal {
  const lengthAt = headers.find(CONTENT_LENGTH_ID);
  const codingAt = headers.find(TRANSFER_ENCODING_ID);
  if (codingAt >= 0) {
    if (lengthAt >= 0) return { code: malformed, detail: 'Content-Length beside Transfer-Encoding' };
    if (minor === 0) return { code: malformed, detail: 'Transfer-Encoding in HTTP/1.0' };
    if (headers.find(TRANSFER_ENCODING_ID, codingAt + 1) >= 0) {
      return { code: malformed, detail: 'Transfer-Encoding is repeated' };
    }
    if (headers.value(codingAt).toLowerCase() === 'chunked') return CHUNKED;
    return { code: malformed, detail: 'Transfer-Encoding is not exactly chunked' };
  }
  if (lengthAt < 0) return NO_LENGTH;
  const repeated = headers.find(CONTENT_LENGTH_ID, lengthAt + 1) >= 0;
  const length = repeated ? -1 : parseLength(headers.value(lengthAt));
  return length >= 0 ? length : { code: malformed, detail: 'Content-Length is not one decimal number' };
}

/** 1*DIGIT (RFC 9110 §8.6), or -1. */
function parseLength(text: string): number {
  if (text.length === 0 || text.length > MAX_LENGTH_DIGITS) return -1;
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}
