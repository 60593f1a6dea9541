import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { everythingTo } from '../../test/support/proxyHarness.ts';
import { talk } from '../../test/support/rawClient.ts';
import { answering } from '../../test/support/rawUpstream.ts';
import { clientFor, proxyFor, upstreamFor } from '../../test/support/resources.ts';

const HELLO = 'HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 5\r\n\r\nhello';

describe('forwarding', () => {
  test('requests of one client connection share one upstream connection', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    for (let i = 0; i < 3; i += 1) {
      client.send(`GET /${i} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      await client.until(/hello$/);
      client.take();
    }
    assert.equal(upstream.connections.length, 1);
    assert.match(upstream.received, /^GET \/0 [^]*GET \/1 [^]*GET \/2 /);
    assert.equal(proxy.records.length, 3);
  });

  test('method, path, query, Host and end-to-end lines arrive as they were sent', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send('DELETE /a/b;c=d?x=%20&y=/../ HTTP/1.1\r\nHost: Api.Example.com:81\r\nX-OWN: a\r\nx-own:  b \r\n\r\n');
    await client.until(/hello/);
    assert.match(upstream.received, /^DELETE \/a\/b;c=d\?x=%20&y=\/\.\.\/ HTTP\/1\.1\r\n/);
    assert.match(upstream.received, /\r\nHost: Api\.Example\.com:81\r\nX-OWN: a\r\nx-own:  b \r\n/);
    assert.match(
      client.received,
      /^HTTP\/1\.1 200 OK\r\nDate: x\r\nContent-Length: 5\r\nx-request-id: req_[0-9a-f]{24}\r\n\r\nhello$/,
    );
  });

  test('the path is forwarded in the normal form that was routed', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send('GET /a/%2e%2e//b/./%41?q=//%2e HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await client.until(/hello/);
    assert.match(upstream.received, /^GET \/b\/A\?q=\/\/%2e HTTP\/1\.1\r\n/);
    assert.equal(proxy.records[0]?.path, '/b/A');
    assert.equal(proxy.records[0]?.query, 'q=//%2e');
  });

  test('a chunked request is framed anew, and its trailers follow', async (t) => {
    const upstream = await upstreamFor(t, (connection) => {
      if (connection.received.endsWith('0\r\nx-sum: 7\r\n\r\n')) connection.send(HELLO);
    });
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send(
      'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n3;x=y\r\nabc\r\n',
    );
    await upstream.until(/abc/);
    client.send('2\r\nde\r\n0\r\nx-sum: 7\r\nContent-Length: 9\r\n\r\n');
    await client.until(/hello/);
    assert.match(upstream.received, /\r\ntransfer-encoding: chunked\r\n/);
    assert.match(upstream.received, /\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 7\r\n\r\n$/);
    assert.doesNotMatch(upstream.received, /content-length|x=y/i);
    assert.equal(proxy.records[0]?.requestBytes, 5);
  });

  test('a chunked response is framed anew, and its trailers follow', async (t) => {
    const upstream = await upstreamFor(
      t,
      answering('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 7\r\n\r\n'),
    );
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\nTE: trailers\r\nConnection: te\r\n\r\n');
    await client.until(/\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 7\r\n\r\n$/);
    assert.match(client.received, /\r\ntransfer-encoding: chunked\r\n/);
    assert.match(upstream.received, /\r\nte: trailers\r\nconnection: te\r\n/);
  });

  test('a response that ends with the connection becomes chunked, and the client’s connection stays', async (t) => {
    const upstream = await upstreamFor(t, ({ socket }) => socket.end('HTTP/1.1 200 OK\r\n\r\nhello'));
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await client.until(/5\r\nhello\r\n0\r\n\r\n$/);
    client.take();
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await client.until(/5\r\nhello\r\n0\r\n\r\n$/);
    assert.equal(upstream.connections.length, 2);
  });

  test('an HTTP/1.0 client gets a body of unknown length up to the end of the connection', async (t) => {
    const upstream = await upstreamFor(
      t,
      answering('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
    );
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const text = await talk(proxy.port, 'GET / HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n');
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n[^]*\r\nconnection: close\r\n[^]*\r\n\r\nhello$/);
    assert.doesNotMatch(text, /transfer-encoding/i);
  });

  test('an HTTP/1.0 client keeps its connection if it asks to and the length is known', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send('GET / HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n');
    assert.match(await client.until(/hello/), /\r\nconnection: keep-alive\r\n/);
    client.send('GET / HTTP/1.0\r\nHost: a.test\r\n\r\n');
    assert.match(await client.untilClosed(), /hello[^]*\r\nconnection: close\r\n[^]*hello$/);
  });

  test('HEAD, 204 and 304 have no body, whatever length they tell', async (t) => {
    const upstream = await upstreamFor(t, (connection) => {
      if (connection.received.includes('/head')) connection.send('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n');
      else if (connection.received.includes('/304'))
        connection.send('HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n');
      else connection.send('HTTP/1.1 204 No Content\r\n\r\n');
      connection.received = '';
    });
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send('GET /204 HTTP/1.1\r\nHost: a.test\r\n\r\n');
    assert.doesNotMatch(await client.until(/204 [^]*\r\n\r\n$/), /content-length|transfer-encoding/i);
    client.send('GET /304 HTTP/1.1\r\nHost: a.test\r\n\r\n');
    assert.match(await client.until(/304 [^]*\r\n\r\n$/), /Content-Length: 99/);
    client.send('HEAD /head HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await client.until(/200 OK[^]*Content-Length: 99[^]*\r\n\r\n$/);
    assert.equal(upstream.connections.length, 1, 'each response was complete, so the connection was used again');
  });

  test('interim responses pass, and Expect: 100-continue is the upstream’s to answer', async (t) => {
    const upstream = await upstreamFor(t, (connection) => {
      if (connection.received.endsWith('abc')) connection.send(HELLO);
      else if (connection.received.endsWith('\r\n\r\n'))
        connection.send('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n');
    });
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send('POST / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n');
    await client.until(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a>\r\n\r\nHTTP\/1\.1 100 Continue\r\n\r\n$/);
    client.send('abc');
    await client.until(/Continue\r\n\r\nHTTP\/1\.1 200 OK[^]*hello$/);
    assert.match(upstream.received, /\r\nExpect: 100-continue\r\n/);
    assert.equal(proxy.records.length, 1);
  });

  test('a request for an upgrade is forwarded as a plain request, and what follows it is not tunnelled', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send(
      'GET /ws HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET /admin HTTP/1.1\r\n\r\n',
    );
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 200 OK[^]*hello[^]*HTTP\/1\.1 400 /);
    assert.doesNotMatch(upstream.received, /upgrade|admin/i);
  });

  test('an upstream that switches protocols unasked is answered with 502', async (t) => {
    const upstream = await upstreamFor(t, answering('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'));
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    assert.match(await client.until(/\}\n$/), /^HTTP\/1\.1 502 [^]*upstream_protocol_error/);
  });

  test('OPTIONS * goes to the server behind the host', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send('OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await client.until(/hello/);
    assert.match(upstream.received, /^OPTIONS \* HTTP\/1\.1\r\n/);
  });
});
