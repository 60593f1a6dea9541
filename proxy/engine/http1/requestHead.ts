/** From a scanned request head to a RequestHead: target, Host, framing, connection (RFC 9112 §3, §6, §9). */
import { parseAuthority, type Authority } from './authority.ts';
import { byteAt, classOf, SP, TARGET, TOKEN } from './chars.ts';
import { connectionOptions, persists, type ConnectionOptions } from './connectionOptions.ts';
import { CHUNKED, declaredLength } from './framing.ts';
import type { HeaderBlock } from './headerBlock.ts';
import type { Refusal, StartLineReader } from './headScanner.ts';
import { KnownHeader } from './knownHeaders.ts';
import type { HttpMinor, RequestHead } from './types.ts';
import { NO_VERSION, OTHER_VERSION, readVersion, VERSION_LENGTH } from './version.ts';

/** Enough for every registered method (the longest has 17 letters). */
const MAX_METHOD_LENGTH = 32;

function bad(detail: string): Refusal {
  return { code: 'bad_request', detail };
}

/** Method, target and version, as lengths from the start of the line. */
export class RequestLine implements StartLineReader {
  methodLength = 0;
  targetLength = 0;
  minor: HttpMinor = 1;

  readStartLine(buffer: Buffer, start: number, end: number): Refusal | null {
    let pos = start;
    while (pos < end && classOf(TOKEN, byteAt(buffer, pos)) !== 0) pos++;
    if (pos === start || buffer[pos] !== SP) return bad('the method is not a token');
    this.methodLength = pos - start;
    if (this.methodLength > MAX_METHOD_LENGTH) return { code: 'not_implemented', detail: 'the method is too long' };
    const targetStart = ++pos;
    while (pos < end && classOf(TARGET, byteAt(buffer, pos)) !== 0) pos++;
    if (pos === targetStart || buffer[pos] !== SP)
      return bad('the request-target is missing or holds a forbidden character');
    this.targetLength = pos - targetStart;
    const minor = end - pos === 1 + VERSION_LENGTH ? readVersion(buffer, pos + 1) : NO_VERSION;
    if (minor === NO_VERSION) return bad('the request line does not end in an HTTP version');
    if (minor === OTHER_VERSION) return { code: 'version_not_supported', detail: 'the version is not HTTP/1.0 or 1.1' };
    this.minor = minor;
    return null;
  }
}

/** Interprets heads of one connection; remembers its last Host, which hardly ever changes. */
export class RequestInterpreter {
  private lastHost = '';
  private lastAuthority: Authority | null = null;

  interpret(line: RequestLine, source: string, headers: HeaderBlock): RequestHead | Refusal {
    const { methodLength, targetLength, minor } = line;
    const method = methodName(source, methodLength);
    if (method === 'CONNECT') return { code: 'not_implemented', detail: 'CONNECT is not for a reverse proxy' };
    const target = source.slice(methodLength + 1, methodLength + 1 + targetLength);
    const authority = this.hostOf(headers);
    if ('code' in authority) return authority;
    const form = target.charCodeAt(0) === 0x2f ? null : otherForm(method, target, authority);
    if (form !== null && 'code' in form) return form;
    const length = declaredLength(headers, minor, 'bad_request');
    if (typeof length !== 'number') return length;
    const options = connectionOptions(headers);
    if (options === null) return bad('Connection holds too many options');
    return {
      method,
      target,
      path: form === null ? target : form.path,
      scheme: form === null ? '' : form.scheme,
      minor,
      headers,
      authority: this.lastHost,
      hostname: authority.hostname,
      port: authority.port,
      framing: length === CHUNKED ? 'chunked' : length > 0 ? 'length' : 'none',
      contentLength: length > 0 ? length : 0,
      keepAlive: persists(options, minor),
      upgrade: upgradeOf(headers, options, minor),
      expect: expectOf(headers, minor),
      acceptsTrailers: acceptsTrailers(headers),
      nominated: options.nominated,
    };
  }

  /** The one Host line (RFC 9112 §3.2), which HTTP/1.0 has to send too: nothing can be routed without it. */
  private hostOf(headers: HeaderBlock): Authority | Refusal {
    const at = headers.find(KnownHeader.host);
    if (at < 0) return { code: 'invalid_host', detail: 'Host is missing' };
    if (headers.find(KnownHeader.host, at + 1) >= 0) return { code: 'invalid_host', detail: 'Host is repeated' };
    const value = headers.value(at);
    if (this.lastAuthority !== null && value === this.lastHost) return this.lastAuthority;
    const authority = parseAuthority(value);
    if (authority === null) return { code: 'invalid_host', detail: 'Host is not a host name or address with a port' };
    // A copy: the slice would keep the whole head of this request alive for as long as the connection.
    this.lastHost = Buffer.from(value, 'latin1').toString('latin1');
    this.lastAuthority = authority;
    return authority;
  }
}

/** The method; constants for the usual ones, so that comparing them later is comparing pointers. */
function methodName(source: string, length: number): string {
  if (length === 3 && source.startsWith('GET')) return 'GET';
  if (length === 4 && source.startsWith('POST')) return 'POST';
  if (length === 4 && source.startsWith('HEAD')) return 'HEAD';
  return source.slice(0, length);
}

interface TargetForm {
  readonly path: string;
  readonly scheme: '' | 'http' | 'https';
}

const ABSOLUTE_FORM = /^(https?):\/\/([^/?]*)(.*)$/i;

/** Asterisk-form, or absolute-form whose authority must be the Host's (RFC 9112 §3.2.2, §3.2.4). */
function otherForm(method: string, target: string, host: Authority): TargetForm | Refusal {
  if (target === '*') return method === 'OPTIONS' ? { path: '*', scheme: '' } : bad('the target * is for OPTIONS only');
  const match = ABSOLUTE_FORM.exec(target);
  if (match === null) return bad('the request-target is neither a path nor an absolute URI');
  const [, schemeText = '', authorityText = '', rest = ''] = match;
  const scheme = schemeText.length === 5 ? 'https' : 'http';
  const authority = parseAuthority(authorityText);
  if (authority === null) return bad('the authority of the request-target is invalid');
  const defaultPort = scheme === 'https' ? 443 : 80;
  const same = authority.hostname === host.hostname && (authority.port || defaultPort) === (host.port || defaultPort);
  if (!same) return { code: 'invalid_host', detail: 'Host differs from the authority of the request-target' };
  if (rest === '') return { path: method === 'OPTIONS' ? '*' : '/', scheme };
  return { path: rest.startsWith('?') ? `/${rest}` : rest, scheme };
}

/** Upgrade counts only where Connection names it and the version is 1.1 (RFC 9110 §7.8). */
function upgradeOf(headers: HeaderBlock, options: ConnectionOptions, minor: HttpMinor): string {
  if (!options.upgrade || minor === 0) return '';
  return headers.getAll('upgrade').join(', ');
}

function expectOf(headers: HeaderBlock, minor: HttpMinor): RequestHead['expect'] {
  const at = headers.find(KnownHeader.expect);
  if (at < 0 || minor === 0) return 'none';
  const repeated = headers.find(KnownHeader.expect, at + 1) >= 0;
  return !repeated && headers.value(at).toLowerCase() === '100-continue' ? 'continue' : 'unknown';
}

function acceptsTrailers(headers: HeaderBlock): boolean {
  if (headers.find(KnownHeader.te) < 0) return false;
  const codings = headers.getAll('te').join(',').split(',');
  return codings.some((coding) => coding.trim().toLowerCase() === 'trailers');
}
