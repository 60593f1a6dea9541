import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HeaderBlock } from './headerBlock.ts';
import { dropRules, forwardedLines, forwardedTrailers, OTHER_FORWARDED } from './hopByHop.ts';
import { RequestParser } from './requestParser.ts';
import { ResponseParser } from './responseParser.ts';
import type { DropRules } from './types.ts';

const OWN = dropRules(['X-Forwarded-For', 'x-request-id', 'X-Custom-Id']);

function forwarded(lines: string, rules: DropRules = OWN): string {
  let text = '';
  const parser = new RequestParser({
    onHead: (head) => void (text = forwardedLines(head, rules)),
    onData: () => {},
    onMessageEnd: () => {},
    onError: (code, detail) => assert.fail(`${code}: ${detail}`),
  });
  parser.execute(Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`, 'latin1'));
  return text.replace('Host: a\r\n', '');
}

function forwardedFromResponse(status: number, lines: string, method = 'GET'): string {
  let text = '';
  const parser = new ResponseParser({
    onInformational: (head) => void (text = forwardedLines(head, OWN)),
    onHead: (head) => void (text = forwardedLines(head, OWN)),
    onData: () => {},
    onMessageEnd: () => {},
    onError: (code, detail) => assert.fail(`${code}: ${detail}`),
  });
  parser.expect(method, false);
  parser.execute(Buffer.from(`HTTP/1.1 ${status} X\r\n${lines}\r\n`, 'latin1'));
  return text;
}

describe('header lines of a request', () => {
  test('are forwarded with the bytes and in the order received', () => {
    const lines = 'b:1\r\nAccept:  */* \r\nB: 2\r\nCookie: a=b\r\ncontent-length: 0\r\n';
    assert.equal(forwarded(lines), lines);
  });
  const hopByHop = [
    'Connection: keep-alive',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'Proxy-Authorization: Basic eA==',
    'Proxy-Authenticate: Basic',
    'TE: trailers',
    'Transfer-Encoding: chunked',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
    'Proxy: http://evil.example',
  ];
  for (const line of hopByHop) {
    test(`belong to one hop and stay: ${line}`, () => {
      assert.equal(forwarded(`A: b\r\n${line}\r\nC: d\r\n`), 'A: b\r\nC: d\r\n');
    });
  }
  test('that Connection names are dropped, whatever their case', () => {
    assert.equal(forwarded('X-Hop: 1\r\nConnection: x-hop, CLOSE, y_hop\r\nY_Hop: 2\r\nZ: 3\r\n'), 'Z: 3\r\n');
  });
  const endToEnd = [
    'X-Forwarded-Proto: https',
    'X-Forwarded-Whatever: 1',
    'Authorization: Bearer x',
    'Cookie: a=b',
    'Content-Length: 0',
    'Forwarded: for=1',
    'Cache-Control: no-store',
    'Traceparent: 00-1-2-01',
  ];
  for (const line of endToEnd) {
    test(`cannot be stripped by Connection: ${line}`, () => {
      const name = line.slice(0, line.indexOf(':'));
      assert.equal(forwarded(`Connection: close, ${name}\r\n${line}\r\n`), `${line}\r\n`);
    });
  }
  test('cannot be stripped by Connection: Host', () => {
    let text = '';
    const parser = new RequestParser({
      onHead: (head) => void (text = forwardedLines(head, OWN)),
      onData: () => {},
      onMessageEnd: () => {},
      onError: () => assert.fail(),
    });
    parser.execute(Buffer.from('GET / HTTP/1.1\r\nConnection: host\r\nHost: a\r\n\r\n', 'latin1'));
    assert.equal(text, 'Host: a\r\n');
  });
  test('that the proxy replaces are dropped, in any case and with underscores', () => {
    const lines = 'x-forwarded-FOR: 1\r\nX-Request-ID: 2\r\nx-custom-id: 3\r\nX_Custom_Id: 4\r\nX-Custom-Idx: 5\r\n';
    assert.equal(forwarded(lines), 'X-Custom-Idx: 5\r\n');
  });
  for (const name of [
    'Transfer_Encoding',
    'content_length',
    'X_Forwarded_For',
    'X-Forwarded_Any',
    'HOST_',
    'User_Agent',
  ]) {
    const folds = name !== 'HOST_';
    test(`with an underscore: ${name} is ${folds ? 'dropped, since others fold it' : 'forwarded'}`, () => {
      assert.equal(forwarded(`${name}: 1\r\n`), folds ? '' : `${name}: 1\r\n`);
    });
  }
  test('of the X-Forwarded family are dropped one by one, or all that have no id', () => {
    const lines = 'X-Forwarded-Email: 1\r\nx-forwarded-groups: 2\r\nX-Forwarded: 3\r\nX-Forward: 4\r\n';
    assert.equal(forwarded(lines, dropRules(['x-forwarded-email'])), lines.slice(lines.indexOf('x-')));
    assert.equal(forwarded(lines, dropRules([OTHER_FORWARDED])), 'X-Forwarded: 3\r\nX-Forward: 4\r\n');
    assert.equal(forwarded(lines, dropRules([OTHER_FORWARDED, 'X-Forwarded'])), 'X-Forward: 4\r\n');
  });
  test('Trailer stays without chunks, and goes with them', () => {
    assert.equal(forwarded('Trailer: X\r\n'), '');
    assert.equal(forwarded('Trailer: X\r\nTransfer-Encoding: chunked\r\n'), 'Trailer: X\r\n');
  });
});

describe('header lines of a response', () => {
  test('are forwarded as received but for one hop', () => {
    const lines = 'Server: x\r\nConnection: x-hop\r\nX-Hop: 1\r\nSet-Cookie: a\r\nKeep-Alive: 5\r\nset-cookie: b\r\n';
    assert.equal(forwardedFromResponse(200, lines), 'Server: x\r\nSet-Cookie: a\r\nset-cookie: b\r\n');
  });
  test('Connection cannot strip Set-Cookie or WWW-Authenticate', () => {
    const lines = 'Set-Cookie: a\r\nWWW-Authenticate: Basic\r\n';
    assert.equal(forwardedFromResponse(401, `Connection: set-cookie, www-authenticate\r\n${lines}`), lines);
  });
  test('Content-Length goes with HEAD and 304, not with 204', () => {
    assert.equal(forwardedFromResponse(200, 'Content-Length: 5\r\n', 'HEAD'), 'Content-Length: 5\r\n');
    assert.equal(forwardedFromResponse(304, 'Content-Length: 5\r\n'), 'Content-Length: 5\r\n');
    assert.equal(forwardedFromResponse(204, 'Content-Length: 0\r\n'), '');
  });
});

test('trailers are forwarded unless the proxy knows the name', () => {
  const trailers = HeaderBlock.of([
    ['Server-Timing', 'a'],
    ['Content-Length', '5'],
    ['Transfer-Encoding', 'chunked'],
    ['Host', 'a'],
    ['Authorization', 'x'],
    ['Set-Cookie', 'x'],
    ['X-Forwarded-Any', 'x'],
    ['X_Forwarded_For', 'x'],
    ['Connection', 'close'],
    ['grpc_status', '0'],
  ]);
  assert.equal(forwardedTrailers(trailers), 'Server-Timing: a\r\ngrpc_status: 0\r\n');
});

test('what is forwarded is the received lines without the dropped ones, for any mixture', () => {
  const line = fc.constantFrom(
    'A: b',
    'Connection: x-hop',
    'X-Hop: 1',
    'TE: x',
    'X-Request-Id: 1',
    'Cookie: c',
    'Q:',
    'X_Y: z',
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
      const hop = lines.includes('Connection: x-hop');
      const kept = lines.filter(
        (text) => !/^(?:Connection|TE|X-Request-Id):/.test(text) && !(hop && text === 'X-Hop: 1'),
      );
      const expected = kept.map((text) => `${text}\r\n`).join('');
      assert.equal(forwarded(lines.map((text) => `${text}\r\n`).join('')), expected);
    }),
    { numRuns: 300, seed: 7 },
  );
});
