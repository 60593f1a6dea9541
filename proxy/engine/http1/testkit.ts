/** For tests of the codec: feeds parsers in pieces and writes down what they report. */
import type { ErrorCode } from '../../contract/errors.ts';
import { RequestParser } from './requestParser.ts';
import { ResponseParser } from './responseParser.ts';
import type { HeaderLines, RequestHead, ResponseHead } from './types.ts';

/** One event as plain data; pieces of a body that follow each other are one event. */
export type Event =
  | { readonly kind: 'head'; readonly head: object; readonly headers: readonly (readonly [string, string])[] }
  | { readonly kind: 'informational'; readonly status: number }
  | { readonly kind: 'data'; readonly text: string }
  | { readonly kind: 'trailers'; readonly headers: readonly (readonly [string, string])[] }
  | { readonly kind: 'end'; readonly reusable?: boolean }
  | { readonly kind: 'error'; readonly code: ErrorCode; readonly detail: string };

export function pairsOf(lines: HeaderLines): [string, string][] {
  return Array.from({ length: lines.count }, (_, index) => [lines.name(index), lines.value(index)]);
}

/** The bytes of `text` (latin1) cut at the given offsets. */
function cut(text: string, offsets: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  const points = [...new Set(offsets.map((offset) => Math.min(offset, bytes.length)))].sort((a, b) => a - b);
  const edges = [0, ...points, bytes.length];
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
}

function eventOfHead(head: RequestHead | ResponseHead): Event {
  const { headers, ...rest } = head;
  return { kind: 'head', head: rest, headers: pairsOf(headers) };
}

class Events {
  readonly list: Event[] = [];

  data(slice: Buffer): void {
    const last = this.list.at(-1);
    const text = slice.toString('latin1');
    if (last?.kind === 'data') this.list[this.list.length - 1] = { kind: 'data', text: last.text + text };
    else this.list.push({ kind: 'data', text });
  }
}

/** Every event of a client's bytes; pipelined requests are read on at once. */
export function requestEvents(text: string, offsets: readonly number[] = []): Event[] {
  const events = new Events();
  const parser = new RequestParser({
    onHead: (head) => events.list.push(eventOfHead(head)),
    onData: (slice) => events.data(slice),
    onTrailers: (lines) => events.list.push({ kind: 'trailers', headers: pairsOf(lines) }),
    onMessageEnd: () => events.list.push({ kind: 'end' }),
    onError: (code, detail) => events.list.push({ kind: 'error', code, detail }),
  });
  for (const chunk of cut(text, offsets)) {
    let pos = 0;
    while (pos < chunk.length) pos = parser.execute(chunk, pos);
  }
  return events.list;
}

export interface Expected {
  readonly method?: string;
  readonly upgrade?: boolean;
}

/** Every event of an upstream's bytes in answer to one request; `ends` adds the end of the connection. */
export function responseEvents(
  text: string,
  offsets: readonly number[] = [],
  { method = 'GET', upgrade = false, ends = false }: Expected & { readonly ends?: boolean } = {},
): (Event | { readonly kind: 'finish'; readonly result: string })[] {
  const events = new Events();
  const parser = new ResponseParser({
    onInformational: (head) => events.list.push({ kind: 'informational', status: head.status }),
    onHead: (head) => events.list.push(eventOfHead(head)),
    onData: (slice) => events.data(slice),
    onTrailers: (lines) => events.list.push({ kind: 'trailers', headers: pairsOf(lines) }),
    onMessageEnd: (reusable) => events.list.push({ kind: 'end', reusable }),
    onError: (code, detail) => events.list.push({ kind: 'error', code, detail }),
  });
  parser.expect(method, upgrade);
  for (const chunk of cut(text, offsets)) {
    let pos = 0;
    let before = -1;
    // A parser that takes nothing more has met a tunnel.
    while (pos < chunk.length && pos !== before) {
      before = pos;
      pos = parser.execute(chunk, pos);
    }
  }
  if (!ends) return events.list;
  const result = parser.finish();
  return [...events.list, { kind: 'finish', result }];
}

/** The one refusal of a client's bytes, as `code: detail`; '' when everything was taken. */
export function refusalOf(text: string): string {
  const error = requestEvents(text).find((event) => event.kind === 'error');
  return error?.kind === 'error' ? `${error.code}: ${error.detail}` : '';
}

/** The same for an upstream's bytes. */
export function responseRefusalOf(text: string, expected: Expected = {}): string {
  const error = responseEvents(text, [], expected).find((event) => event.kind === 'error');
  return error?.kind === 'error' ? `${error.code}: ${error.detail}` : '';
}
