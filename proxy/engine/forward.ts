/** Heads as the other side gets them: the lines that came, less what belongs to one hop or to the proxy, plus what is ours. */
import { dropRules, forwardedLines, OTHER_FORWARDED } from './http1/hopByHop.ts';
import { KnownHeader } from './http1/knownHeaders.ts';
import { encodeRequestHead, encodeResponseHead, headerLine } from './http1/serialize.ts';
import type { DropRules, HeaderLines, RequestHead, ResponseHead } from './http1/types.ts';

/** Headers that a filter sets (or, with undefined, removes), by lower-case name. */
export type HeaderChanges = ReadonlyMap<string, string | undefined>;

/** Always written by the proxy. */
const OUR_REQUEST_HEADERS = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-request-id',
];

/** What else proxies in front say of the client: believed from trusted ones, dropped from others, who may have made it up. */
const CLAIMS = [OTHER_FORWARDED, 'forwarded', 'x-forwarded', 'x-real-ip'];
const OUR_RESPONSE_HEADERS = ['x-request-id', 'x-proxy-error'];

const FROM_TRUSTED = dropRules(OUR_REQUEST_HEADERS);
const FROM_ANYONE = dropRules([...OUR_REQUEST_HEADERS, ...CLAIMS]);
const FROM_UPSTREAM = dropRules(OUR_RESPONSE_HEADERS);

/** The client's side of a request, as told to the upstream. */
export interface ClientHop {
  /** Address of the peer. */
  readonly peer: string;
  readonly scheme: 'http' | 'https';
  /** Port it connected to. */
  readonly port: number;
  /** The peer is a trusted proxy: what it says of its client stands. */
  readonly trusted: boolean;
}

export interface UpstreamRequest {
  readonly head: RequestHead;
  /** Normalised path and query. */
  readonly target: string;
  readonly requestId: string;
  readonly hop: ClientHop;
  readonly changes: HeaderChanges | undefined;
}

/** The head sent upstream. Host stays as the client sent it. */
export function upstreamRequestHead(request: UpstreamRequest): string {
  const { head, hop, changes } = request;
  const trustedOrNot = hop.trusted ? FROM_TRUSTED : FROM_ANYONE;
  let lines = forwardedLines(head, changes === undefined ? trustedOrNot : withChanges(hop, changes));
  lines += hop.trusted ? believedLines(head, hop) : ownLines(head, hop);
  lines += `x-request-id: ${request.requestId}\r\n`;
  if (head.framing === 'chunked') lines += 'transfer-encoding: chunked\r\n';
  // RFC 9110 §10.1.4: TE goes one hop, so that the upstream may send trailers only if we say that they are welcome.
  if (head.acceptsTrailers) lines += 'te: trailers\r\nconnection: te\r\n';
  if (changes !== undefined) lines += changedLines(changes);
  return encodeRequestHead(head.method, request.target, lines);
}

function ownLines(head: RequestHead, hop: ClientHop): string {
  return (
    `x-forwarded-for: ${hop.peer}\r\nx-forwarded-proto: ${hop.scheme}\r\n` +
    `x-forwarded-host: ${head.authority}\r\nx-forwarded-port: ${hop.port}\r\n`
  );
}

/** From a trusted proxy: its X-Forwarded-For grows by one, the others stand as they are. */
function believedLines(head: RequestHead, hop: ClientHop): string {
  const { headers } = head;
  const forwardedFor = [...headers.getAll('x-forwarded-for'), hop.peer].join(', ');
  const said = (name: string, own: string) => headerLine(name, headers.get(name) ?? own);
  return (
    headerLine('x-forwarded-for', forwardedFor) +
    said('x-forwarded-proto', hop.scheme) +
    said('x-forwarded-host', head.authority) +
    said('x-forwarded-port', String(hop.port))
  );
}

function withChanges(hop: ClientHop, changes: HeaderChanges): DropRules {
  return dropRules([...OUR_REQUEST_HEADERS, ...(hop.trusted ? [] : CLAIMS), ...changes.keys()]);
}

function changedLines(changes: HeaderChanges): string {
  let lines = '';
  for (const [name, value] of changes) if (value !== undefined) lines += headerLine(name, value);
  return lines;
}

export interface ClientResponse {
  readonly head: ResponseHead;
  readonly requestId: string;
  /** The body is sent in chunks. */
  readonly chunked: boolean;
  /** Line about the connection, '' where the version's default says it. */
  readonly connectionLine: string;
  /** Value for Date where the upstream sent none (RFC 9110 §6.6.1). */
  readonly date: () => string;
  readonly changes: HeaderChanges | undefined;
}

/** The head sent to the client. */
export function clientResponseHead(response: ClientResponse): string {
  const { head, changes } = response;
  const rules = changes === undefined ? FROM_UPSTREAM : dropRules([...OUR_RESPONSE_HEADERS, ...changes.keys()]);
  let lines = `${forwardedLines(head, rules)}x-request-id: ${response.requestId}\r\n${response.connectionLine}`;
  if (response.chunked) lines += 'transfer-encoding: chunked\r\n';
  if (findHeader(head.headers, KnownHeader.date) === -1) lines += `date: ${response.date()}\r\n`;
  if (changes !== undefined) lines += changedLines(changes);
  return encodeResponseHead(head.status, head.reason, lines);
}

/** An interim response (1xx), passed on as it is. */
export function interimResponseHead(head: ResponseHead): string {
  return encodeResponseHead(head.status, head.reason, forwardedLines(head, FROM_UPSTREAM));
}

/** Index of the first line with this id, -1 without one. */
export function findHeader(headers: HeaderLines, id: number): number {
  const { count } = headers;
  for (let index = 0; index < count; index += 1) if (headers.id(index) === id) return index;
  return -1;
}
