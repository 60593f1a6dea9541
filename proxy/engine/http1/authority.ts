/** Host values and authorities of absolute-form targets (RFC 9110 §7.2, RFC 3986 §3.2). */
import { isIPv6 } from 'node:net';

export interface Authority {
  /** Lower case, without final dot; IPv6 addresses in brackets. */
  readonly hostname: string;
  /** 0 where none is given. */
  readonly port: number;
}

/** Longest name in DNS, with its final dot. */
const MAX_HOST_LENGTH = 254;

// Narrower than RFC 3986's reg-name on purpose: percent-escapes and sub-delims are no host names, and what routers,
// caches and upstreams read differently is an attack. Underscores do occur (compose service names).
const AUTHORITY = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]+)*\.?))(?::([0-9]{1,5}))?$/;

/** Parses `host[:port]`; null for everything else, user information included. */
export function parseAuthority(text: string): Authority | null {
  if (text.length > MAX_HOST_LENGTH + 6) return null;
  const match = AUTHORITY.exec(text);
  if (match === null) return null;
  const [, address, name, digits] = match;
  const port = digits === undefined ? 0 : Number(digits);
  if (digits !== undefined && (port < 1 || port > 65_535)) return null;
  if (address !== undefined) return isIPv6(address) ? { hostname: `[${address.toLowerCase()}]`, port } : null;
  if (name === undefined || name.length > MAX_HOST_LENGTH) return null;
  const lower = name.toLowerCase();
  return { hostname: lower.endsWith('.') ? lower.slice(0, -1) : lower, port };
}
