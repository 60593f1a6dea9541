/** For tests of the codec: generators of messages, and of harm done to them. Text stands for bytes (latin1). */
import fc from 'fast-check';

const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
const value = fc.stringMatching(/^[\t \x21-\x7e\x80-\xff]{0,30}$/);
const knownName = fc.constantFrom('Accept', 'user-agent', 'Cookie', 'X_Forwarded_For', 'Transfer_Encoding', 'Trailer');
const lines = fc
  .array(fc.tuple(fc.oneof(token, knownName), fc.constantFrom('', ' ', '\t '), value), { maxLength: 6 })
  .map((fields) => fields.map(([name, blank, text]) => `${name}:${blank}${text}\r\n`).join(''));
const payload = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => Buffer.from(text).toString('latin1'));
const extension = fc.constantFrom('', ';a', ';a=b', ';a="b;c";d');
const chunkedBody = fc
  .tuple(
    fc.array(fc.tuple(payload, extension), { maxLength: 4 }),
    fc.constantFrom('', 'X-Sum: 1\r\n', 'A:\r\nB: c \r\n'),
  )
  .map(([chunks, trailers]) => {
    const full = chunks.filter(([data]) => data.length > 0);
    return `${full.map(([data, ext]) => `${data.length.toString(16)}${ext}\r\n${data}\r\n`).join('')}0\r\n${trailers}\r\n`;
  });
const framedBody = fc.oneof(
  fc.constant('\r\n'),
  payload.map((data) => `Content-Length: ${data.length}\r\n\r\n${data}`),
  chunkedBody.map((body) => `Transfer-Encoding: chunked\r\n\r\n${body}`),
);
const connection = fc.constantFrom('', 'Connection: close\r\n', 'Connection: keep-alive, x-a\r\nKeep-Alive: 5\r\n');
/** One well-formed request; only chunked in HTTP/1.0 is refused among them. */
export const request = fc
  .tuple(
    fc.constantFrom('', '\r\n'),
    fc.constantFrom('GET /', 'POST /a?b=c', 'M-SEARCH /x', 'OPTIONS *', 'GET http://a.example/y'),
    fc.constantFrom('1.1', '1.0'),
    lines,
    connection,
    framedBody,
  )
  .map(([empty, start, version, fields, options, body]) => {
    return `${empty}${start} HTTP/${version}\r\nHost: a.example\r\n${fields}${options}${body}`;
  });
const interim = fc.constantFrom('', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
/** One response, perhaps behind an interim one; some are refused for a body where none may be. */
export const response = fc
  .tuple(
    interim,
    fc.constantFrom('200 OK', '204 ', '304 Not Modified', '500', '999 \xe9'),
    lines,
    connection,
    framedBody,
  )
  .map(([first, status, fields, options, body]) => `${first}HTTP/1.1 ${status}\r\n${fields}${options}${body}`);

const nastyByte = fc.oneof(
  fc.constantFrom(
    '\r',
    '\n',
    '\0',
    ' ',
    '\t',
    ':',
    ';',
    ',',
    '#',
    '\x7f',
    '\x80',
    '\xff',
    'z',
    '0',
    '_',
    '"',
    '\r\n',
    'A',
  ),
  fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
);
/** A small harm, for `mutate`. */
export const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  kind: fc.constantFrom('insert', 'replace', 'delete', 'truncate'),
  byte: nastyByte,
});

/** Does the harm, one after the other. */
export function mutate(text: string, mutations: readonly { at: number; kind: string; byte: string }[]): string {
  let result = text;
  for (const { at, kind, byte } of mutations) {
    const index = Math.floor(at * result.length);
    if (kind === 'truncate') result = result.slice(0, index);
    else
      result =
        result.slice(0, index) + (kind === 'delete' ? '' : byte) + result.slice(kind === 'insert' ? index : index + 1);
  }
  return result;
}
