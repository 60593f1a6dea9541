/**
 * The one normaliser of request paths. What it returns is what is routed, authorised, logged and forwarded, so that no
 * two stages ever read one request in two ways (docs/decisions: one normal form of paths).
 */

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;

/** Space, controls, `#`, `?`, `\` and everything beyond ASCII never stand in a path (RFC 3986 §3.3, and `\` by choice). */
const REFUSED_BYTES = /[^!-~]|[#?\\]/;

/** How a character of a path is read: as it is, looked at more closely, or never. */
const PLAIN = 0;
const LOOK = 1;
const REFUSED = 2;
const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  if (REFUSED_BYTES.test(String.fromCharCode(code))) return REFUSED;
  return code === SLASH || code === DOT || code === PERCENT ? LOOK : PLAIN;
});

/** RFC 3986 §2.3: their escapes mean the same as the characters themselves. */
const UNRESERVED = /[A-Za-z0-9._~-]/;

/** A dot segment with parameters, `/..;x/`: some servers drop the parameters and then climb. */
const DOT_SEGMENT_WITH_PARAMETERS = /^\.{1,2};/;

/**
 * Brings the path of a request target (without query) to its normal form, or returns undefined where it must be
 * answered with `invalid_path`. Returns the same string when nothing needs doing.
 *
 * - escapes of unreserved characters are decoded, the hex digits of others are upper-cased (RFC 3986 §6.2.2)
 * - `//` becomes `/`, and dot segments are resolved, never above the root (§5.2.4)
 * - refused: anything but visible ASCII, `#`, `?`, `\`, incomplete escapes, escaped controls, `%2F` and `%5C`
 */
export function normalizePath(path: string): string | undefined {
  if (path.charCodeAt(0) !== SLASH) return undefined;
  let previous = 0;
  for (let i = 0; i < path.length; i += 1) {
    const code = path.charCodeAt(i);
    const kind = code < 128 ? KINDS[code] : REFUSED;
    if (kind === REFUSED) return undefined;
    if (kind === LOOK && (code === PERCENT || previous === SLASH)) return normalizeSlowly(path);
    previous = code;
  }
  return path;
}

function normalizeSlowly(path: string): string | undefined {
  // The fast scan stopped at the first thing to do; the bytes after it were not looked at.
  if (REFUSED_BYTES.test(path)) return undefined;
  const decoded = decodeEscapes(path);
  if (decoded === undefined) return undefined;
  const kept: string[] = [];
  const segments = decoded.split('/');
  const last = segments.at(-1) ?? '';
  for (const segment of segments) {
    if (DOT_SEGMENT_WITH_PARAMETERS.test(segment)) return undefined;
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  // A path that ended in a slash or a dot segment named a folder, and still does.
  const folder = (last === '' || last === '.' || last === '..') && kept.length > 0;
  return `/${kept.join('/')}${folder ? '/' : ''}`;
}

function decodeEscapes(path: string): string | undefined {
  let decoded = '';
  let from = 0;
  for (let at = path.indexOf('%'); at !== -1; at = path.indexOf('%', from)) {
    const hex = path.slice(at + 1, at + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(hex)) return undefined;
    const code = Number.parseInt(hex, 16);
    const character = String.fromCharCode(code);
    if (code < 0x20 || code === 0x7f || character === '/' || character === '\\') return undefined;
    decoded += path.slice(from, at) + (UNRESERVED.test(character) ? character : `%${hex.toUpperCase()}`);
    from = at + 3;
  }
  return decoded + path.slice(from);
}
