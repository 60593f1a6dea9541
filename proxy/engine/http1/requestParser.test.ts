import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limit } from '../../contract/limits.ts';
import { RequestParser } from './requestParser.ts';
import { refusalOf, requestEvents } from './testkit.ts';
import type { RequestHead, RequestHandler } from './types.ts';

const HOST = 'Host: a.example\r\n';

function headOf(text: string): RequestHead {
  const heads: RequestHead[] = [];
  const parser = new RequestParser({
    onHead: (head) => heads.push(head),
    onData: () => {},
    onMessageEnd: () => {},
    onError: (code, detail) => assert.fail(`${code}: ${detail}`),
  });
  parser.execute(Buffer.from(text, 'latin1'));
  const [head] = heads;
  assert.ok(head !== undefined);
  return head;
}

function withLines(lines: string, version = '1.1'): RequestHead {
  return headOf(`GET /a HTTP/${version}\r\n${HOST}${lines}\r\n`);
}

/** A handler that writes down its calls; `on` is called with each. */
function recording(on: (call: string) => void = () => {}): { calls: string[]; handler: RequestHandler } {
  const calls: string[] = [];
  const add = (call: string): void => {
    calls.push(call);
    on(call);
  };
  const handler = {
    onHead: (head: RequestHead) => add(`head ${head.path}`),
    onData: (slice: Buffer) => add(`data ${slice.toString('latin1')}`),
    onMessageEnd: () => add('end'),
    onError: (code: string) => add(`error ${code}`),
  };
  return { calls, handler };
}

