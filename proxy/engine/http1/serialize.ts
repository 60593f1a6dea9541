/** Heads and chunk framing as latin1 text, to be written with encoding 'latin1', head and body in one write. */
import { STATUS_CODES } from 'node:http';

/** Follows the data of every chunk. */
export const CHUNK_END = '\r\n';

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FORBIDDEN_IN_VALUE = /[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]/;
const PATH = /^[\x21-\x22\x24-\x7e]+$/;
const METHOD_AND_PATH_ERROR = 'method or path holds a character that would change the message';

/** `Name: value` and CRLF. Throws on names that are no tokens and on values that would end the line or aren't latin1. */
export function headerLine(name: string, value: string): string {
  if (!NAME.test(name)) throw new TypeError('header name is not a token');
  if (FORBIDDEN_IN_VALUE.test(value)) throw new TypeError(`value of ${name} holds a forbidden character`);
  return `${name}: ${value}\r\n`;
}

/**
 * Head of a request to an upstream. `lines` come from `forwardedLines` and `headerLine`, each with its CRLF; `path` may
 * have been rewritten, so it is checked. Throws on what would make another request of it.
 */
export function encodeRequestHead(method: string, path: string, lines: string): string {
  if (!NAME.test(method) || !PATH.test(path)) throw new TypeError(METHOD_AND_PATH_ERROR);
  return `${method} ${path} HTTP/1.1\r\n${lines}\r\n`;
}

/** Head of a response to a client. `reason` as received from the upstream, or the standard phrase when left out. */
export function encodeResponseHead(status: number, reason: string | undefined, lines: string): string {
  if (status === 200 && (reason === 'OK' || reason === undefined)) return `HTTP/1.1 200 OK\r\n${lines}\r\n`;
  return `HTTP/1.1 ${status} ${reason ?? STATUS_CODES[status] ?? ''}\r\n${lines}\r\n`;
}

/** Size line of a chunk of `bytes` (> 0, since 0 would end the body); the data and CHUNK_END follow. */
export function encodeChunkHeader(bytes: number): string {
  if (bytes <= 0) throw new RangeError('a chunk has at least one byte');
  return `${bytes.toString(16)}\r\n`;
}

/** End of a chunked body; `trailerLines` from `forwardedTrailers` and `headerLine`. */
export function encodeLastChunk(trailerLines = ''): string {
  return `0\r\n${trailerLines}\r\n`;
}
