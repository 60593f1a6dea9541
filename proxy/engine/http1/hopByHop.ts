/** Which lines are forwarded: everything as received but what belongs to one hop (RFC 9110 §7.6.1) or to the proxy. */
import {
  FOLDED_ID,
  FORWARDED_PREFIX,
  isProtectedFromNomination,
  KnownHeader,
  knownHeaderId,
  OTHER_FORWARDED_ID,
  UNDERSCORED_ID,
} from './knownHeaders.ts';
import type { DropRules, HeaderLines, RequestHead, ResponseHead } from './types.ts';

/** Fields of one hop. `Proxy` is no header at all, but becomes HTTP_PROXY in CGI (CVE-2016-5385). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'proxy',
];

/** A name for `dropRules`. */
export const OTHER_FORWARDED = `${FORWARDED_PREFIX}*`;

/**
 * Rules that drop the fields of one hop and `names` (any case), which the proxy replaces or removes. OTHER_FORWARDED
 * among them stands for every X-Forwarded-* field that has no id of its own.
 */
export function dropRules(names: Iterable<string>): DropRules {
  const known = new Uint8Array(256);
  const others = new Set<string>();
  // Names that read as a known one to servers that fold underscores, such as Transfer_Encoding, are never forwarded.
  known[FOLDED_ID] = 1;
  for (const name of [...HOP_BY_HOP, ...names]) {
    const lower = name.toLowerCase();
    const id = knownHeaderId(lower);
    if (isKnown(id) || lower === OTHER_FORWARDED) known[id] = 1;
    else others.add(lower.replaceAll('_', '-'));
  }
  return { known, names: others };
}

/**
 * The lines of a head that are forwarded, as received, each with its CRLF. Trailer stays only beside chunked framing, and
 * Content-Length only where it may stand.
 */
export function forwardedLines(head: RequestHead | ResponseHead, rules: DropRules): string {
  const { headers, nominated } = head;
  const { count } = headers;
  const withoutLength = 'status' in head && (head.status < 200 || head.status === 204);
  const withoutTrailer = head.framing !== 'chunked';
  const looksAtNames = rules.names.size > 0 || nominated.length > 0;
  let text = '';
  let from = 0;
  for (let index = 0; index < count; index++) {
    const id = headers.id(index);
    const drop =
      rules.known[id] === 1 ||
      (id === KnownHeader.trailer && withoutTrailer) ||
      (id === KnownHeader['content-length'] && withoutLength) ||
      (looksAtNames && isNamed(headers, index, id, rules, nominated));
    if (!drop) continue;
    text += headers.text(from, index);
    from = index + 1;
  }
  return from === 0 ? headers.text(0, count) : text + headers.text(from, count);
}

/** The field has an id that no other field has. */
function isKnown(id: number): boolean {
  return id > 0 && id < OTHER_FORWARDED_ID;
}

function isNamed(
  headers: HeaderLines,
  index: number,
  id: number,
  rules: DropRules,
  nominated: readonly string[],
): boolean {
  if (isKnown(id) && nominated.length === 0) return false;
  const name = headers.name(index).toLowerCase();
  if (!isKnown(id) && rules.names.has(id === UNDERSCORED_ID ? name.replaceAll('_', '-') : name)) return true;
  return nominated.includes(name) && !isProtectedFromNomination(id);
}

/**
 * The trailer lines that may be forwarded, each with its CRLF: only names the proxy knows nothing about. Framing, routing,
 * authentication and caching fields are refused there (RFC 9110 §6.5.1), so that no recipient that merges trailers into
 * the header section can be made to think again.
 */
export function forwardedTrailers(trailers: HeaderLines): string {
  let text = '';
  for (let index = 0; index < trailers.count; index++) {
    const id = trailers.id(index);
    const unknown = id === 0 || id === UNDERSCORED_ID;
    if (unknown) text += trailers.text(index, index + 1);
  }
  return text;
}
