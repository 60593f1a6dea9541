/**
 * Addresses of upstreams: their syntax, and which of them a proxy must not be talked into connecting to. The same table
 * becomes the CEL rule of UpstreamPool, so that the API server, the operator and the proxy's compiler agree.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { fail, ok, type Result } from './result.ts';

/** Why an address is special; `Unicast` is an ordinary one. */
export type AddressClass =
  'Unicast' | 'Loopback' | 'Unspecified' | 'LinkLocal' | 'Metadata' | 'Multicast' | 'Reserved' | 'Embedded';

export interface AddressRange {
  readonly cidr: string;
  readonly class: AddressClass;
}

/** IPv4 ranges that are no upstream's. */
const REFUSED_V4: readonly AddressRange[] = [
  { cidr: '0.0.0.0/8', class: 'Unspecified' },
  { cidr: '169.254.0.0/16', class: 'LinkLocal' },
  // Alibaba Cloud and Azure keep theirs outside link-local.
  { cidr: '100.100.100.200/32', class: 'Metadata' },
  { cidr: '168.63.129.16/32', class: 'Metadata' },
  { cidr: '224.0.0.0/4', class: 'Multicast' },
  { cidr: '240.0.0.0/4', class: 'Reserved' },
];

/** IPv4-mapped addresses (RFC 4291 §2.5.5.2). */
const MAPPED = '::ffff:0:0/96';

/** IPv6 ranges that are no upstream's. Deprecated ways to write an IPv4 address are refused as a whole. */
const REFUSED_V6: readonly AddressRange[] = [
  { cidr: '::/128', class: 'Unspecified' },
  { cidr: 'fe80::/10', class: 'LinkLocal' },
  { cidr: 'fd00:ec2::254/128', class: 'Metadata' },
  { cidr: 'fd20:ce::254/128', class: 'Metadata' },
  { cidr: 'ff00::/8', class: 'Multicast' },
  { cidr: '::/96', class: 'Embedded' },
  { cidr: MAPPED, class: 'Embedded' },
  { cidr: '2002::/16', class: 'Embedded' },
];

/** NAT64 (RFC 6052) is how IPv6-only clusters reach IPv4, so it is refused only where the IPv4 address would be. */
const NAT64_PREFIX = '64:ff9b::';
const NAT64: readonly AddressRange[] = [...REFUSED_V4, { cidr: '127.0.0.0/8', class: 'Embedded' } as const].map(
  (range) => {
    const [base = '', length = ''] = range.cidr.split('/');
    return { cidr: `${NAT64_PREFIX}${base}/${96 + Number(length)}`, class: range.class };
  },
);

/** Every refused range, in the order they are tried. */
export const REFUSED_RANGES: readonly AddressRange[] = [...REFUSED_V4, ...REFUSED_V6, ...NAT64];

const LOOPBACK_RANGES = ['127.0.0.0/8', '::1/128'];

interface Range {
  readonly family: 4 | 6;
  readonly bytes: Uint8Array;
  readonly bits: number;
  readonly class: AddressClass;
}
/** Loopback first, since `::1` is also in `::/96`. */
const RANGES: readonly Range[] = [
  ...LOOPBACK_RANGES.map((cidr): AddressRange => ({ cidr, class: 'Loopback' })),
  ...REFUSED_RANGES,
].map(parseRange);
const MAPPED_RANGE = parseRange({ cidr: MAPPED, class: 'Embedded' });

/** An upstream's address after its syntax was checked. */
export interface EndpointAddress {
  /** IP address without brackets, or a name in lower case. */
  readonly host: string;
  readonly port: number;
  /** A name is resolved later: every address it gives must then pass `refusal` too. */
  readonly isName: boolean;
  /** It is this machine. Allowed here; a caller with tenants refuses it, or at least the proxy's own admin ports. */
  readonly loopback: boolean;
}

export interface AddressProblem {
  readonly reason: 'Invalid' | 'AddressNotAllowed';
  readonly message: string;
}

const ADDRESS = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([^:[\]]{1,253})):([0-9]{1,5})$/;
const NAME = /^[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?)*$/;
/** `127.1`, `0x7f000001` and `2130706433` are addresses to the system's resolver, though no parser of ours sees them so. */
const NUMBER_LIKE = /(^|\.)(0x[0-9a-f]*|[0-9]+)$/;

