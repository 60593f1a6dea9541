import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { everythingTo } from '../../test/support/proxyHarness.ts';
import { talk } from '../../test/support/rawClient.ts';
import { answering } from '../../test/support/rawUpstream.ts';
import { clientFor, proxyFor, upstreamFor } from '../../test/support/resources.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n';
const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const get = (path: string, lines = '') => `GET ${path} HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n`;
const ok = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

describe('client connections', () => {
  test('pipelined requests are answered in order, one at a time', async (t) => {
    const upstream = await upstreamFor(t);
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send(get('/1') + get('/2') + 'POST /3 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc' + get('/4'));
    const first = await upstream.connection(0);
    for (const n of [1, 2, 3, 4]) {
      await upstream.until(new RegExp(`/${n} HTTP[^]*\\r\\n\\r\\n${n === 3 ? 'abc' : ''}$`));
      assert.doesNotMatch(upstream.received, new RegExp(`/${n + 1} HTTP`));
      first.send(ok(`answer ${n}`));
    }
    const text = await client.until(/answer 4$/);
    assert.match(text, /answer 1[^]*answer 2[^]*answer 3[^]*answer 4/);
  });

  test('errors and answers of pipelined requests keep their order too', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const match = { path: { kind: 'exact' as const, path: '/here' } };
    const proxy = await proxyFor(t, everythingTo(upstream.address, { match }));
    const client = await clientFor(t, proxy.port);
    client.send(
      get('/a') + get('/here') + get('/b') + get('/c') + get('/here', 'Connection: close\r\n') + get('/late'),
    );
    const statuses = (await client.untilClosed()).match(/HTTP\/1\.1 \d+/g);
    assert.deepEqual(
      statuses?.map((line) => line.slice(-3)),
      ['404', '200', '404', '404', '200'],
    );
  });

  test('a head that comes byte by byte is one request', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    for (const byte of GET) {
      client.send(byte);
      await new Promise(setImmediate);
    }
    await client.until(/hello/);
    assert.equal(proxy.records.length, 1);
  });

  test('a client that goes away cancels its request at the upstream', async (t) => {
    const upstream = await upstreamFor(t);
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    await upstream.until(/\r\n\r\n/);
    client.close();
    await (
      await upstream.connection(0)
    ).whenClosed;
    const record = await proxy.record(0);
    assert.deepEqual([record.status, record.error], [499, 'client_closed']);
  });

  test('a client that goes away within its upload cancels the request at once', async (t) => {
    const upstream = await upstreamFor(t);
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nabc');
    await upstream.until(/abc/);
    client.close();
    await (
      await upstream.connection(0)
    ).whenClosed;
    assert.equal((await proxy.record(0)).error, 'client_closed');
  });

  test('a client that goes away within the response cancels it', async (t) => {
    const upstream = await upstreamFor(t, ({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nhello');
      const timer = setInterval(() => socket.write('more'), 5);
      socket.on('close', () => clearInterval(timer));
    });
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    await client.until(/hello/);
    client.close();
    await (
      await upstream.connection(0)
    ).whenClosed;
    assert.equal((await proxy.record(0)).status, 499);
  });

  test('a client that has only ended its side still gets its answers', async (t) => {
    const upstream = await upstreamFor(t);
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port, { allowHalfOpen: true });
    client.socket.end(get('/1') + get('/2'));
    await upstream.until(/\/1 HTTP/);
    const connection = await upstream.connection(0);
    connection.send(ok('one'));
    await upstream.until(/\/2 HTTP/);
    connection.send(ok('two'));
    const text = await client.untilClosed();
    assert.match(text, /one[^]*two$/);
    assert.deepEqual(
      proxy.records.map((record) => record.status),
      [200, 200],
    );
  });

  test('a client that ended its side and waits long is asked with interim responses whether it is still there', async (t) => {
    const upstream = await upstreamFor(t);
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port, { allowHalfOpen: true });
    client.socket.end(GET);
    await client.until(/^(HTTP\/1\.1 102 Processing\r\n\r\n){2}$/);
    (await upstream.connection(0)).send(HELLO);
    assert.match(await client.untilClosed(), /HTTP\/1\.1 200 OK[^]*hello$/);
  });

  test('an answer before the end of the upload is passed on, and ends both connections', async (t) => {
    const upstream = await upstreamFor(t);
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000\r\n\r\nabc');
    await upstream.until(/abc/);
    const connection = await upstream.connection(0);
    connection.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno!');
    assert.match(await client.until(/no!$/), /\r\nconnection: close\r\n/);
    await connection.whenClosed;
    client.send('x'.repeat(100_000));
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 413 [^]*no!$/);
    assert.equal(client.error, '', 'the rest of the upload was read, so that the answer is not lost by a reset');
  });

  test('a short rest of an upload is read after an early answer, and the connection stays', async (t) => {
    const match = { path: { kind: 'exact' as const, path: '/here' } };
    const upstream = await upstreamFor(t, answering(HELLO));
    const proxy = await proxyFor(t, everythingTo(upstream.address, { match }));
    const client = await clientFor(t, proxy.port);
    client.send('POST /missing HTTP/1.1\r\nHost: a.test\r\nContent-Length: 12\r\n\r\nGET /x');
    assert.doesNotMatch(await client.until(/\}\n$/), /connection: close/);
    client.send('HTTP/1');
    client.send(get('/here'));
    await client.until(/hello/);
    assert.equal(proxy.records.length, 2);
  });

  test('after an early answer to Expect: 100-continue the connection ends: the body may come or not', async (t) => {
    const proxy = await proxyFor(t, { routes: [], pools: [] });
    const text = await talk(
      proxy.port,
      'POST / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n',
    );
    assert.match(text, /^HTTP\/1\.1 404 [^]*\r\nconnection: close\r\n/);
  });

  test('a client that pipelines without reading is read no further than the limit', async (t) => {
    const upstream = await upstreamFor(t);
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    const flood = get('/flood', `X: ${'x'.repeat(1000)}\r\n`).repeat(20_000);
    client.send(flood);
    await upstream.until(/\/flood/);
    // Kernel buffers take some; the rest stays with the client.
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok(client.socket.writableLength > flood.length / 4, `${client.socket.writableLength} bytes left unsent`);
    assert.equal(upstream.received.match(/\/flood/g)?.length, 1);
  });
});

