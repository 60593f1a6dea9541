/** Requests and responses that two recipients could read differently; every test is named for the attack. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { refusalOf, requestEvents, responseEvents, responseRefusalOf } from './testkit.ts';

const HOST = 'Host: a.example\r\n';

function post(lines: string, body = ''): string {
  return `POST / HTTP/1.1\r\n${HOST}${lines}\r\n${body}`;
}

function refuses(text: string, expected: string): void {
  assert.equal(refusalOf(text), expected);
}

function refusesResponse(text: string, expected: string): void {
  assert.equal(responseRefusalOf(text), expected);
}

const BOTH = 'bad_request: Content-Length beside Transfer-Encoding';
const CODING = 'bad_request: Transfer-Encoding is not exactly chunked';
const LENGTH = 'bad_request: Content-Length is not one decimal number';

describe('length of a request body', () => {
  test('CL.TE: Content-Length before Transfer-Encoding', () => {
    refuses(post('Content-Length: 6\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\nG'), BOTH);
  });
  test('TE.CL: Transfer-Encoding before Content-Length', () => {
    refuses(post('Transfer-Encoding: chunked\r\nContent-Length: 3\r\n', '1\r\nZ\r\n0\r\n\r\n'), BOTH);
  });
  test('CL.TE with an unknown coding', () => {
    refuses(post('Content-Length: 6\r\nTransfer-Encoding: x\r\n'), BOTH);
  });
  for (const value of [
    '5,5',
    '5, 5',
    '+5',
    '-5',
    '',
    '5 5',
    '0x5',
    '5;',
    '5.0',
    '1e1',
    '٥',
    '9'.repeat(16),
    '5\u00a0',
  ]) {
    test(`Content-Length ${JSON.stringify(value)}`, () => {
      refuses(post(`Content-Length: ${value}\r\n`, 'hello'), LENGTH);
    });
  }
  test('CL.CL: two differing lengths', () => {
    refuses(post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello'), LENGTH);
  });
  test('CL.CL: the same length twice', () => {
    refuses(post('Content-Length: 5\r\ncontent-length: 5\r\n', 'hello'), LENGTH);
  });
});

describe('Transfer-Encoding of a request', () => {
  const codings = [
    'identity',
    'gzip, chunked',
    'chunked, gzip',
    'chunked, chunked',
    ',chunked',
    'chunked,',
    'xchunked',
    'chunkedx',
    'chunked;q=1',
    '"chunked"',
    'chunked chunked',
    '',
  ];
  for (const coding of codings) {
    test(`TE.TE: Transfer-Encoding ${JSON.stringify(coding)}`, () => {
      refuses(post(`Transfer-Encoding: ${coding}\r\n`, '0\r\n\r\n'), CODING);
    });
  }
  test('TE.TE: repeated, one of them obfuscated', () => {
    const twice = 'bad_request: Transfer-Encoding is repeated';
    refuses(post('Transfer-Encoding: chunked\r\nTransfer-encoding: cow\r\n', '0\r\n\r\n'), twice);
    refuses(post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), twice);
  });
  test('chunked in HTTP/1.0', () => {
    const text = `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
    refuses(text, 'bad_request: Transfer-Encoding in HTTP/1.0');
  });
  test('vertical tab before chunked', () => {
    refuses(
      post('Transfer-Encoding:\x0bchunked\r\n', '0\r\n\r\n'),
      'bad_request: a field value holds a control or forbidden character',
    );
  });
  test('space before the colon', () => {
    refuses(post('Transfer-Encoding : chunked\r\n'), 'bad_request: a space in or after a field name');
    refuses(post('Content-Length\t: 5\r\n', 'hello'), 'bad_request: a space in or after a field name');
  });
  test('hidden in a folded line', () => {
    refuses(post('X: y\r\n Transfer-Encoding: chunked\r\n'), 'bad_request: a folded line (obs-fold)');
    refuses(post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'), 'bad_request: a folded line (obs-fold)');
  });
  test('the first header line begins with a space', () => {
    const text = `GET / HTTP/1.1\r\n ${HOST}\r\n`;
    refuses(text, 'bad_request: a folded line (obs-fold)');
  });
});

describe('chunks of a request', () => {
  const chunked = (body: string): string => post('Transfer-Encoding: chunked\r\n', body);
  const NOT_HEX = 'bad_request: a chunk size is not hexadecimal';
  const NO_SIZE = 'bad_request: a chunk size is missing or not hexadecimal';

  test('size with 0x', () => refuses(chunked('0x5\r\nhello\r\n0\r\n\r\n'), NOT_HEX));
  test('size with an underscore', () => refuses(chunked('1_0\r\n'), NOT_HEX));
  test('size with a sign', () => {
    refuses(chunked('+5\r\nhello\r\n0\r\n\r\n'), NO_SIZE);
    refuses(chunked('-5\r\nhello\r\n0\r\n\r\n'), NO_SIZE);
  });
  test('empty size', () => refuses(chunked('\r\nhello\r\n'), NO_SIZE));
  test('space before the size', () => refuses(chunked(' 5\r\nhello\r\n0\r\n\r\n'), NO_SIZE));
  test('space after the size', () => {
    refuses(chunked('5 \r\nhello\r\n0\r\n\r\n'), NOT_HEX);
    refuses(chunked('5 ;a\r\nhello\r\n0\r\n\r\n'), NOT_HEX);
  });
  test('size that overflows 64 bits', () => {
    refuses(chunked('10000000000000005\r\nhello\r\n0\r\n\r\n'), 'bad_request: a chunk size is too large');
  });
  test('size padded with zeros without end', () => {
    refuses(chunked(`${'0'.repeat(14)}5\r\nhello\r\n0\r\n\r\n`), 'bad_request: a chunk size is too large');
  });
  test('chunk longer than its size', () => {
    refuses(chunked('3\r\nhello\r\n0\r\n\r\n'), 'bad_request: a chunk is longer than its size');
  });
  test('LF alone behind a chunk', () => {
    refuses(chunked('5\r\nhello\n0\r\n\r\n'), 'bad_request: a chunk is longer than its size');
  });
  test('LF alone behind a size', () => {
    refuses(chunked('5\nhello\r\n0\r\n\r\n'), 'bad_request: a chunk size ends in a bare LF');
  });
  test('CR alone behind a size', () => {
    refuses(chunked('5\rhello\r\n0\r\n\r\n'), 'bad_request: a CR without LF after a chunk size');
  });
  test('CR alone behind a chunk', () => {
    refuses(chunked('5\r\nhello\rX0\r\n\r\n'), 'bad_request: a CR without LF after a chunk');
  });
  test('TERM.EXT: LF inside a chunk extension', () => {
    const text = chunked('5;\nhello\r\n0\r\n\r\nGET /admin HTTP/1.1\r\n');
    refuses(text, 'bad_request: a chunk extension holds a bare LF');
  });
  test('CR inside a chunk extension', () => {
    refuses(chunked('5;a\rb\r\nhello\r\n0\r\n\r\n'), 'bad_request: a CR without LF after a chunk size');
  });
  test('endless chunk extension', () => {
    refuses(chunked(`5;${'a'.repeat(300)}`), 'bad_request: a chunk extension is over the limit');
  });
  for (const extension of [';', ';;', ';a=', ';a="', ';a="b', ';a b', ';=b', ';a="\x01"', '; a', ';a =b', ';a=b;']) {
    test(`malformed chunk extension ${JSON.stringify(extension)}`, () => {
      refuses(chunked(`5${extension}\r\nhello\r\n0\r\n\r\n`), 'bad_request: a chunk extension is malformed');
    });
  }
  test('bare LF ends the trailers', () => {
    refuses(chunked('0\r\n\nGET /admin HTTP/1.1\r\n'), 'bad_request: a line ends in a bare LF');
  });
  test('trailer with a space before its colon', () => {
    refuses(chunked('0\r\nA : b\r\n\r\n'), 'bad_request: a space in or after a field name');
  });
});

describe('line ends and characters', () => {
  test('bare LF ends the request line', () => {
    refuses(`GET / HTTP/1.1\n${HOST}\r\n`, 'bad_request: the start line ends in a bare LF');
  });
  test('bare LF ends a header line', () => {
    refuses(`GET / HTTP/1.1\r\nHost: a.example\nX: y\r\n\r\n`, 'bad_request: a field value ends in a bare LF');
  });
  test('bare LF ends the head', () => {
    refuses(`GET / HTTP/1.1\r\n${HOST}\nGET /admin`, 'bad_request: a line ends in a bare LF');
  });
  test('bare CR in a value hides a line', () => {
    refuses(post('X: a\rTransfer-Encoding: chunked\r\n'), 'bad_request: a field value holds a bare CR');
  });
  test('bare CR in place of the empty line', () => {
    refuses(`GET / HTTP/1.1\r\n${HOST}\rX`, 'bad_request: the empty line holds a bare CR');
  });
  test('CR CR LF ends a line', () => {
    refuses(`GET / HTTP/1.1\r\r\n${HOST}\r\n`, 'bad_request: the start line holds a bare CR');
  });
  test('NUL in a value', () => {
    refuses(post('X: a\0b\r\n'), 'bad_request: a field value holds a control or forbidden character');
  });
  test('DEL in a value', () => {
    refuses(post('X: a\x7fb\r\n'), 'bad_request: a field value holds a control or forbidden character');
  });
  for (const name of ['X(', 'X"', 'X/', 'X@', 'X[', 'X\\', 'X{', '\x80', 'X\0']) {
    test(`field name ${JSON.stringify(name)} is no token`, () => {
      refuses(post(`${name}: y\r\n`), 'bad_request: a field name holds a character that is not a token’s');
    });
  }
  test('empty field name', () => refuses(post(': y\r\n'), 'bad_request: a field name is empty'));
  test('header line without a colon', () => {
    refuses(post('Transfer-Encoding\r\n'), 'bad_request: a field name holds a character that is not a token’s');
  });
  test('two empty lines before the request', () => {
    refuses(`\r\n\r\nGET / HTTP/1.1\r\n${HOST}\r\n`, 'bad_request: the method is not a token');
  });
  test('bare LF or CR before the request', () => {
    refuses(`\nGET / HTTP/1.1\r\n${HOST}\r\n`, 'bad_request: the start line ends in a bare LF');
    refuses(`\rGET / HTTP/1.1\r\n${HOST}\r\n`, 'bad_request: a CR without LF before the start line');
  });
});

describe('request line', () => {
  const line = (text: string): string => `${text}\r\n${HOST}\r\n`;
  const TARGET = 'bad_request: the request-target is missing or holds a forbidden character';
  const VERSION = 'bad_request: the request line does not end in an HTTP version';

  test('space before the method', () => refuses(line(' GET / HTTP/1.1'), 'bad_request: the method is not a token'));
  test('method that is no token', () => refuses(line('GE(T / HTTP/1.1'), 'bad_request: the method is not a token'));
  test('two spaces before the target', () => refuses(line('GET  / HTTP/1.1'), TARGET));
  test('two spaces before the version', () => refuses(line('GET /  HTTP/1.1'), VERSION));
  test('space in the target', () => refuses(line('GET /a b HTTP/1.1'), VERSION));
  test('tab between the parts', () => {
    refuses(line('GET\t/\tHTTP/1.1'), 'bad_request: the start line holds a control or forbidden character');
  });
  test('space behind the version', () => refuses(line('GET / HTTP/1.1 '), VERSION));
  test('fragment in the target', () => refuses(line('GET /a#b HTTP/1.1'), TARGET));
  test('bytes beyond ASCII in the target', () => {
    refuses(line('GET /caf\xe9 HTTP/1.1'), 'bad_request: the start line holds a control or forbidden character');
  });
  test('NUL in the target', () => {
    refuses(line('GET /a\0 HTTP/1.1'), 'bad_request: the start line holds a control or forbidden character');
  });
  test('HTTP/0.9', () => refuses(line('GET /'), TARGET));
  for (const version of [
    'HTTP/1',
    'http/1.1',
    'HTTP/1.1x',
    'HTTP/01.1',
    'HTTP/1,1',
    'XTTP/1.1',
    'HTTP/x.1',
    'HTTP/1.:',
  ]) {
    test(`version ${version}`, () => refuses(line(`GET / ${version}`), VERSION));
  }
  for (const version of ['HTTP/0.9', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/3.0', 'HTTP/9.1']) {
    test(`version ${version}, well-formed`, () => {
      refuses(line(`GET / ${version}`), 'version_not_supported: the version is not HTTP/1.0 or 1.1');
    });
  }
  test('HTTP/2 preface', () => {
    const text = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
    refuses(text, 'version_not_supported: the version is not HTTP/1.0 or 1.1');
  });
  test('a TLS handshake to a plain port is refused at its first byte', () => {
    refuses('\x16\x03\x01', 'bad_request: the start line holds a control or forbidden character');
  });
  test('CONNECT', () => {
    refuses(
      'CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n',
      'not_implemented: CONNECT is not for a reverse proxy',
    );
  });
  test('authority-form without CONNECT', () => {
    refuses(line('GET a.example:80 HTTP/1.1'), 'bad_request: the request-target is neither a path nor an absolute URI');
  });
  test('asterisk without OPTIONS', () => {
    refuses(line('GET * HTTP/1.1'), 'bad_request: the target * is for OPTIONS only');
  });
  test('target that begins like another form', () => {
    const expected = 'bad_request: the request-target is neither a path nor an absolute URI';
    for (const target of ['*x', '?a', 'x/../admin', 'http:/a.example/', 'http:a.example', '\\admin']) {
      refuses(line(`OPTIONS ${target} HTTP/1.1`), expected);
    }
  });
  test('absolute target with another scheme', () => {
    const expected = 'bad_request: the request-target is neither a path nor an absolute URI';
    refuses(line('GET file:///etc/passwd HTTP/1.1'), expected);
    refuses(line('GET ftp://a.example/ HTTP/1.1'), expected);
  });
});

describe('Host', () => {
  const INVALID = 'invalid_host: Host is not a host name or address with a port';
  test('missing', () => {
    refuses('GET / HTTP/1.1\r\nX: y\r\n\r\n', 'invalid_host: Host is missing');
    refuses('GET / HTTP/1.0\r\n\r\n', 'invalid_host: Host is missing');
  });
  test('repeated', () => {
    refuses(`GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, 'invalid_host: Host is repeated');
    refuses(`GET / HTTP/1.1\r\n${HOST}hOST: b.example\r\n\r\n`, 'invalid_host: Host is repeated');
  });
  const values = [
    '',
    'a b',
    'a,b',
    'a/b',
    'a@b',
    'user:pw@a',
    'a:',
    'a:0',
    'a:65536',
    'a:x',
    'a:80:80',
    ':80',
    '.a',
    'a..b',
    '[::1',
    '[::1]x',
    '[1]',
    '[::1%25eth0]',
    '::1',
    'a%2eb',
    'a\\b',
    'caf\xe9',
    "a'b",
    '<a>',
    'a'.repeat(255),
  ];
  for (const value of values) {
    test(`value ${JSON.stringify(value.slice(0, 20))}`, () =>
      refuses(`GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`, INVALID));
  }
  test('differs from an absolute target', () => {
    const expected = 'invalid_host: Host differs from the authority of the request-target';
    refuses('GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n', expected);
    refuses('GET http://a.example:81/ HTTP/1.1\r\nHost: a.example\r\n\r\n', expected);
    refuses('GET https://a.example/ HTTP/1.1\r\nHost: a.example:80\r\n\r\n', expected);
  });
  test('user information in an absolute target', () => {
    refuses(
      'GET http://a.example@b.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n',
      'bad_request: the authority of the request-target is invalid',
    );
  });
});

describe('a refused request', () => {
  test('ends everything: nothing behind it is read as a request', () => {
    const events = requestEvents(
      post('Content-Length: 0\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\nGET /admin HTTP/1.1\r\n${HOST}\r\n`),
    );
    assert.deepEqual(
      events.map((event) => event.kind),
      ['error'],
    );
  });
  test('in its body ends in one error behind what was valid', () => {
    const events = requestEvents(post('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\nX\r\n'));
    assert.deepEqual(
      events.map((event) => event.kind),
      ['head', 'data', 'error'],
    );
  });
});

describe('responses', () => {
  const OK = 'HTTP/1.1 200 OK\r\n';
  test('CL.TE', () => {
    refusesResponse(
      `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'upstream_protocol_error: Content-Length beside Transfer-Encoding',
    );
  });
  for (const value of ['5,5', '+5', '', '5\r\nContent-Length: 5']) {
    test(`Content-Length ${JSON.stringify(value)}`, () => {
      refusesResponse(
        `${OK}Content-Length: ${value}\r\n\r\nhello`,
        'upstream_protocol_error: Content-Length is not one decimal number',
      );
    });
  }
  test('Transfer-Encoding other than chunked', () => {
    const expected = 'upstream_protocol_error: Transfer-Encoding is not exactly chunked';
    refusesResponse(`${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`, expected);
    refusesResponse(`${OK}Transfer-Encoding: identity\r\n\r\n`, expected);
  });
  test('chunked in HTTP/1.0', () => {
    const text = 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    refusesResponse(text, 'upstream_protocol_error: Transfer-Encoding in HTTP/1.0');
  });
  test('response splitting by CR or LF alone', () => {
    refusesResponse(`${OK}X: a\rSet-Cookie: b\r\n\r\n`, 'upstream_protocol_error: a field value holds a bare CR');
    refusesResponse(`${OK}X: a\nSet-Cookie: b\r\n\r\n`, 'upstream_protocol_error: a field value ends in a bare LF');
  });
  test('body on a response that has none', () => {
    const expected = 'upstream_protocol_error: a response that has no body declares one';
    refusesResponse('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello', expected);
    refusesResponse('HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n', expected);
    refusesResponse('HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n', expected);
  });
  test('a second response in the same packet: the first is whole, the connection is not to be used again', () => {
    const second = `${OK}Content-Length: 0\r\n\r\n`;
    const events = responseEvents(`${OK}Content-Length: 2\r\n\r\nhi${second}`);
    assert.deepEqual(events.slice(1), [
      { kind: 'data', text: 'hi' },
      { kind: 'end', reusable: false },
    ]);
  });
  test('a second response in a later packet', () => {
    const first = `${OK}Content-Length: 2\r\n\r\nhi`;
    const events = responseEvents(`${first}HTTP`, [first.length]);
    assert.deepEqual(events.slice(2), [
      { kind: 'end', reusable: true },
      { kind: 'error', code: 'upstream_protocol_error', detail: 'bytes that belong to no response' },
    ]);
  });
  test('body behind the answer to HEAD', () => {
    const events = responseEvents(`${OK}Content-Length: 2\r\n\r\nhi`, [], { method: 'HEAD' });
    assert.deepEqual(events.slice(1), [{ kind: 'end', reusable: false }]);
  });
  test('101 to a request without Upgrade opens no tunnel', () => {
    refusesResponse(
      'HTTP/1.1 101 Switching Protocols\r\n\r\nsecret',
      'upstream_protocol_error: 101 to a request without Upgrade',
    );
  });
  test('endless interim responses', () => {
    const text = 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(40);
    refusesResponse(text, 'upstream_protocol_error: too many interim responses');
  });
  test('malformed status lines', () => {
    const malformed = 'upstream_protocol_error: the status line is malformed';
    refusesResponse('HTTP/1.1  200 OK\r\n\r\n', 'upstream_protocol_error: the status is not three digits');
    refusesResponse('HTTP/1.1 2000 OK\r\n\r\n', 'upstream_protocol_error: the status is not three digits');
    refusesResponse('HTTP/1.1 20 OK\r\n\r\n', 'upstream_protocol_error: the status is not three digits');
    refusesResponse('HTTP/1.1 099 OK\r\n\r\n', 'upstream_protocol_error: the status is below 100');
    refusesResponse('HTTP/1.1 200\tOK\r\n\r\n', 'upstream_protocol_error: the status is not three digits');
    refusesResponse('HTTP/2.0 200 OK\r\n\r\n', 'upstream_protocol_error: the version is not HTTP/1.0 or 1.1');
    refusesResponse('HTTP/1.1\r\n\r\n', malformed);
    refusesResponse('http/1.1 200 OK\r\n\r\n', malformed);
    refusesResponse('SSH-2.0-OpenSSH_9.2\r\n\r\n', malformed);
  });
});