/** Parses `ip:port`, `[ipv6]:port` or `name:port`, and refuses addresses that are no upstream's. */
export function parseEndpointAddress(text: string): Result<EndpointAddress, AddressProblem> {
  const invalid = (message: string) => fail({ reason: 'Invalid', message } as const);
  const match = ADDRESS.exec(text);
  const port = Number(match?.[3]);
  if (match === null) return invalid('must be host:port, ip:port or [ipv6]:port');
  if (port < 1 || port > 65_535) return invalid('must have a port between 1 and 65535');
  const bracketed = match[1];
  const host = (bracketed ?? match[2] ?? '').toLowerCase();
  if (bracketed !== undefined && !isIPv6(host)) return invalid('must have an IPv6 address within the brackets');
  if (isIP(host) === 0) {
    if (!NAME.test(host)) return invalid('must begin with an IP address or a host name');
    if (NUMBER_LIKE.test(host)) return invalid('must have an IPv4 address of four plain decimal numbers');
    return ok({ host, port, isName: true, loopback: host === 'localhost' || host.endsWith('.localhost') });
  }
  const refused = refusal(host);
  if (refused !== undefined) return fail({ reason: 'AddressNotAllowed', message: refused });
  return ok({ host, port, isName: false, loopback: classifyAddress(host) === 'Loopback' });
}

const REFUSALS: Readonly<Record<Exclude<AddressClass, 'Unicast' | 'Loopback'>, string>> = {
  Unspecified: 'names no machine',
  LinkLocal: 'is link-local, where metadata services are',
  Metadata: 'is a metadata service',
  Multicast: 'is a multicast address',
  Reserved: 'is reserved',
  Embedded: 'is an IPv4 address in IPv6 form; write the IPv4 address itself',
};

/** Why nothing may connect to an IP address as an upstream; undefined if it may. Loopback is the caller's to decide. */
export function refusal(ip: string): string | undefined {
  const found = classifyAddress(ip);
  if (found === 'Unicast' || found === 'Loopback') return undefined;
  return `${ip} ${REFUSALS[found]}`;
}

/** Class of an IP address; throws on text that is none (check with `node:net` first). */
export function classifyAddress(ip: string): AddressClass {
  const family = isIPv4(ip) ? 4 : 6;
  const bytes = addressBytes(ip);
  return RANGES.find((range) => range.family === family && within(bytes, range))?.class ?? 'Unicast';
}

/** Whether `text` is an address or a CIDR range, as `10.0.0.0/8` or `fd00::/8`. */
export function isAddressOrRange(text: string): boolean {
  const [address = '', length, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || address.includes('%') || rest.length > 0) return false;
  if (family === 6 && within(addressBytes(address), MAPPED_RANGE)) return false;
  if (length === undefined) return true;
  return /^(0|[1-9][0-9]{0,2})$/.test(length) && Number(length) <= (family === 4 ? 32 : 128);
}

function parseRange(range: AddressRange): Range {
  const [base = '', bits = ''] = range.cidr.split('/');
  return { family: isIPv4(base) ? 4 : 6, bytes: addressBytes(base), bits: Number(bits), class: range.class };
}

function within(bytes: Uint8Array, range: Range): boolean {
  for (let i = 0, left = range.bits; left > 0; i++, left -= 8) {
    const mask = left >= 8 ? 0xff : (0xff << (8 - left)) & 0xff;
    if (((bytes[i] ?? 0) & mask) !== ((range.bytes[i] ?? 0) & mask)) return false;
  }
  return true;
}

/** The 4 or 16 bytes of an IP address. */
function addressBytes(ip: string): Uint8Array {
  if (isIPv4(ip)) return Uint8Array.from(ip.split('.'), Number);
  if (!isIPv6(ip) || ip.includes('%')) throw new TypeError(`"${ip}" is not an IP address`);
  const [head = '', tail] = ip.split('::');
  const before = groupBytes(head);
  const after = groupBytes(tail ?? '');
  return Uint8Array.from([...before, ...new Array<number>(16 - before.length - after.length).fill(0), ...after]);
}

/** Bytes of colon-separated groups, of which the last may be a dotted IPv4 address. */
function groupBytes(groups: string): number[] {
  if (groups === '') return [];
  return groups.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
