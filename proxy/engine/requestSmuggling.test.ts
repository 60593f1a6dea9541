import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { everythingTo } from '../../test/support/proxyHarness.ts';
import { RawClient } from '../../test/support/rawClient.ts';
import { answering } from '../../test/support/rawUpstream.ts';
import { clientFor, proxyFor, upstreamFor } from '../../test/support/resources.ts';

const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const POST = 'POST / HTTP/1.1\r\nHost: a.test\r\n';
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n';

/** What an attacker sends, by the name of the attack. Each is refused with its status, and its connection closed. */
const REFUSED: Readonly<Record<string, readonly [status: number, bytes: string]>> = {
  'CL.TE: both framings': [400, `${POST}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  'CL.CL: differing lengths': [400, `${POST}Content-Length: 0\r\nContent-Length: 44\r\n\r\n${SMUGGLED}`],
  'CL list': [400, `${POST}Content-Length: 0, 44\r\n\r\n${SMUGGLED}`],
  'CL with a sign': [400, `${POST}Content-Length: +0\r\n\r\n${SMUGGLED}`],
  'CL empty': [400, `${POST}Content-Length: \r\n\r\n${SMUGGLED}`],
  'CL in hex': [400, `${POST}Content-Length: 0x10\r\n\r\n${SMUGGLED}`],
  'TE.TE: repeated coding': [
    400,
    `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  'TE with a vertical tab': [400, `${POST}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  'TE on HTTP/1.0': [400, `POST / HTTP/1.0\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  'space before the colon': [400, `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  'folded line': [400, `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  'bare LF in the head': [400, `${POST}X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  'bare CR in a value': [400, `${POST}X: a\rContent-Length: 44\r\n\r\n${SMUGGLED}`],
  'NUL in a value': [400, `${POST}X: a\0b\r\n\r\n${SMUGGLED}`],
  'chunk size with 0x': [400, `${CHUNKED}0x0\r\n\r\n${SMUGGLED}`],
  'chunk size with underscore': [400, `${CHUNKED}1_0\r\n\r\n${SMUGGLED}`],
  'chunk size that overflows': [400, `${CHUNKED}10000000000000000\r\n\r\n${SMUGGLED}`],
  'chunk ended by a bare LF': [400, `${CHUNKED}5\nhello\r\n0\r\n\r\n${SMUGGLED}`],
  'LF within a chunk extension': [400, `${CHUNKED}0;a\nb\r\n\r\n${SMUGGLED}`],
  'chunk longer than its size': [400, `${CHUNKED}3\r\nhello\r\n0\r\n\r\n${SMUGGLED}`],
  'two hosts': [400, `GET / HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n${SMUGGLED}`],
  'no host': [400, `GET / HTTP/1.1\r\n\r\n${SMUGGLED}`],
  'host other than the target’s': [400, `GET http://b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n${SMUGGLED}`],
  'host with a path': [400, `GET / HTTP/1.1\r\nHost: a.test/admin\r\n\r\n${SMUGGLED}`],
  'fragment in the target': [400, `GET /#/admin HTTP/1.1\r\nHost: a.test\r\n\r\n${SMUGGLED}`],
  CONNECT: [501, `CONNECT b.test:443 HTTP/1.1\r\nHost: b.test:443\r\n\r\n${SMUGGLED}`],
  'HTTP/2 preface': [400, `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${SMUGGLED}`],
};

describe('request smuggling', () => {
  for (const [attack, [status, bytes]] of Object.entries(REFUSED)) {
    test(`${attack} is refused, and nothing of it is answered by an upstream`, async (t) => {
      const upstream = await upstreamFor(t, answering(HELLO));
      const proxy = await proxyFor(t, everythingTo(upstream.address));
      const client = await RawClient.connect(proxy.port);
      const text = await client.send(bytes).untilClosed();
      assert.match(text, new RegExp(`^HTTP/1\\.1 ${status === 400 ? '(400|505)' : status} `));
      assert.equal(text.match(/HTTP\/1\.1 /g)?.length, 1, text);
      assert.doesNotMatch(upstream.received, /smuggled|admin/);
    });
  }

  test('what looks like a request within a body stays body', async (t) => {
    const upstream = await upstreamFor(t, (connection) => {
      if (connection.received.endsWith(SMUGGLED)) connection.send(HELLO);
    });
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send(`${POST}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`);
    await client.until(/hello$/);
    assert.equal(proxy.records.length, 1);
    assert.equal(proxy.records[0]?.requestBytes, SMUGGLED.length);
  });

  test('GET with a body does not turn its body into the next request', async (t) => {
    const upstream = await upstreamFor(t, (connection) => {
      if (connection.received.endsWith(SMUGGLED)) connection.send(HELLO);
    });
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send(`GET / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`);
    await client.until(/hello$/);
    assert.equal(proxy.records.length, 1);
  });

  test('response splitting: an upstream cannot add a second answer by a bare LF in a header', async (t) => {
    const upstream = await upstreamFor(
      t,
      answering('HTTP/1.1 200 OK\r\nX: a\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    );
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    assert.match(await client.until(/\}\n$/), /^HTTP\/1\.1 502 /);
  });
});
