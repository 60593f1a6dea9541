/** The one reading of hosts, for the Host field of requests and the hosts of routes alike. */
import { isIPv6 } from 'node:net';

/** RFC 1123 names, and underscores, which live in many clusters. Labels of up to 63, 253 in all. */
const HOSTNAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
const PORT = /^:[0-9]{0,5}$/;
const MAX_PORT = 65_535;
const MAX_LABEL = 63;
const MAX_NAME = 253;

/** Whether a lower-case text is a hostname or an IPv4 address. */
export function isHostname(text: string): boolean {
  return HOSTNAME.test(text);
}

/** How a character of a host is read by the fast scan; everything else is left to the slow one. */
const OTHER = 0;
const PLAIN = 1;
const HYPHEN = 2;
const DOT = 3;
const COLON = 4;
const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  if (/[a-z0-9_]/.test(String.fromCharCode(code))) return PLAIN;
  return (
    new Map([
      ['-', HYPHEN],
      ['.', DOT],
      [':', COLON],
    ]).get(String.fromCharCode(code)) ?? OTHER
  );
});

/**
 * The host of a Host field (or of a target in absolute-form): without port and trailing dot, in lower case, IPv6
 * addresses in brackets and in their one canonical form (RFC 5952). Undefined where it must be answered with
 * `invalid_host`: RFC 9112 §3.2 asks for 400. Returns the same string when nothing needs doing.
 */
export function normalizeHost(hostHeader: string): string | undefined {
  // Nearly every request has a plain lower-case name, maybe with a port: one pass, no regular expression.
  let before = DOT;
  let labelAt = 0;
  let end = 0;
  for (; end < hostHeader.length; end += 1) {
    const code = hostHeader.charCodeAt(end);
    const kind = code < 128 ? (KINDS[code] ?? OTHER) : OTHER;
    if (kind === COLON) break;
    if (kind === OTHER || (kind !== PLAIN && before === DOT) || (kind === DOT && before === HYPHEN))
      return normalizeSlowly(hostHeader);
    if (kind === DOT) labelAt = end + 1;
    if (end - labelAt >= MAX_LABEL) return undefined;
    before = kind;
  }
  if (before !== PLAIN || end > MAX_NAME) return normalizeSlowly(hostHeader);
  if (end === hostHeader.length) return hostHeader;
  return isPort(hostHeader.slice(end)) ? hostHeader.slice(0, end) : undefined;
}

function normalizeSlowly(hostHeader: string): string | undefined {
  if (hostHeader.startsWith('[')) return normalizeIpv6(hostHeader);
  const colon = hostHeader.indexOf(':');
  if (colon !== -1 && !isPort(hostHeader.slice(colon))) return undefined;
  const end = colon === -1 ? hostHeader.length : colon;
  const name = hostHeader.slice(0, hostHeader[end - 1] === '.' ? end - 1 : end).toLowerCase();
  return isHostname(name) ? name : undefined;
}

function normalizeIpv6(hostHeader: string): string | undefined {
  const close = hostHeader.indexOf(']');
  const address = hostHeader.slice(1, close);
  const rest = hostHeader.slice(close + 1);
  // Zone ids (`fe80::1%eth0`) mean nothing to anybody but their sender.
  if (close === -1 || address.includes('%') || !isIPv6(address)) return undefined;
  if (rest !== '' && !isPort(rest)) return undefined;
  return new URL(`http://[${address}]`).hostname;
}

/** `:` and a port, which RFC 3986 §3.2.3 lets be empty. */
function isPort(text: string): boolean {
  return PORT.test(text) && Number(text.slice(1)) <= MAX_PORT;
}
