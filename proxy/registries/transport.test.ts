import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { answering, type RawUpstream } from '../../test/support/rawUpstream.ts';
import { poolPlan } from '../../test/support/proxyHarness.ts';
import { upstreamFor } from '../../test/support/resources.ts';
import type { ErrorCode } from '../contract/errors.ts';
import { checkedLookup } from './checkedLookup.ts';
import { type ConnectionWaiter, EndpointTransport } from './transport.ts';
import type { UpstreamConnection, UpstreamUser } from './upstreamConnection.ts';
import { TimerWheel } from './wheel.ts';

const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

function setup(t: TestContext, upstream: RawUpstream, connections: Parameters<typeof poolPlan>[0]['connections'] = {}) {
  let nowMs = 0;
  const wheel = new TimerWheel(() => nowMs);
  const plan = poolPlan({ id: 'p', endpoints: [upstream.address], connections });
  const endpoint = { address: upstream.address, host: '127.0.0.1', port: upstream.port, weight: 1 };
  const transport = new EndpointTransport(endpoint, wheel, { onUpstreamRequest: () => undefined }, checkedLookup());
  const held: UpstreamConnection[] = [];
  t.after(() => {
    for (const connection of held) connection.destroy();
    transport.closeIdle();
  });
  const acquire = async (fresh = false) => {
    const connection = await new Promise<UpstreamConnection>((resolve, reject) => {
      const waiter: ConnectionWaiter = { onConnection: resolve, onNoConnection: (code) => reject(new Error(code)) };
      transport.acquire(waiter, plan.connections, fresh);
    });
    held.push(connection);
    return connection;
  };
  const advance = (ms: number) => {
    nowMs += ms;
    wheel.turn();
  };
  return { transport, plan, acquire, advance };
}

/** Sends one request and waits for its answer; resolves to the error, or 'ok' once it was released. */
async function request(connection: UpstreamConnection, requestSent = true): Promise<ErrorCode | 'ok'> {
  return new Promise((resolve) => {
    const user: UpstreamUser = {
      onInformational: () => undefined,
      onResponseHead: () => undefined,
      onResponseData: () => undefined,
      onResponseTrailers: () => undefined,
      onReadEnd: () => undefined,
      onWritable: () => undefined,
      onResponseEnd: () => {
        connection.release(requestSent);
        resolve('ok');
      },
      onUpstreamError: (code) => resolve(code),
    };
    connection.use(user, 'GET');
    connection.write(GET);
  });
}

describe('connections to an endpoint', () => {
  test('the connection freed last is used first', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const { acquire, transport } = setup(t, upstream);
    const [a, b] = [await acquire(), await acquire()];
    await request(a);
    await request(b);
    assert.equal(transport.idleConnections, 2);
    assert.equal(await acquire(), b);
    assert.equal(await acquire(), a);
  });

  test('over the maximum, requests wait in order and get what is freed', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const { acquire, transport } = setup(t, upstream, { max: 1 });
    const first = await acquire();
    const order: string[] = [];
    const second = acquire().then((connection) => {
      order.push('second');
      return connection;
    });
    const third = acquire().then((connection) => order.push('third') && connection);
    assert.equal(transport.waiting, 2);
    await request(first);
    assert.equal(await second, first);
    await request(first);
    assert.equal(await third, first);
    assert.deepEqual(order, ['second', 'third']);
    assert.equal(upstream.connections.length, 1);
  });

  test('a connection that dies makes room for who waits', async (t) => {
    const upstream = await upstreamFor(t);
    const { acquire } = setup(t, upstream, { max: 1 });
    const first = await acquire();
    const second = acquire();
    first.destroy();
    assert.notEqual(await second, first);
  });

  test('no more requests wait than maxPending', async (t) => {
    const upstream = await upstreamFor(t);
    const { acquire } = setup(t, upstream, { max: 1, maxPending: 1 });
    const first = await acquire();
    const second = acquire();
    await assert.rejects(acquire(), /upstream_pending_overflow/);
    first.destroy();
    await second;
  });

  test('waiting ends with the connect timeout', async (t) => {
    const upstream = await upstreamFor(t);
    const { acquire, advance, transport } = setup(t, upstream, { max: 1, connectTimeoutMs: 2_000 });
    await acquire();
    const second = acquire();
    const outcome = assert.rejects(second, /upstream_connect_timeout/);
    advance(1_900);
    assert.equal(transport.waiting, 1);
    advance(300);
    await outcome;
    assert.equal(transport.waiting, 0);
  });

  test('who cancels gets nothing, and the connection made for it serves others', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const { acquire, transport, plan } = setup(t, upstream);
    const waiter: ConnectionWaiter = {
      onConnection: () => assert.fail('cancelled'),
      onNoConnection: () => assert.fail('cancelled'),
    };
    transport.acquire(waiter, plan.connections, false);
    transport.cancel(waiter);
    while (transport.idleConnections === 0) await new Promise(setImmediate);
    assert.equal(await request(await acquire()), 'ok');
    assert.equal(upstream.connections.length, 1);
  });

  test('a connection is replaced after its number of requests', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const { acquire } = setup(t, upstream, { maxRequests: 2 });
    const first = await acquire();
    await request(first);
    assert.equal(await acquire(), first);
    await request(first);
    assert.notEqual(await acquire(), first);
  });

  test('a request that was not sent to its end spoils the connection', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const { acquire, transport } = setup(t, upstream);
    await request(await acquire(), false);
    assert.equal(transport.openConnections, 0);
  });

  test('an idle connection that the upstream closes is forgotten', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const { acquire, transport } = setup(t, upstream);
    await request(await acquire());
    (await upstream.connection(0)).socket.end();
    while (transport.openConnections > 0) await new Promise(setImmediate);
    assert.equal(transport.idleConnections, 0);
  });

  test('a fresh connection is made although one is idle, even at the maximum', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const { acquire, transport } = setup(t, upstream, { max: 1 });
    const first = await acquire();
    await request(first);
    assert.notEqual(await acquire(true), first);
    assert.equal(transport.openConnections, 1);
  });

  test('a retired endpoint closes its idle connections now, the others after their response', async (t) => {
    const upstream = await upstreamFor(t, answering(HELLO));
    const { acquire, transport } = setup(t, upstream);
    const [a, b] = [await acquire(), await acquire()];
    await request(a);
    transport.retire();
    assert.equal(transport.openConnections, 1);
    assert.equal(await request(b), 'ok');
    assert.equal(transport.openConnections, 0);
  });
});
