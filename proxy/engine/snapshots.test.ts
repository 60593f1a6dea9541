import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { everythingTo } from '../../test/support/proxyHarness.ts';
import { answering } from '../../test/support/rawUpstream.ts';
import { clientFor, proxyFor, upstreamFor } from '../../test/support/resources.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n';
const ok = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

describe('a swap', () => {
  test('leaves a request on the snapshot it began with, and gives the next one the new snapshot', async (t) => {
    const before = await upstreamFor(t);
    const after = await upstreamFor(t, answering(ok('after')));
    const proxy = await proxyFor(t, { ...everythingTo(before.address), version: 'one' });
    const old = proxy.snapshot;
    const client = await clientFor(t, proxy.port);
    client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\nab');
    await before.until(/ab$/);
    assert.equal(old?.lease.requests, 1);
    let released = false;
    proxy.swap({ ...everythingTo(after.address), version: 'two' });
    old.lease.retire(() => (released = true));
    assert.equal(released, false);
    client.send('cd');
    await before.until(/abcd$/);
    (await before.connection(0)).send(ok('before'));
    await client.until(/before$/);
    assert.equal(released, true, 'nothing runs on the old snapshot any more');
    client.send(GET);
    await client.until(/after$/);
    assert.deepEqual(
      proxy.records.map((record) => record.snapshot),
      ['one', 'two'],
    );
  });

  test('keeps upstream connections, and whose turn it is', async (t) => {
    const one = await upstreamFor(t, answering(ok('one')));
    const two = await upstreamFor(t, answering(ok('two')));
    const config = (version: string, more: { readonly address: string; readonly weight: number }[] = []) => ({
      version,
      routes: [{ id: 'all', pool: 'pool' }],
      pools: [{ id: 'pool', endpoints: [one.address, two.address, ...more] }],
    });
    const proxy = await proxyFor(t, config('v0'));
    const client = await clientFor(t, proxy.port);
    const bodies: string[] = [];
    for (let i = 1; i <= 6; i += 1) {
      client.send(GET);
      bodies.push((await client.until(/(one|two)$/)).slice(-3));
      client.take();
      proxy.swap(config(`v${i}`, i === 3 ? [{ address: '127.0.0.1:1', weight: 0 }] : []));
    }
    assert.deepEqual(bodies, ['one', 'two', 'one', 'two', 'one', 'two']);
    assert.deepEqual([one.connections.length, two.connections.length], [1, 1]);
  });

  test('from nothing to a snapshot serves at once, on connections that were there before', async (t) => {
    const upstream = await upstreamFor(t, answering(ok('hello')));
    const proxy = await proxyFor(t);
    const client = await clientFor(t, proxy.port);
    client.send(GET);
    await client.until(/no_snapshot/);
    proxy.swap(everythingTo(upstream.address));
    client.send(GET);
    await client.until(/hello$/);
  });
});
