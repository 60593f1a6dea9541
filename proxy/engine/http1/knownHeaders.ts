/**
 * Field names the proxy itself acts on get a small number while the head is read, so that nothing later compares names.
 * The order matters: what decides framing comes first (ids up to LAST_FRAMING_ID).
 */
import { byteAt, classOf } from './chars.ts';

const NAMES = [
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'expect',
  'upgrade',
  'te',
  // Never forwarded (RFC 9110 §7.6.1), see hopByHop.ts.
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'http2-settings',
  'proxy',
  'trailer',
  // Written by the proxy.
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-real-ip',
  'x-forwarded',
  'x-proxy-error',
  'x-request-id',
  'forwarded',
  'via',
  // End to end: what the proxy reads, or what must not be stripped by a Connection line.
  'accept',
  'accept-encoding',
  'accept-language',
  'age',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'etag',
  'expires',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'location',
  'origin',
  'range',
  'referer',
  'retry-after',
  'server',
  'set-cookie',
  'traceparent',
  'tracestate',
  'user-agent',
  'vary',
  'www-authenticate',
] as const;

type KnownName = (typeof NAMES)[number];

/** Ids of known field names, 1 upwards. */
export const KnownHeader = Object.fromEntries(NAMES.map((name, index) => [name, index + 1])) as Readonly<
  Record<KnownName, number>
>;

export const LAST_FRAMING_ID = KnownHeader.te;
const FIRST_END_TO_END_ID = KnownHeader['x-forwarded-for'];

/** Any X-Forwarded-* without an id of its own: frameworks believe more of them than anyone can list. */
export const OTHER_FORWARDED_ID = 253;
export const FORWARDED_PREFIX = 'x-forwarded-';
/** A name with an underscore that reads as a known name, or as X-Forwarded-*, once underscores are hyphens. */
export const FOLDED_ID = 254;
/** Any other name with an underscore. */
export const UNDERSCORED_ID = 255;

const IDS: ReadonlyMap<string, number> = new Map(NAMES.map((name, index) => [name, index + 1]));

/** Id of a lower-case name, 0 for names that have none. */
export function knownHeaderId(lowerName: string): number {
  const id = IDS.get(lowerName);
  if (id !== undefined) return id;
  if (lowerName.includes('_')) return foldedId(lowerName);
  return lowerName.startsWith(FORWARDED_PREFIX) && lowerName !== FORWARDED_PREFIX ? OTHER_FORWARDED_ID : 0;
}

/** Id of a lower-case name with an underscore. */
export function foldedId(lowerName: string): number {
  const folded = lowerName.replaceAll('_', '-');
  return IDS.has(folded) || folded.startsWith(FORWARDED_PREFIX) ? FOLDED_ID : UNDERSCORED_ID;
}

/**
 * True where a Connection line may not strip the field: everything the proxy writes or acts on end to end, and what
 * decides framing. Hop-by-hop fields go anyway; unknown names may be nominated (RFC 9110 §7.6.1).
 */
export function isProtectedFromNomination(id: number): boolean {
  if (id > 0 && id <= LAST_FRAMING_ID) return true;
  return id >= FIRST_END_TO_END_ID && id <= OTHER_FORWARDED_ID;
}

// A hash over length and three bytes finds the one candidate; the multiplier is searched at load so that no two known
// names share a slot. Comparing names as strings would cost a substring and a hash per header line.
const SLOTS = 1024;
const FIRST_MULTIPLIER = 0x9e3779b1;
const NO_BYTES = Buffer.alloc(0);
const PREFIX_BYTES = Buffer.from(FORWARDED_PREFIX, 'latin1');
/** The name in each slot and its id. */
const SLOT_NAME: Buffer[] = Array.from({ length: SLOTS }, () => NO_BYTES);
const SLOT_ID = new Uint8Array(SLOTS);
const MULTIPLIER = findPerfectHash();
NAMES.forEach((name, index) => {
  const bytes = Buffer.from(name, 'latin1');
  const slot = slotOf(bytes, 0, bytes.length, MULTIPLIER);
  SLOT_NAME[slot] = bytes;
  SLOT_ID[slot] = index + 1;
});

function findPerfectHash(): number {
  for (let multiplier = FIRST_MULTIPLIER; multiplier < FIRST_MULTIPLIER + 200_000; multiplier += 2) {
    const slots = NAMES.map((name) => slotOf(Buffer.from(name, 'latin1'), 0, name.length, multiplier));
    if (new Set(slots).size === NAMES.length) return multiplier;
  }
  throw new Error('no perfect hash over the known header names');
}

/** `| 0x20` is lower case for letters and keeps hyphens and digits; no other tchar turns into one of those. */
function slotOf(buffer: Buffer, start: number, end: number, multiplier: number): number {
  const first = byteAt(buffer, start) | 0x20;
  const beforeLast = byteAt(buffer, end - 2) | 0x20;
  const last = byteAt(buffer, end - 1) | 0x20;
  const key = (end - start) | (first << 5) | (beforeLast << 12) | (last << 19);
  return (Math.imul(key, multiplier) >>> 18) & (SLOTS - 1);
}

/** Id of the name in `buffer[start, end)`, whatever its case; 0 for names that have none. The bytes must be tchars. */
export function knownHeaderIdAt(buffer: Buffer, start: number, end: number): number {
  if (end - start < 2) return 0;
  const slot = slotOf(buffer, start, end, MULTIPLIER);
  const known = SLOT_NAME[slot] ?? NO_BYTES;
  if (known.length === end - start && startsWith(buffer, start, known)) return classOf(SLOT_ID, slot);
  return end - start > PREFIX_BYTES.length && startsWith(buffer, start, PREFIX_BYTES) ? OTHER_FORWARDED_ID : 0;
}

function startsWith(buffer: Buffer, start: number, lowerCase: Buffer): boolean {
  for (let i = 0; i < lowerCase.length; i++) {
    if ((byteAt(buffer, start + i) | 0x20) !== byteAt(lowerCase, i)) return false;
  }
  return true;
}