describe('upstream connections', () => {
  test('a kept-alive connection that the upstream closes is replaced without an error: GET is repeated once', async (t) => {
    let closeNext = false;
    const upstream = await upstreamFor(t, (connection) => {
      if (closeNext) {
        closeNext = false;
        connection.socket.destroy();
      } else connection.send(HELLO);
    });
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    await client.until(/hello/);
    client.take();
    closeNext = true;
    client.send(GET);
    await client.until(/hello/);
    assert.equal(upstream.connections.length, 2);
    assert.deepEqual(
      proxy.records.map((record) => [record.status, record.retries]),
      [
        [200, 0],
        [200, 1],
      ],
    );
  });

  for (const [what, request] of [
    ['a POST', 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n'],
    ['a PUT with a body', 'PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc'],
  ] as const) {
    test(`${what} is never repeated: 502 upstream_reset`, async (t) => {
      let answers = 1;
      const upstream = await upstreamFor(t, (connection) => {
        if (answers-- > 0) connection.send(HELLO);
        else connection.socket.destroy();
      });
      const proxy = await proxyFor(t, everythingTo(upstream.address));
      const client = await clientFor(t, proxy.port);
      client.send(GET);
      await client.until(/hello/);
      client.send(request);
      assert.match(await client.until(/\}\n$/), /HTTP\/1\.1 502 [^]*upstream_reset/);
      assert.equal(upstream.connections.length, 1);
    });
  }

  test('a GET is repeated once, not twice', async (t) => {
    let answers = 1;
    const upstream = await upstreamFor(t, (connection) => {
      if (answers-- > 0) connection.send(HELLO);
      else connection.socket.destroy();
    });
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    await client.until(/hello/);
    client.send(GET);
    assert.match(await client.until(/\}\n$/), /HTTP\/1\.1 502 [^]*upstream_reset/);
    assert.equal(upstream.connections.length, 2);
  });

  test('an upstream that sends a second response has its connection dropped, and nobody gets that response', async (t) => {
    const upstream = await upstreamFor(t, (connection) => {
      connection.send(upstream.connections.length === 1 ? ok('mine') + ok('poison') : ok('clean'));
    });
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    await client.until(/mine$/);
    client.send(GET);
    await client.until(/clean$/);
    assert.doesNotMatch(client.received, /poison/);
    assert.equal(upstream.connections.length, 2);
  });

  test('bytes on an idle connection close it before another request gets them as its answer', async (t) => {
    const upstream = await upstreamFor(t, (connection) => {
      connection.send(upstream.connections.length === 1 ? ok('mine') : ok('clean'));
    });
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    await client.until(/mine$/);
    const first = await upstream.connection(0);
    first.send(ok('poison'));
    await first.whenClosed;
    client.send(GET);
    await client.until(/clean$/);
    assert.doesNotMatch(client.received, /poison/);
  });

  test('Connection: close of the upstream ends its connection, not the client’s', async (t) => {
    const upstream = await upstreamFor(
      t,
      answering('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello'),
    );
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    await client.until(/hello$/);
    client.take();
    client.send(GET);
    assert.doesNotMatch(await client.until(/hello$/), /connection: close/i);
    assert.equal(upstream.connections.length, 2);
  });
});
