/** Character classes of RFC 9110 and RFC 9112 as tables of 256 entries: one load per byte on the hot path. */

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;

/** What TOKEN holds for an underscore: some servers read it as a hyphen, so names with one need a second look. */
export const UNDERSCORE_CLASS = 2;

/** The byte at an offset the caller has checked against the length, which is what the cast says. */
export function byteAt(buffer: Buffer, offset: number): number {
  return buffer[offset] as number;
}

/** Entry of one of the tables below; the cast holds since they have one for every byte. */
export function classOf(table: Uint8Array, byte: number): number {
  return table[byte] as number;
}

function table(allows: (byte: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => allows(byte));
}

const TCHAR = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/;

/** tchar (RFC 9110 §5.6.2): 1, an underscore UNDERSCORE_CLASS, everything else 0. */
export const TOKEN = table((byte) => {
  const char = String.fromCharCode(byte);
  if (char === '_') return UNDERSCORE_CLASS;
  return TCHAR.test(char) ? 1 : 0;
});

/** Field values and reason phrases (RFC 9110 §5.5): tab, space, visible ASCII, obs-text. */
export const FIELD_CONTENT = table((byte) => (byte === HTAB || (byte >= SP && byte !== 0x7f) ? 1 : 0));

/** Request lines: space and visible ASCII. */
export const REQUEST_LINE = table((byte) => (byte >= SP && byte < 0x7f ? 1 : 0));

/** Request-targets (RFC 9112 §3.2): visible ASCII but `#`, since a fragment is never sent. */
export const TARGET = table((byte) => (byte > SP && byte < 0x7f && byte !== 0x23 ? 1 : 0));

/** Value of a hex digit, 255 for other bytes. */
export const HEX = table((byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? 255 : value;
});