describe('the head of a request', () => {
  test('has its lines as received, and values without the blanks around them', () => {
    const { headers } = headOf(`GET /a HTTP/1.1\r\nhOsT:a.example\r\nX-A: \t b c \t\r\nx-a:\r\n\r\n`);
    assert.equal(headers.count, 3);
    assert.equal(headers.text(0, 3), 'hOsT:a.example\r\nX-A: \t b c \t\r\nx-a:\r\n');
    assert.deepEqual(headers.getAll('x-a'), ['b c', '']);
    assert.equal(headers.get('host'), 'a.example');
    assert.equal(headers.get('x'), undefined);
  });
  test('keeps bytes beyond ASCII in values, as latin1', () => {
    assert.equal(withLines('X: \xa0caf\xe9\xa0\r\n').headers.get('x'), '\xa0caf\xe9\xa0');
  });
  test('gives path and scheme of an absolute target', () => {
    const cases: [string, string, string][] = [
      ['http://a.example/b?c', '/b?c', 'http'],
      ['HTTPS://A.EXAMPLE:443?c', '/?c', 'https'],
      ['http://a.example:80', '/', 'http'],
    ];
    for (const [target, path, scheme] of cases) {
      const head = headOf(`GET ${target} HTTP/1.1\r\n${HOST}\r\n`);
      assert.deepEqual([head.target, head.path, head.scheme], [target, path, scheme]);
    }
    assert.equal(headOf(`OPTIONS http://a.example HTTP/1.1\r\n${HOST}\r\n`).path, '*');
    assert.equal(headOf(`OPTIONS * HTTP/1.1\r\n${HOST}\r\n`).path, '*');
  });
  test('gives the host in lower case, without port and final dot', () => {
    const cases: [string, string, number][] = [
      ['API.Example.COM', 'api.example.com', 0],
      ['a.example.:8080', 'a.example', 8080],
      ['127.0.0.1:80', '127.0.0.1', 80],
      ['[2001:DB8::1]:443', '[2001:db8::1]', 443],
      ['my_service', 'my_service', 0],
    ];
    for (const [value, hostname, port] of cases) {
      const head = headOf(`GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`);
      assert.deepEqual([head.authority, head.hostname, head.port], [value, hostname, port]);
    }
  });
  test('gives each request of a connection its own host', () => {
    const hosts = requestEvents(
      ['a', 'b', 'b', 'a'].map((host) => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`).join(''),
    ).flatMap((event) => (event.kind === 'head' ? [(event.head as RequestHead).hostname] : []));
    assert.deepEqual(hosts, ['a', 'b', 'b', 'a']);
  });
  test('knows whether the connection persists', () => {
    assert.equal(withLines('').keepAlive, true);
    assert.equal(withLines('Connection: Close\r\n').keepAlive, false);
    assert.equal(withLines('Connection: keep-alive, close\r\n').keepAlive, false);
    assert.equal(withLines('', '1.0').keepAlive, false);
    assert.equal(withLines('Connection: Keep-Alive\r\n', '1.0').keepAlive, true);
    assert.equal(withLines('Connection: keep-alive\r\nConnection: close\r\n', '1.0').keepAlive, false);
  });
  test('takes Upgrade only with Connection naming it, and only in HTTP/1.1', () => {
    assert.equal(withLines('Connection: Upgrade\r\nUpgrade: websocket\r\n').upgrade, 'websocket');
    assert.equal(withLines('Upgrade: websocket\r\n').upgrade, '');
    assert.equal(withLines('Connection: upgrade\r\nUpgrade: websocket\r\n', '1.0').upgrade, '');
  });
  test('takes 100-continue, and nothing else, as an expectation it knows', () => {
    assert.equal(withLines('').expect, 'none');
    assert.equal(withLines('Expect: 100-Continue\r\n').expect, 'continue');
    assert.equal(withLines('Expect: 100-continue, x\r\n').expect, 'unknown');
    assert.equal(withLines('Expect: 100-continue\r\nExpect: 100-continue\r\n').expect, 'unknown');
    assert.equal(withLines('Expect: 100-continue\r\n', '1.0').expect, 'none');
  });
  test('sees that trailers are accepted', () => {
    assert.equal(withLines('TE: gzip;q=0.5, Trailers\r\n').acceptsTrailers, true);
    assert.equal(withLines('TE: gzip\r\n').acceptsTrailers, false);
  });
  test('lists the fields that Connection names', () => {
    const head = withLines('Connection: close, X-A ,TE,,\r\nConnection: upgrade, y\r\n');
    assert.deepEqual(head.nominated, ['x-a', 'y']);
  });
  test('may stand behind one empty line, however it arrives, but not behind two', () => {
    const text = `GET / HTTP/1.1\r\n${HOST}\r\n`;
    for (const offsets of [[], [1], [2], [1, 2, 3, 4]]) {
      const kinds = (empty: string): string =>
        requestEvents(empty + text, offsets)
          .map((event) => event.kind)
          .join(' ');
      assert.equal(kinds('\r\n'), 'head end');
      assert.equal(kinds('\r\n\r\n'), 'error');
    }
  });
  test('takes Content-Length: 0 and chunked without chunks for what they are', () => {
    assert.equal(withLines('Content-Length: 0\r\n').framing, 'none');
    assert.equal(withLines('Content-Length: 00012\r\n').contentLength, 12);
    assert.equal(withLines('Transfer-Encoding: CHUNKED\r\n').framing, 'chunked');
  });
});

describe('limits of a request', () => {
  const lineOf = (bytes: number): string => `GET /${'a'.repeat(bytes - 'GET / HTTP/1.1\r\n'.length)} HTTP/1.1\r\n`;

  test('a request line of exactly the limit is taken, one byte more is 414', () => {
    const most = limit('requestLineBytes');
    assert.equal(refusalOf(`${lineOf(most)}${HOST}\r\n`), '');
    assert.equal(refusalOf(`${lineOf(most + 1)}${HOST}\r\n`), 'uri_too_long: the start line is over the limit');
  });
  test('a head that fills every limit is taken in pieces as well', () => {
    const fields = `${HOST}X: ${'a'.repeat(limit('headerBytes') - HOST.length - 7)}\r\n\r\n`;
    const text = lineOf(limit('requestLineBytes')) + fields;
    for (const offsets of [[], [1], [20_000], [1_000, 70_000, text.length - 1]]) {
      assert.deepEqual(
        requestEvents(text, offsets).map((event) => event.kind),
        ['head', 'end'],
      );
    }
  });
  test('an endless request line is refused at the limit, not held', () => {
    const text = `GET /${'a'.repeat(limit('requestLineBytes'))}`;
    assert.equal(refusalOf(text), 'uri_too_long: the start line is over the limit');
  });
  test('header lines of exactly the limit are taken, one byte more is 431', () => {
    const fixed = `${HOST}X: \r\n\r\n`.length;
    const of = (bytes: number): string => `${HOST}X: ${'a'.repeat(bytes - fixed)}\r\n\r\n`;
    const most = limit('headerBytes');
    assert.equal(refusalOf(`GET / HTTP/1.1\r\n${of(most)}`), '');
    assert.equal(
      refusalOf(`GET / HTTP/1.1\r\n${of(most + 1)}`),
      'headers_too_large: the header section is over the limit',
    );
  });
  test('as many header lines as the limit are taken, one more is 431', () => {
    const of = (count: number): string => `GET / HTTP/1.1\r\n${HOST}${'A: b\r\n'.repeat(count - 1)}\r\n`;
    assert.equal(refusalOf(of(limit('headerCount'))), '');
    assert.equal(refusalOf(of(limit('headerCount') + 1)), 'headers_too_large: too many field lines');
  });
  test('trailers have the limit of trailers', () => {
    const chunked = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n`;
    const text = `${chunked}X: ${'a'.repeat(limit('trailerBytes'))}\r\n\r\n`;
    assert.equal(refusalOf(text), 'headers_too_large: the header section is over the limit');
    assert.equal(refusalOf(`${chunked}${'A: b\r\n'.repeat(101)}\r\n`), 'headers_too_large: too many field lines');
  });
  test('a Connection line with more options than the limit is refused', () => {
    const of = (count: number): string => `GET / HTTP/1.1\r\n${HOST}Connection: ${'a,'.repeat(count - 1)}a\r\n\r\n`;
    assert.equal(refusalOf(of(limit('connectionOptions'))), '');
    assert.equal(refusalOf(of(limit('connectionOptions') + 1)), 'bad_request: Connection holds too many options');
  });
  test('of a fleet hold in place of the defaults', () => {
    const kinds = (text: string, maxHeaderBytes: number, maxHeaders: number): string[] => {
      const { calls, handler } = recording();
      new RequestParser(handler, { maxHeaderBytes, maxHeaders }).execute(Buffer.from(text, 'latin1'));
      return calls;
    };
    const fields = `${HOST}A: b\r\n\r\n`;
    const text = `GET / HTTP/1.1\r\n${fields}`;
    assert.deepEqual(kinds(text, fields.length, 2), ['head /', 'end']);
    assert.deepEqual(kinds(text, fields.length - 1, 2), ['error headers_too_large']);
    assert.deepEqual(kinds(text, fields.length, 1), ['error headers_too_large']);
    assert.throws(() => new RequestParser(recording().handler, { maxHeaderBytes: 2 ** 23, maxHeaders: 1 }), RangeError);
  });
  test('a method of more than 32 characters is not implemented', () => {
    assert.equal(refusalOf(`${'A'.repeat(32)} / HTTP/1.1\r\n${HOST}\r\n`), '');
    const text = `${'A'.repeat(33)} / HTTP/1.1\r\n${HOST}\r\n`;
    assert.equal(refusalOf(text), 'not_implemented: the method is too long');
  });
});

describe('execute', () => {
  const TWO = `POST /1 HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\nhiGET /2 HTTP/1.1\r\n${HOST}\r\n`;

  test('stops behind a message: the caller decides when the next one is read', () => {
    const { calls, handler } = recording();
    const parser = new RequestParser(handler);
    const chunk = Buffer.from(TWO, 'latin1');
    const next = parser.execute(chunk);
    assert.deepEqual(calls, ['head /1', 'data hi', 'end']);
    assert.equal(next, TWO.indexOf('GET'));
    assert.equal(parser.idle, true);
    assert.equal(parser.execute(chunk, next), chunk.length);
    assert.deepEqual(calls.slice(3), ['head /2', 'end']);
  });
  test('stops behind a head in which pause was called, and goes on with the body', () => {
    const { calls, handler } = recording((call) => call.startsWith('head') && parser.pause());
    const parser = new RequestParser(handler);
    const chunk = Buffer.from(TWO, 'latin1');
    const next = parser.execute(chunk);
    assert.deepEqual(calls, ['head /1']);
    assert.equal(next, TWO.indexOf('hi'));
    parser.execute(chunk, next);
    assert.deepEqual(calls, ['head /1', 'data hi', 'end']);
  });
  test('stops behind a piece of the body in which pause was called', () => {
    const { calls, handler } = recording((call) => call.startsWith('data') && parser.pause());
    const parser = new RequestParser(handler);
    const text = `POST /1 HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n`;
    const chunk = Buffer.from(text, 'latin1');
    const stops: string[] = [];
    for (let pos = 0; pos < chunk.length;) {
      pos = parser.execute(chunk, pos);
      stops.push(calls.at(-1) ?? '');
    }
    assert.deepEqual(stops, ['data a', 'data b', 'end']);
  });
  test('hands out the body as views of the chunk, not copies', () => {
    let seen: Buffer | undefined;
    const handler = { ...recording().handler, onData: (slice: Buffer) => void (seen = slice) };
    const chunk = Buffer.from(TWO, 'latin1');
    new RequestParser(handler).execute(chunk);
    assert.equal(seen?.buffer, chunk.buffer);
  });
  test('gives each message its own trailers', () => {
    const message = (name: string): string =>
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n${name}: 1\r\n\r\n`;
    const trailers = requestEvents(message('A') + message('B')).filter((event) => event.kind === 'trailers');
    assert.deepEqual(trailers, [
      { kind: 'trailers', headers: [['A', '1']] },
      { kind: 'trailers', headers: [['B', '1']] },
    ]);
  });
  test('ignores everything behind an error', () => {
    const { calls, handler } = recording();
    const parser = new RequestParser(handler);
    const bad = Buffer.from('BAD\r\n', 'latin1');
    assert.equal(parser.execute(bad), bad.length);
    assert.equal(parser.execute(Buffer.from(TWO, 'latin1')), TWO.length);
    assert.deepEqual(calls, ['error bad_request']);
    assert.equal(parser.idle, false);
  });
  test('keeps no view of a chunk it was given: the caller may use the memory again', () => {
    const { calls, handler } = recording();
    const parser = new RequestParser(handler);
    const memory = Buffer.alloc(64);
    for (const piece of ['GET /12', '345 HTTP/1.1\r\nHo', 'st: a\r', '\n\r', '\n']) {
      memory.fill(0);
      memory.write(piece, 'latin1');
      parser.execute(memory.subarray(0, piece.length));
    }
    assert.deepEqual(calls, ['head /12345', 'end']);
  });
});

describe('the end of the connection', () => {
  const finishAfter = (text: string): string => {
    const parser = new RequestParser(recording().handler);
    parser.execute(Buffer.from(text, 'latin1'));
    return parser.finish();
  };
  test('between requests is idle, also behind an empty line', () => {
    assert.equal(finishAfter(''), 'idle');
    assert.equal(finishAfter('\r\n'), 'idle');
    assert.equal(finishAfter(`GET / HTTP/1.1\r\n${HOST}\r\n`), 'idle');
  });
  test('within a head or body is told apart', () => {
    assert.equal(finishAfter('G'), 'before_head');
    assert.equal(finishAfter(`POST / HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\nh`), 'truncated');
    assert.equal(finishAfter(`POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n`), 'truncated');
  });
});
