/**
 * Micro-benchmark of the HTTP/1.1 codec: nanoseconds per head parsed, forwarded and encoded.
 * Usage: node test/bench/http1-parse.ts [seconds per case]
 */
import { Buffer } from 'node:buffer';
import { dropRules, forwardedLines } from '../../proxy/engine/http1/hopByHop.ts';
import { RequestParser } from '../../proxy/engine/http1/requestParser.ts';
import { ResponseParser } from '../../proxy/engine/http1/responseParser.ts';
import { encodeRequestHead, encodeResponseHead } from '../../proxy/engine/http1/serialize.ts';
import type { RequestHead, ResponseHead } from '../../proxy/engine/http1/types.ts';

const REQUEST = Buffer.from(
  [
    'GET /api/v1/orders/4711?page=2&sort=desc HTTP/1.1',
    'Host: api.example.com',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    'Accept: application/json, text/plain, */*',
    'Accept-Language: en-US,en;q=0.5',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Referer: https://www.example.com/orders',
    'Cookie: session=5f1d3c7be4a94c0b8d8b2f7e6a1c9d42; theme=dark',
    'Connection: keep-alive',
    '\r\n',
  ].join('\r\n'),
  'latin1',
);
const SHORT_REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: keep-alive\r\n\r\n', 'latin1');
const BODY = 'x'.repeat(1024);
const RESPONSE = Buffer.from(
  [
    'HTTP/1.1 200 OK',
    'Date: Mon, 03 Nov 2025 10:00:00 GMT',
    'Content-Type: application/json; charset=utf-8',
    'Content-Length: 1024',
    'Cache-Control: private, max-age=0',
    'ETag: "5f1d3c7be4a94c0b8d8b2f7e6a1c9d42"',
    'Server: demo',
    'Connection: keep-alive',
    `\r\n${BODY}`,
  ].join('\r\n'),
  'latin1',
);
const CHUNKED = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n${BODY}\r\n0\r\n\r\n`,
  'latin1',
);

const REQUEST_RULES = dropRules(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-request-id']);
const RESPONSE_RULES = dropRules(['x-request-id']);
const ADDED_TO_REQUEST = 'X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Request-Id: 01JC0000\r\n';
const ADDED_TO_RESPONSE = 'X-Request-Id: 01JC0000\r\n';

let bodyBytes = 0;
let written = 0;
/** As a socket would: the text becomes bytes in a buffer. */
const out = Buffer.alloc(16 * 1024);
/** What happens with a head beside parsing it; set by each case. */
let onRequestHead: (head: RequestHead) => void = () => {};
let onResponseHead: (head: ResponseHead) => void = () => {};

function fail(code: string, detail: string): never {
  throw new Error(`the benchmark's own message is refused: ${code}: ${detail}`);
}

const requests = new RequestParser({
  onHead: (head) => onRequestHead(head),
  onData: (slice) => void (bodyBytes += slice.length),
  onMessageEnd: () => {},
  onError: fail,
});
const responses = new ResponseParser({
  onInformational: () => {},
  onHead: (head) => onResponseHead(head),
  onData: (slice) => void (bodyBytes += slice.length),
  onMessageEnd: () => {},
  onError: fail,
});

function parseResponse(chunk: Buffer): void {
  responses.expect('GET', false);
  responses.execute(chunk);
}

function forwardRequest(head: RequestHead): void {
  const lines = forwardedLines(head, REQUEST_RULES) + ADDED_TO_REQUEST;
  written += out.write(encodeRequestHead(head.method, head.path, lines), 0, 'latin1');
}

function forwardResponse(head: ResponseHead): void {
  const lines = forwardedLines(head, RESPONSE_RULES) + ADDED_TO_RESPONSE;
  written += out.write(encodeResponseHead(head.status, head.reason, lines), 0, 'latin1');
}

interface Case {
  readonly name: string;
  readonly forwards: boolean;
  run(): void;
}

const CASES: readonly Case[] = [
  { name: 'request head, 3 lines: parse', forwards: false, run: () => void requests.execute(SHORT_REQUEST) },
  { name: 'request head, 9 lines: parse', forwards: false, run: () => void requests.execute(REQUEST) },
  { name: 'request head, 9 lines: parse, forward, encode', forwards: true, run: () => void requests.execute(REQUEST) },
  {
    name: 'request head, 9 lines in two chunks: parse',
    forwards: false,
    run: () => {
      requests.execute(REQUEST.subarray(0, 200));
      requests.execute(REQUEST.subarray(200));
    },
  },
  { name: 'response head, 7 lines, 1 kB body: parse', forwards: false, run: () => parseResponse(RESPONSE) },
  {
    name: 'response head, 7 lines, 1 kB body: parse, forward, encode',
    forwards: true,
    run: () => parseResponse(RESPONSE),
  },
  { name: 'response, one chunk of 1 kB: parse', forwards: false, run: () => parseResponse(CHUNKED) },
];

/** The best of many slices of about a millisecond: averages would measure whatever else the machine does meanwhile. */
const RUNS_PER_SLICE = 1_000;

function bestNanoseconds(item: Case, milliseconds: number): number {
  onRequestHead = item.forwards ? forwardRequest : () => {};
  onResponseHead = item.forwards ? forwardResponse : () => {};
  const until = performance.now() + milliseconds;
  let best = Number.POSITIVE_INFINITY;
  while (performance.now() < until) {
    const begin = process.hrtime.bigint();
    for (let i = 0; i < RUNS_PER_SLICE; i++) item.run();
    best = Math.min(best, Number(process.hrtime.bigint() - begin) / RUNS_PER_SLICE);
  }
  return best;
}

const milliseconds = Number(process.argv[2] ?? 1) * 1000;
// Every case runs once before any is measured: code that has seen one kind of message only is faster than it will be.
for (const item of CASES) bestNanoseconds(item, 100);
for (const item of CASES) {
  process.stdout.write(`${bestNanoseconds(item, milliseconds).toFixed(0).padStart(7)} ns  ${item.name}\n`);
}
if (bodyBytes === 0 || written === 0) throw new Error('nothing was parsed');
