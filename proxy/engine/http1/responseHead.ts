/** From a scanned response head to a ResponseHead (RFC 9112 §4, §6.3). */
import { byteAt, SP } from './chars.ts';
import { connectionOptions, persists } from './connectionOptions.ts';
import { CHUNKED, declaredLength, NO_LENGTH } from './framing.ts';
import type { HeaderBlock } from './headerBlock.ts';
import type { Refusal, StartLineReader } from './headScanner.ts';
import type { Framing, HttpMinor, ResponseHead } from './types.ts';
import { NO_VERSION, OTHER_VERSION, readVersion } from './version.ts';

function bad(detail: string): Refusal {
  return { code: 'upstream_protocol_error', detail };
}

/** Version, status and where the reason phrase is, as offsets from the start of the line. */
export class StatusLine implements StartLineReader {
  minor: HttpMinor = 1;
  status = 0;
  reasonStart = 0;
  reasonEnd = 0;

  /** `HTTP/1.x 200 reason`; the space before an empty reason may be missing, as some servers have it. */
  readStartLine(buffer: Buffer, start: number, end: number): Refusal | null {
    const minor = end - start < 12 ? NO_VERSION : readVersion(buffer, start);
    if (minor === NO_VERSION || buffer[start + 8] !== SP) return bad('the status line is malformed');
    if (minor === OTHER_VERSION) return bad('the version is not HTTP/1.0 or 1.1');
    let status = 0;
    for (let pos = start + 9; pos < start + 12; pos++) {
      const digit = byteAt(buffer, pos) - 0x30;
      if (digit < 0 || digit > 9) return bad('the status is not three digits');
      status = status * 10 + digit;
    }
    if (status < 100) return bad('the status is below 100');
    if (end - start > 12 && buffer[start + 12] !== SP) return bad('the status is not three digits');
    this.minor = minor;
    this.status = status;
    this.reasonStart = Math.min(13, end - start);
    this.reasonEnd = end - start;
    return null;
  }
}

/** `method` and `upgradeSent` are the request's: what the framing of a response depends on beside the response itself. */
export function interpretResponse(
  line: StatusLine,
  source: string,
  headers: HeaderBlock,
  method: string,
  upgradeSent: boolean,
): ResponseHead | Refusal {
  const { minor, status } = line;
  const length = declaredLength(headers, minor, 'upstream_protocol_error');
  if (typeof length !== 'number') return length;
  const options = connectionOptions(headers);
  if (options === null) return bad('Connection holds too many options');
  const bodiless = status < 200 || status === 204;
  // A sender must not frame these at all (RFC 9112 §6.1, §6.2); `Content-Length: 0` is common and harmless.
  if (bodiless && (length === CHUNKED || length > 0)) return bad('a response that has no body declares one');
  if (status === 101 && !upgradeSent) return bad('101 to a request without Upgrade');
  if (status < 200 && minor === 0) return bad('an interim response in HTTP/1.0');
  const upgrade = status === 101 || (method === 'CONNECT' && status >= 200 && status < 300);
  const framing = upgrade || bodiless ? 'none' : framingOf(status, method, length);
  return {
    minor,
    status,
    reason: line.reasonStart === line.reasonEnd ? '' : source.slice(line.reasonStart, line.reasonEnd),
    headers,
    framing,
    contentLength: framing === 'length' ? length : 0,
    keepAlive: persists(options, minor) && framing !== 'close' && !upgrade,
    upgrade,
    nominated: options.nominated,
  };
}

function framingOf(status: number, method: string, length: number): Framing {
  if (method === 'HEAD' || status === 304) return 'none';
  if (length === CHUNKED) return 'chunked';
  if (length === NO_LENGTH) return 'close';
  return length > 0 ? 'length' : 'none';
}
