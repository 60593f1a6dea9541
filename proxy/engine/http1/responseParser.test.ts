import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limit } from '../../contract/limits.ts';
import { ResponseParser } from './responseParser.ts';
import { responseEvents, responseRefusalOf, type Expected } from './testkit.ts';
import type { ResponseHandler, ResponseHead } from './types.ts';

function headOf(text: string, { method = 'GET', upgrade = false }: Expected = {}): ResponseHead {
  const heads: ResponseHead[] = [];
  const parser = new ResponseParser(handlerWith({ onHead: (head) => heads.push(head) }));
  parser.expect(method, upgrade);
  parser.execute(Buffer.from(text, 'latin1'));
  const [head] = heads;
  assert.ok(head !== undefined);
  return head;
}

function handlerWith(some: Partial<ResponseHandler>): ResponseHandler {
  return {
    onInformational: () => {},
    onHead: () => {},
    onData: () => {},
    onMessageEnd: () => {},
    onError: (code, detail) => assert.fail(`${code}: ${detail}`),
    ...some,
  };
}

function kinds(text: string, expected: Expected & { ends?: boolean } = {}): string[] {
  return responseEvents(text, [], expected).map((event) => {
    if (event.kind === 'end') return `end ${event.reusable}`;
    if (event.kind === 'data') return `data ${event.text}`;
    if (event.kind === 'finish') return `finish ${event.result}`;
    if (event.kind === 'informational') return `informational ${event.status}`;
    return event.kind;
  });
}

