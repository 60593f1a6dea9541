import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Answer, RequestFilter } from '../snapshot/phases.ts';
import { everythingTo } from '../../test/support/proxyHarness.ts';
import { answering } from '../../test/support/rawUpstream.ts';
import { clientFor, proxyFor, upstreamFor } from '../../test/support/resources.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a.test\r\nX-Secret: 1\r\n\r\n';
const HELLO = 'HTTP/1.1 200 OK\r\nServer: theirs\r\nContent-Length: 5\r\n\r\nhello';
const DENIED: Answer = { status: 401, headers: [['www-authenticate', 'Bearer']], body: Buffer.from('denied') };

describe('filters of a route', () => {
  test('a request filter that answers keeps the request from the upstream; later filters do not run', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const ran: string[] = [];
    const requestFilters: RequestFilter[] = [
      ({ path }) => void ran.push(`first ${path}`),
      () => DENIED,
      () => void ran.push('never'),
    ];
    const proxy = await proxyFor(t, everythingTo(upstream.address, { phases: { requestFilters } }));
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    const text = await client.until(/denied$/);
    assert.match(
      text,
      /^HTTP\/1\.1 401 Unauthorized\r\nwww-authenticate: Bearer\r\ncontent-length: 6\r\nx-request-id: /,
    );
    assert.deepEqual(ran, ['first /']);
    assert.equal(upstream.connections.length, 0);
    assert.deepEqual([proxy.records[0]?.status, proxy.records[0]?.responseBytes], [401, 6]);
  });

  test('filters may wait, and the body that comes meanwhile is sent after them', async (t) => {
    const upstream = await upstreamFor(t, (connection) => {
      if (connection.received.endsWith('abcd')) connection.send(HELLO);
    });
    let goOn: () => void = () => undefined;
    const requestFilters: RequestFilter[] = [
      async () => new Promise((resolve) => (goOn = () => resolve(undefined))),
      (request) => {
        request.setHeader('x-secret', undefined);
        return undefined;
      },
      (request) => {
        request.setHeader('x-user', request.header('x-secret') ?? 'none');
        return undefined;
      },
    ];
    const proxy = await proxyFor(t, everythingTo(upstream.address, { phases: { requestFilters } }));
    const client = await clientFor(t, proxy.port);
    client.send('POST / HTTP/1.1\r\nHost: a.test\r\nX-Secret: 1\r\nX-User: root\r\nContent-Length: 4\r\n\r\nab');
    while (proxy.listener.active === 0) await new Promise(setImmediate);
    client.send('cd');
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(upstream.connections.length, 0);
    goOn();
    await client.until(/hello$/);
    assert.match(upstream.received, /\r\nx-user: none\r\n\r\nabcd$/);
    assert.doesNotMatch(upstream.received, /x-secret|root/i);
  });

  test('a filter that waits and then answers, answers', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const requestFilters: RequestFilter[] = [async () => Promise.resolve(DENIED)];
    const proxy = await proxyFor(t, everythingTo(upstream.address, { phases: { requestFilters } }));
    const client = await clientFor(t, proxy.port);
    client.send(GET + GET);
    await client.until(/denied[^]*denied$/);
    assert.equal(upstream.connections.length, 0);
  });

  test('a client that leaves while a filter waits is not sent upstream', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    let goOn: () => void = () => undefined;
    const requestFilters: RequestFilter[] = [async () => new Promise((resolve) => (goOn = () => resolve(undefined)))];
    const proxy = await proxyFor(t, everythingTo(upstream.address, { phases: { requestFilters } }));
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    while (proxy.listener.active === 0) await new Promise(setImmediate);
    client.socket.resetAndDestroy();
    assert.equal((await proxy.record(0)).status, 499);
    goOn();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(upstream.connections.length, 0);
    assert.equal(proxy.records.length, 1);
  });

  test('a filter that throws is an internal error, and no request of others suffers', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const failures: RequestFilter[] = [
      () => {
        throw new Error('sync');
      },
      async () => Promise.reject(new Error('async')),
    ];
    const filter: RequestFilter = (request) => failures.shift()?.(request);
    const proxy = await proxyFor(t, everythingTo(upstream.address, { phases: { requestFilters: [filter] } }));
    for (const name of ['sync', 'async']) {
      const client = await clientFor(t, proxy.port);
      client.send(GET);
      assert.match(await client.untilClosed(), /^HTTP\/1\.1 500 [^]*"internal"/);
      assert.match(String(proxy.internalErrors.at(-1)), new RegExp(name));
    }
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    await client.until(/hello$/);
  });

  test('response filters change the head, in their order', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const proxy = await proxyFor(
      t,
      everythingTo(upstream.address, {
        phases: {
          responseFilters: [
            (_, response) => response.setHeader('x-was', response.header('server')),
            (_, response) => response.setHeader('server', undefined),
            (request, response) =>
              response.setHeader('x-path', `${request.path} ${response.header('server') ?? 'gone'}`),
          ],
        },
      }),
    );
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    const text = await client.until(/hello$/);
    assert.match(text, /\r\nx-was: theirs\r\nx-path: \/ gone\r\n/);
    assert.doesNotMatch(text, /server:/i);
  });
});
