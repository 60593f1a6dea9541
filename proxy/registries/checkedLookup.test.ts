import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { poolPlan } from '../../test/support/proxyHarness.ts';
import { upstreamFor } from '../../test/support/resources.ts';
import { checkedLookup } from './checkedLookup.ts';
import { EndpointTransport } from './transport.ts';
import { TimerWheel } from './wheel.ts';

const to = (...addresses: string[]): Promise<LookupAddress[]> =>
  Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));

/** Connects to a name; resolves to `connected`, or the error. */
async function connectTo(t: TestContext, host: string, lookup: LookupFunction): Promise<string> {
  const upstream = await upstreamFor(t);
  const endpoint = { address: `${host}:${upstream.port}`, host, port: upstream.port, weight: 1 };
  const plan = poolPlan({ id: 'p', endpoints: [upstream.address] });
  const transport = new EndpointTransport(
    endpoint,
    new TimerWheel(() => 0),
    { onUpstreamRequest: () => undefined },
    lookup,
  );
  return new Promise((resolve) => {
    const onConnection = (connection: { destroy(): void }) => {
      connection.destroy();
      resolve('connected');
    };
    const onNoConnection = (code: string, detail: string) => resolve(`${code}: ${detail}`);
    transport.acquire({ onConnection, onNoConnection }, plan.connections, false);
  });
}

describe('a name as an upstream', () => {
  test('is connected to by its addresses', async (t) => {
    assert.equal(
      await connectTo(
        t,
        'web.test',
        checkedLookup(() => to('127.0.0.1')),
      ),
      'connected',
    );
    assert.equal(await connectTo(t, 'localhost', checkedLookup()), 'connected');
  });

  for (const refused of ['169.254.169.254', 'fd00:ec2::254', '0.0.0.0', '::ffff:127.0.0.1', 'fe80::1%eth0']) {
    test(`is refused when it has the address ${refused}, though it has a good one too`, async (t) => {
      const outcome = await connectTo(
        t,
        'web.test',
        checkedLookup(() => to('127.0.0.1', refused)),
      );
      assert.match(outcome, /^upstream_connect_failed: web\.test: /);
    });
  }

  test('fails when it has no address, or its resolver fails', async (t) => {
    const failing = checkedLookup(() => Promise.reject(new Error('ENOTFOUND web.test')));
    assert.match(
      await connectTo(
        t,
        'web.test',
        checkedLookup(() => to()),
      ),
      /^upstream_connect_failed: .*no address/,
    );
    assert.match(await connectTo(t, 'web.test', failing), /^upstream_connect_failed: .*ENOTFOUND/);
  });

  test('fails when its resolver does not answer in time, and is asked for once meanwhile', async (t) => {
    let asked = 0;
    const lookup = checkedLookup(() => {
      asked += 1;
      return new Promise(() => undefined);
    }, 5);
    const outcomes = await Promise.all([connectTo(t, 'web.test', lookup), connectTo(t, 'web.test', lookup)]);
    for (const outcome of outcomes) assert.match(outcome, /^upstream_connect_failed: .*not resolved in 5 ms/);
    assert.equal(asked, 1);
  });
});
