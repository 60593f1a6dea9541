/** The compressed form in which objects are stored. Digests are over what is inside, so its bytes need not be stable. */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { ok, type Result } from '../contract/result.ts';
import { refuse, type Refused } from './refused.ts';

const gzipAsync = promisify(gzip);
const gunzipAsync = promisify(gunzip);

export async function pack(bytes: Buffer): Promise<Buffer> {
  return gzipAsync(bytes);
}

/** @param maxBytes most bytes that may come out: decompression stops there, so that a small bomb stays small */
export async function unpack(stored: Buffer, maxBytes: number): Promise<Result<Buffer, Refused>> {
  try {
    return ok(await gunzipAsync(stored, { maxOutputLength: maxBytes }));
  } catch (error) {
    const tooLarge = error instanceof RangeError;
    return tooLarge
      ? refuse('TooLarge', `decompressed, the object is over ${maxBytes} bytes`)
      : refuse('Malformed', 'the object is not gzip');
  }
}
