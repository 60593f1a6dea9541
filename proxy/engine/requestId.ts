/** Request ids: `req_` and 24 hex digits, unless the client brings a usable one. */
import { randomFillSync } from 'node:crypto';

const ID_BYTES = 12;
const IDS_PER_FILL = 512;

/** Makes ids that nobody can guess, from random bytes fetched for many at a time. */
export function createRequestIds(): () => string {
  const random = Buffer.allocUnsafeSlow(ID_BYTES * IDS_PER_FILL);
  let offset = random.length;
  return () => {
    if (offset === random.length) {
      randomFillSync(random);
      offset = 0;
    }
    offset += ID_BYTES;
    return `req_${random.toString('hex', offset - ID_BYTES, offset)}`;
  };
}

/** A token (RFC 9110 §5.6.2) of at most 128 characters: safe in a header, a log line and a shell. */
const USABLE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/;

export function isUsableRequestId(id: string): boolean {
  return USABLE.test(id);
}
