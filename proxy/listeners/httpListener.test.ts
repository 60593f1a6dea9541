import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Server } from 'node:net';
import { describe, test } from 'node:test';
import { everythingTo } from '../../test/support/proxyHarness.ts';
import { answering } from '../../test/support/rawUpstream.ts';
import { clientFor, proxyFor, upstreamFor } from '../../test/support/resources.ts';
import { HttpListener } from './httpListener.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n';
const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

describe('listener', () => {
  test('connections over the limit are closed at once; one that ends makes room', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const proxy = await proxyFor(t, everythingTo(upstream.address, { http: { maxConnections: 2 } }));
    const [one] = [await clientFor(t, proxy.port), await clientFor(t, proxy.port)];
    while (proxy.listener.connections < 2) await new Promise(setImmediate);
    const third = await clientFor(t, proxy.port);
    assert.equal(await third.untilClosed(), '');
    assert.deepEqual(proxy.refused, ['limit']);
    one.close();
    while (proxy.listener.connections === 2) await new Promise(setImmediate);
    const fourth = await clientFor(t, proxy.port);
    fourth.send(GET);
    await fourth.until(/hello/);
  });

  test('a connection that cannot be accepted is told of, and the next one is served', async (t) => {
    const servers: Server[] = [];
    const onListen = (message: unknown) => servers.push((message as { server: Server }).server);
    subscribe('tracing:net.server.listen:asyncStart', onListen);
    t.after(() => unsubscribe('tracing:net.server.listen:asyncStart', onListen));
    const upstream = await upstreamFor(t, answering(HELLO));
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    // What the system does when a process has no descriptors left.
    servers.at(-1)?.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
    assert.deepEqual(proxy.refused, ['accept']);
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    await client.until(/hello/);
  });

  test('a port in use rejects with its error', async (t) => {
    const proxy = await proxyFor(t, everythingTo('127.0.0.1:1'));
    const engine = { serve: () => assert.fail('nothing is served') };
    const second = new HttpListener({
      engine,
      host: '127.0.0.1',
      port: proxy.port,
      reusePort: false,
      maxConnections: () => 1,
      onRefused: () => undefined,
    });
    await assert.rejects(second.listen(), { code: 'EADDRINUSE' });
    second.stopAccepting();
  });
});

describe('drain', () => {
  test('no new connections are taken, and responses end those that are open', async (t) => {
    const upstream = await upstreamFor(t);
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const waiting = await clientFor(t, proxy.port);
    const idle = await clientFor(t, proxy.port);
    waiting.send(GET);
    await upstream.until(/\r\n\r\n/);
    proxy.listener.stopAccepting();
    const late = connect({ port: proxy.port, host: '127.0.0.1' });
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
    (await upstream.connection(0)).send(HELLO);
    assert.match(await waiting.untilClosed(), /\r\nconnection: close\r\n[^]*hello$/);
    idle.send(GET);
    await upstream.until(/GET [^]*GET /);
    (await upstream.connection(0)).send(HELLO);
    assert.match(await idle.untilClosed(), /\r\nconnection: close\r\n[^]*hello$/);
  });

  test('idle connections close when told to, those with a request do not', async (t) => {
    const upstream = await upstreamFor(t);
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const [waiting, idle, half] = [
      await clientFor(t, proxy.port),
      await clientFor(t, proxy.port),
      await clientFor(t, proxy.port),
    ];
    waiting.send(GET);
    half.send('GET / HT');
    await upstream.until(/\r\n\r\n/);
    while (proxy.listener.active < 2) await new Promise(setImmediate);
    proxy.listener.stopAccepting();
    proxy.listener.closeIdle();
    assert.equal(await idle.untilClosed(), '');
    assert.equal(proxy.listener.active, 2);
    (await upstream.connection(0)).send(HELLO);
    await waiting.untilClosed();
    half.send('TP/1.1\r\nHost: a.test\r\n\r\n');
    await upstream.until(/GET [^]*GET [^]*\r\n\r\n$/);
    (await upstream.connection(0)).send(HELLO);
    assert.match(await half.untilClosed(), /hello$/);
  });

  test('force closing cuts off what is left, and logs it', async (t) => {
    const upstream = await upstreamFor(t);
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    await upstream.until(/\r\n\r\n/);
    proxy.listener.stopAccepting();
    proxy.listener.forceClose();
    await client.untilClosed();
    await (
      await upstream.connection(0)
    ).whenClosed;
    assert.equal(proxy.records.length, 1);
    assert.equal(proxy.listener.connections, 0);
  });
});
