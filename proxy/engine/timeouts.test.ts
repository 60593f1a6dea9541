import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { everythingTo } from '../../test/support/proxyHarness.ts';
import { answering } from '../../test/support/rawUpstream.ts';
import { clientFor, proxyFor, upstreamFor } from '../../test/support/resources.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n';
const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const HTTP = { headersTimeoutMs: 10_000, bodyIdleTimeoutMs: 20_000, keepAliveTimeoutMs: 60_000 };

describe('timeouts', () => {
  test('an upstream that does not answer: 504 with the request id, and its connection is closed', async (t) => {
    const upstream = await upstreamFor(t);
    const proxy = await proxyFor(t, everythingTo(upstream.address, { timeoutMs: 3_000 }));
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    await upstream.until(/\r\n\r\n/);
    proxy.advance(2_900);
    assert.equal(client.received, '');
    proxy.advance(500);
    assert.match(await client.until(/\}\n$/), /^HTTP\/1\.1 504 [^]*x-request-id: req_[^]*upstream_timeout/);
    await (
      await upstream.connection(0)
    ).whenClosed;
    assert.equal(proxy.records[0]?.error, 'upstream_timeout');
  });

  test('the route’s timeout runs from the end of the upload, however long that took', async (t) => {
    const upstream = await upstreamFor(t);
    const proxy = await proxyFor(t, everythingTo(upstream.address, { timeoutMs: 3_000, http: HTTP }));
    const client = await clientFor(t, proxy.port);
    client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\na');
    for (const byte of ['b', 'c', 'd']) {
      await upstream.until(new RegExp(`${String.fromCharCode(byte.charCodeAt(0) - 1)}$`));
      proxy.advance(10_000);
      client.send(byte);
    }
    await upstream.until(/abcd$/);
    proxy.advance(2_900);
    assert.equal(client.received, '');
    proxy.advance(500);
    assert.match(await client.until(/\}\n$/), /^HTTP\/1\.1 504 /);
  });

  test('a response that takes longer than the route’s timeout in all is cut off', async (t) => {
    const upstream = await upstreamFor(t);
    const proxy = await proxyFor(t, everythingTo(upstream.address, { timeoutMs: 30_000, http: HTTP }));
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    await upstream.until(/\r\n\r\n/);
    const connection = await upstream.connection(0);
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na');
    await client.until(/a$/);
    proxy.advance(18_000);
    connection.send('b');
    await client.until(/ab$/);
    proxy.advance(13_000);
    await client.untilClosed();
    assert.equal(client.error, 'ECONNRESET');
    assert.deepEqual([proxy.records[0]?.status, proxy.records[0]?.error], [200, 'upstream_timeout']);
  });

  test('a response that pauses for longer than the body’s idle timeout is cut off', async (t) => {
    const upstream = await upstreamFor(t, answering('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na'));
    const proxy = await proxyFor(t, everythingTo(upstream.address, { timeoutMs: 600_000, http: HTTP }));
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    await client.until(/a$/);
    proxy.advance(20_500);
    await client.untilClosed();
    assert.equal(client.error, 'ECONNRESET');
    assert.equal(proxy.records[0]?.error, 'upstream_timeout');
  });

  test('a client that pauses within its body: 408, and the upstream’s request is cancelled', async (t) => {
    const upstream = await upstreamFor(t);
    const proxy = await proxyFor(t, everythingTo(upstream.address, { timeoutMs: 1_000, http: HTTP }));
    const client = await clientFor(t, proxy.port);
    client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\na');
    await upstream.until(/a$/);
    proxy.advance(19_000);
    assert.equal(client.received, '');
    proxy.advance(2_000);
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 408 [^]*request_timeout/);
    await (
      await upstream.connection(0)
    ).whenClosed;
    assert.equal(proxy.records[0]?.status, 408);
  });

  test('slow header lines do not win time: the head as a whole must come in time', async (t) => {
    const proxy = await proxyFor(t, everythingTo('127.0.0.1:1', { http: HTTP }));
    const client = await clientFor(t, proxy.port);
    client.send('GET / HTTP/1.1\r\n');
    for (let i = 0; i < 3; i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      proxy.advance(3_000);
      client.send(`X-${i}: slow\r\n`);
    }
    proxy.advance(1_500);
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 408 [^]*request_timeout/);
    assert.deepEqual([proxy.records.length, proxy.records[0]?.status], [1, 408]);
  });

  test('connections without a request are closed without a word: new ones early, kept-alive ones later', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const proxy = await proxyFor(t, everythingTo(upstream.address, { http: HTTP }));
    const fresh = await clientFor(t, proxy.port);
    const used = await clientFor(t, proxy.port);
    used.send(GET);
    await used.until(/hello/);
    proxy.advance(10_500);
    assert.equal(await fresh.untilClosed(), '');
    proxy.advance(48_000);
    used.send(GET);
    await used.until(/hello[^]*hello/);
    used.take();
    proxy.advance(60_500);
    assert.equal(await used.untilClosed(), '');
    assert.equal(proxy.records.length, 2);
  });

  test('a client that reads nothing loses its connection, and the upstream its request', async (t) => {
    const body = 'x'.repeat(50_000_000);
    const upstream = await upstreamFor(
      t,
      answering(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
    );
    const proxy = await proxyFor(t, everythingTo(upstream.address, { http: HTTP }));
    const client = await clientFor(t, proxy.port);
    client.socket.pause();
    client.send(GET);
    await upstream.until(/\r\n\r\n/);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    proxy.advance(31_000);
    assert.equal((await proxy.record(0)).error, 'client_closed');
    await (
      await upstream.connection(0)
    ).whenClosed;
  });

  test('an idle upstream connection is closed before a firewall or the upstream forgets it', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const proxy = await proxyFor(t, {
      routes: [{ id: 'r', pool: 'p' }],
      pools: [{ id: 'p', endpoints: [upstream.address], connections: { idleTimeoutMs: 5_000 } }],
    });
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    await client.until(/hello/);
    proxy.advance(5_300);
    await (
      await upstream.connection(0)
    ).whenClosed;
    client.take();
    client.send(GET);
    await client.until(/hello/);
    assert.equal(proxy.records[1]?.retries, 0);
  });

  test('connecting takes no longer than the pool allows: 504 upstream_connect_timeout', async (t) => {
    const proxy = await proxyFor(t, {
      routes: [{ id: 'r', pool: 'p' }],
      pools: [{ id: 'p', endpoints: [await fullBacklog(t)], connections: { connectTimeoutMs: 2_000 } }],
    });
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    while (proxy.listener.active === 0) await new Promise(setImmediate);
    proxy.advance(1_900);
    assert.equal(client.received, '');
    proxy.advance(400);
    assert.match(await client.until(/\}\n$/), /^HTTP\/1\.1 504 [^]*upstream_connect_timeout/);
  });
});

/** An address whose listener accepts nobody and whose queue is full: the kernel drops who connects. */
async function fullBacklog(t: TestContext): Promise<string> {
  const code = `
    const { parentPort } = require('node:worker_threads');
    const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const worker = new Worker(code, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  const fillers = Array.from({ length: 4 }, () => connect({ port, host: '127.0.0.1' }).on('error', () => undefined));
  await Promise.all(fillers.slice(0, 2).map(async (socket) => once(socket, 'connect')));
  t.after(async () => {
    for (const socket of fillers) socket.destroy();
    await worker.terminate();
  });
  return `127.0.0.1:${port}`;
}
