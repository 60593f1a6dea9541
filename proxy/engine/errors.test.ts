import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import type { ErrorCode } from '../contract/errors.ts';
import { everythingTo } from '../../test/support/proxyHarness.ts';
import { talk } from '../../test/support/rawClient.ts';
import { answering } from '../../test/support/rawUpstream.ts';
import { clientFor, proxyFor, upstreamFor } from '../../test/support/resources.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n';
const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

/** An address where nobody listens. */
async function deadAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new TypeError('no address');
  return `127.0.0.1:${address.port}`;
}

/** Checks all that an error response consists of, and returns its request id. */
function assertError(text: string, status: number, code: ErrorCode): string {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `));
  assert.match(head, /\r\ncontent-type: application\/json\r\n/);
  assert.match(head, new RegExp(`\r\nx-proxy-error: ${code}\r\n`));
  const requestId = /\r\nx-request-id: (\S+)/.exec(head)?.[1] ?? '';
  assert.equal(Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1]), body.length);
  const parsed = JSON.parse(body) as { error: string; message: string; request_id: string };
  assert.equal(parsed.error, code);
  assert.equal(parsed.request_id, requestId);
  assert.notEqual(parsed.message, '');
  return requestId;
}

describe('errors', () => {
  test('no route: 404 with the request id, and the connection stays', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const match = { path: { kind: 'exact' as const, path: '/here' } };
    const proxy = await proxyFor(t, everythingTo(upstream.address, { match }));
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    const requestId = assertError(await client.until(/\}\n$/), 404, 'no_route');
    client.take();
    client.send('GET /here HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await client.until(/hello/);
    const [missed] = proxy.records;
    assert.equal(missed?.requestId, requestId);
    assert.deepEqual([missed?.status, missed?.error, missed?.route, missed?.pool], [404, 'no_route', '', '']);
  });

  test('HEAD gets the head of an error without its body', async (t) => {
    const proxy = await proxyFor(t, { routes: [], pools: [] });
    const client = await clientFor(t, proxy.port);
    client.send('HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\nHEAD / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
    const text = await client.untilClosed();
    assert.equal(text.match(/HTTP\/1\.1 404 /g)?.length, 2);
    assert.doesNotMatch(text, /\{/);
  });

  test('no snapshot yet: 503', async (t) => {
    const proxy = await proxyFor(t);
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    assertError(await client.until(/\}\n$/), 503, 'no_snapshot');
  });

  test('a route without endpoints: 503 with its category', async (t) => {
    const proxy = await proxyFor(t, { routes: [{ id: 'r', pool: 'p' }], pools: [{ id: 'p', endpoints: [] }] });
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    assertError(await client.until(/\}\n$/), 503, 'no_endpoints');
    assert.deepEqual([proxy.records[0]?.route, proxy.records[0]?.pool, proxy.records[0]?.endpoint], ['r', 'p', '']);
  });

  test('a route whose pool does not exist: 503 with its category', async (t) => {
    const proxy = await proxyFor(t, { routes: [{ id: 'r', pool: null }], pools: [] });
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    assertError(await client.until(/\}\n$/), 503, 'unresolved_ref');
  });

  test('connection refused: 502 upstream_connect_failed', async (t) => {
    const proxy = await proxyFor(t, everythingTo(await deadAddress()));
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    assertError(await client.until(/\}\n$/), 502, 'upstream_connect_failed');
    assert.equal(proxy.records[0]?.error, 'upstream_connect_failed');
  });

  test('an endpoint that refuses is passed over for the next one, even with a POST: nothing was sent', async (t) => {
    const upstream = await upstreamFor(t, (connection) => {
      if (connection.received.endsWith('abc')) connection.send(HELLO);
    });
    const endpoints = [await deadAddress(), upstream.address];
    const proxy = await proxyFor(t, { routes: [{ id: 'r', pool: 'p' }], pools: [{ id: 'p', endpoints }] });
    const client = await clientFor(t, proxy.port);
    client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc');
    await client.until(/hello/);
    assert.deepEqual([proxy.records[0]?.endpoint, proxy.records[0]?.retries], [upstream.address, 1]);
  });

  test('each endpoint is tried once, and no more than three', async (t) => {
    const endpoints = [await deadAddress(), await deadAddress()];
    const pools = [
      { id: 'two', endpoints },
      { id: 'five', endpoints: await Promise.all(Array.from({ length: 5 }, deadAddress)) },
    ];
    const path = (text: string) => ({ path: { kind: 'exact' as const, path: text } });
    const routes = [
      { id: 'two', pool: 'two', match: path('/two') },
      { id: 'five', pool: 'five', match: path('/five') },
    ];
    const proxy = await proxyFor(t, { routes, pools });
    await talk(proxy.port, 'GET /two HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
    await talk(proxy.port, 'GET /five HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
    assert.deepEqual(
      proxy.records.map((record) => record.retries),
      [1, 2],
    );
  });

  test('an upstream that closes before a complete head: 502 upstream_reset', async (t) => {
    const upstream = await upstreamFor(t, ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nContent-'));
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    assertError(await client.until(/\}\n$/), 502, 'upstream_reset');
    assert.equal(upstream.connections.length, 1, 'a new connection is no stale one: nothing is repeated');
  });

  for (const [what, response] of [
    ['a malformed head', 'HTTP/1.1 200 OK\r\nbroken\r\n\r\n'],
    ['both framings', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello'],
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ] as const) {
    test(`an upstream that answers with ${what}: 502 upstream_protocol_error`, async (t) => {
      const upstream = await upstreamFor(t, answering(response));
      const proxy = await proxyFor(t, everythingTo(upstream.address));
      const client = await clientFor(t, proxy.port);
      client.send(GET);
      assertError(await client.until(/\}\n$/), 502, 'upstream_protocol_error');
    });
  }

  test('an upstream head over the limit: 502 upstream_response_too_large', async (t) => {
    const upstream = await upstreamFor(t, answering(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`));
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    assertError(await client.until(/\}\n$/), 502, 'upstream_response_too_large');
  });

  test('a body that the upstream cuts short resets the client', async (t) => {
    const upstream = await upstreamFor(t, ({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
      setTimeout(() => socket.end(), 20);
    });
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    await client.until(/hello/);
    await client.untilClosed();
    assert.equal(client.error, 'ECONNRESET');
    assert.deepEqual([proxy.records[0]?.status, proxy.records[0]?.error], [200, 'upstream_truncated']);
  });

  test('a chunked body that breaks off in the first packet is still answered with 502', async (t) => {
    const upstream = await upstreamFor(
      t,
      answering('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX'),
    );
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    assertError(await client.until(/\}\n$/), 502, 'upstream_protocol_error');
  });

  test('a body over the route’s limit: 413, by length before anything is sent, in chunks while it is sent', async (t) => {
    const upstream = await upstreamFor(t);
    const proxy = await proxyFor(t, everythingTo(upstream.address, { bodyLimitBytes: 10 }));
    const byLength = await talk(proxy.port, 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 11\r\n\r\nhello world');
    assertError(byLength, 413, 'body_too_large');
    assert.equal(upstream.connections.length, 0);
    const client = await clientFor(t, proxy.port);
    client.send('POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n');
    await upstream.until(/hello/);
    client.send('6\r\nworld!\r\n0\r\n\r\n');
    assertError(await client.untilClosed(), 413, 'body_too_large');
    await (
      await upstream.connection(0)
    ).whenClosed;
  });

  test('an unknown expectation: 417', async (t) => {
    const proxy = await proxyFor(t, everythingTo('127.0.0.1:1'));
    const client = await clientFor(t, proxy.port);
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\nExpect: magic\r\n\r\n');
    assertError(await client.until(/\}\n$/), 417, 'expectation_failed');
  });

  test('a path with forbidden escapes: 400, and the connection stays', async (t) => {
    const proxy = await proxyFor(t, everythingTo('127.0.0.1:1'));
    const client = await clientFor(t, proxy.port);
    for (const path of ['/a%2Fb', '/%00', '/%zz', '/a\\b']) {
      client.send(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      assertError(await client.until(/\}\n$/), 400, 'invalid_path');
      client.take();
    }
    assert.equal(proxy.records.length, 4);
  });

  test('more header lines or bytes than the fleet allows: 431', async (t) => {
    const proxy = await proxyFor(t, everythingTo('127.0.0.1:1', { http: { maxHeaders: 3, maxHeaderBytes: 200 } }));
    const many = 'a: 1\r\nb: 2\r\nc: 3\r\n';
    assertError(await talk(proxy.port, `GET / HTTP/1.1\r\nHost: a.test\r\n${many}\r\n`), 431, 'headers_too_large');
    const long = `x: ${'y'.repeat(300)}\r\n`;
    assertError(await talk(proxy.port, `GET / HTTP/1.1\r\nHost: a.test\r\n${long}\r\n`), 431, 'headers_too_large');
  });

  test('a fleet may allow more header lines and bytes than the default', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const http = { maxHeaders: 400, maxHeaderBytes: 200_000 };
    const proxy = await proxyFor(t, everythingTo(upstream.address, { http }));
    const client = await clientFor(t, proxy.port);
    client.send(`GET / HTTP/1.1\r\nHost: a.test\r\n${`X: ${'y'.repeat(300)}\r\n`.repeat(399)}\r\n`);
    await client.until(/hello/);
  });

  test('bytes that are no request: 400, closed, and one record', async (t) => {
    const proxy = await proxyFor(t, everythingTo('127.0.0.1:1'));
    const requestId = assertError(
      await talk(proxy.port, '\x16\x03\x01\x02\x00'.repeat(4) + '\r\n\r\n'),
      400,
      'bad_request',
    );
    assert.equal(proxy.records.length, 1);
    assert.equal(proxy.records[0]?.requestId, requestId);
  });
});