describe('the length of a response', () => {
  test('is its Content-Length', () => {
    assert.deepEqual(kinds('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'), ['head', 'data hi', 'end true']);
    assert.deepEqual(kinds('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), ['head', 'end true']);
  });
  test('is that of its chunks, trailers after them', () => {
    const text =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0A\r\n0123456789\r\n000\r\nX: y\r\n\r\n';
    assert.deepEqual(kinds(text), ['head', 'data a0123456789', 'trailers', 'end true']);
  });
  test('is the rest of the connection without either', () => {
    const text = 'HTTP/1.1 200 OK\r\n\r\nabc';
    assert.deepEqual(kinds(text, { ends: true }), ['head', 'data abc', 'end false', 'finish complete']);
  });
  test('is nothing for HEAD, 204 and 304, whatever they declare', () => {
    const length = 'Content-Length: 5\r\n\r\n';
    assert.deepEqual(kinds(`HTTP/1.1 200 OK\r\n${length}`, { method: 'HEAD' }), ['head', 'end true']);
    assert.deepEqual(kinds('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', { method: 'HEAD' }), [
      'head',
      'end true',
    ]);
    assert.deepEqual(kinds('HTTP/1.1 200 OK\r\n\r\n', { method: 'HEAD' }), ['head', 'end true']);
    assert.deepEqual(kinds(`HTTP/1.1 304 Not Modified\r\n${length}`), ['head', 'end true']);
    assert.deepEqual(kinds('HTTP/1.1 204 No Content\r\n\r\n'), ['head', 'end true']);
    assert.deepEqual(kinds('HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n'), ['head', 'end true']);
  });
});

describe('a response head', () => {
  test('has version, status and reason, which may be empty or missing', () => {
    const of = (line: string): unknown[] => {
      const { minor, status, reason } = headOf(`${line}\r\nContent-Length: 0\r\n\r\n`);
      return [minor, status, reason];
    };
    assert.deepEqual(of('HTTP/1.1 404 Not  Found'), [1, 404, 'Not  Found']);
    assert.deepEqual(of('HTTP/1.0 200 '), [0, 200, '']);
    assert.deepEqual(of('HTTP/1.1 200'), [1, 200, '']);
    assert.deepEqual(of('HTTP/1.1 999 caf\xe9'), [1, 999, 'caf\xe9']);
  });
  test('says whether the connection persists', () => {
    const persists = (version: string, lines: string): boolean =>
      headOf(`HTTP/${version} 200 OK\r\n${lines}\r\n`).keepAlive;
    assert.equal(persists('1.1', 'Content-Length: 0\r\n'), true);
    assert.equal(persists('1.1', 'Content-Length: 0\r\nConnection: close\r\n'), false);
    assert.equal(persists('1.0', 'Content-Length: 0\r\n'), false);
    assert.equal(persists('1.0', 'Content-Length: 0\r\nConnection: keep-alive\r\n'), true);
    assert.equal(persists('1.1', ''), false);
  });
  test('over the limits is upstream_response_too_large', () => {
    const most = limit('headerBytes');
    assert.equal(
      responseRefusalOf(`HTTP/1.1 200 OK\r\nX: ${'a'.repeat(most)}\r\n\r\n`),
      'upstream_response_too_large: the header section is over the limit',
    );
    assert.equal(
      responseRefusalOf(`HTTP/1.1 200 ${'a'.repeat(limit('requestLineBytes'))}\r\n\r\n`),
      'upstream_response_too_large: the start line is over the limit',
    );
    assert.equal(
      responseRefusalOf(`HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(limit('headerCount') + 1)}\r\n`),
      'upstream_response_too_large: too many field lines',
    );
  });
});

describe('interim responses', () => {
  test('come before the response and are told apart', () => {
    const text =
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx';
    assert.deepEqual(kinds(text), ['informational 100', 'informational 103', 'head', 'data x', 'end true']);
  });
  test('do not exist in HTTP/1.0', () => {
    const text = 'HTTP/1.0 100 Continue\r\n\r\n';
    assert.equal(responseRefusalOf(text), 'upstream_protocol_error: an interim response in HTTP/1.0');
  });
  test('are counted per response', () => {
    const parser = new ResponseParser(handlerWith({}));
    const text = `${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(20)}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`;
    for (let i = 0; i < 3; i++) {
      parser.expect('GET', false);
      parser.execute(Buffer.from(text, 'latin1'));
    }
    assert.equal(parser.idle, true);
  });
});

describe('an upgrade', () => {
  test('that was asked for ends the parsing: what follows is not touched', () => {
    const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
    const seen: string[] = [];
    const parser = new ResponseParser(
      handlerWith({
        onHead: ({ status, upgrade, keepAlive }) => seen.push(`${status} ${upgrade} ${keepAlive}`),
        onMessageEnd: () => seen.push('end'),
      }),
    );
    parser.expect('GET', true);
    const chunk = Buffer.from(`${head}\x81\x00`, 'latin1');
    assert.equal(parser.execute(chunk), head.length);
    assert.equal(parser.execute(chunk, head.length), head.length);
    assert.deepEqual(seen, ['101 true false']);
    assert.throws(() => parser.expect('GET', false), /no longer HTTP/);
  });
  test('that was refused is an ordinary response', () => {
    const text = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno';
    assert.deepEqual(kinds(text, { upgrade: true }), ['head', 'data no', 'end true']);
  });
});

describe('the end of an upstream connection', () => {
  const finishAfter = (text: string): string => kinds(text, { ends: true }).at(-1) ?? '';
  test('before or within the head is told apart from a truncated body', () => {
    assert.equal(finishAfter(''), 'finish before_head');
    assert.equal(finishAfter('HTTP/1.1 200'), 'finish before_head');
    assert.equal(finishAfter('HTTP/1.1 100 Continue\r\n\r\n'), 'finish before_head');
    assert.equal(finishAfter('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh'), 'finish truncated');
    assert.equal(finishAfter('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n'), 'finish truncated');
    assert.equal(finishAfter('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n'), 'finish truncated');
    assert.equal(finishAfter('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), 'finish idle');
  });
});

describe('a connection', () => {
  test('serves one response after the other', () => {
    const seen: string[] = [];
    const parser = new ResponseParser(
      handlerWith({
        onData: (slice) => seen.push(slice.toString('latin1')),
        onMessageEnd: (reusable) => seen.push(String(reusable)),
      }),
    );
    for (const body of ['a', 'b']) {
      parser.expect('GET', false);
      assert.equal(parser.idle, false);
      parser.execute(Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${body}`, 'latin1'));
      assert.equal(parser.idle, true);
    }
    assert.deepEqual(seen, ['a', 'true', 'b', 'true']);
  });
  test('is not used again where the upstream says so', () => {
    const text = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
    assert.deepEqual(kinds(text, { ends: true }), ['head', 'end false', 'finish idle']);
  });
  test('reports bytes that come while nothing is due', () => {
    let error = '';
    const parser = new ResponseParser(handlerWith({ onError: (code) => void (error = code) }));
    parser.execute(Buffer.from('HTTP/1.1 408 Request Timeout\r\n\r\n', 'latin1'));
    assert.equal(error, 'upstream_protocol_error');
  });
  test('stops where pause was called, and goes on', () => {
    const seen: string[] = [];
    const parser: ResponseParser = new ResponseParser(
      handlerWith({
        onInformational: () => parser.pause(),
        onHead: () => parser.pause(),
        onData: (slice) => seen.push(slice.toString('latin1')),
        onMessageEnd: (reusable) => seen.push(String(reusable)),
      }),
    );
    parser.expect('GET', false);
    const chunk = Buffer.from('HTTP/1.1 100 \r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', 'latin1');
    const stops: number[] = [];
    for (let pos = 0; pos < chunk.length;) stops.push((pos = parser.execute(chunk, pos)));
    assert.deepEqual(stops, [chunk.indexOf('HTTP/1.1 200'), chunk.length - 2, chunk.length]);
    assert.deepEqual(seen, ['hi', 'true']);
  });
});
