/** The one reading of hosts, for the Host field of requests and the hosts of routes alike. */
import { isIPv6 } from 'node:net';

/** RFC 1123 names, and underscores, which live in many clusters. Labels of up to 63, 253 in all. */
const HOSTNAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
const PORT = /^:[0-9]{0,5}$/;
const MAX_PORT = 65_535;

/** Whether a lower-case text is a hostname or an IPv4 address. */
export function isHostname(text: string): boolean {
  return HOSTNAME.test(text);
}

/**
 * The host of a Host field (or of a target in absolute-form): without port and trailing dot, in lower case, IPv6
 * addresses in brackets and in their one canonical form (RFC 5952). Undefined where it must be answered with
 * `invalid_host`: RFC 9112 §3.2 asks for 400.
 */
export function normalizeHost(hostHeader: string): string | undefined {
  if (hostHeader.startsWith('[')) return normalizeIpv6(hostHeader);
  const colon = hostHeader.indexOf(':');
  if (colon !== -1 && !isPort(hostHeader.slice(colon))) return undefined;
  const end = colon === -1 ? hostHeader.length : colon;
  const dotted = hostHeader.charCodeAt(end - 1) === 0x2e;
  const name = hostHeader.slice(0, dotted ? end - 1 : end).toLowerCase();
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
