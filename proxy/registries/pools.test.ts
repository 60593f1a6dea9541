import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { poolPlan } from '../../test/support/proxyHarness.ts';
import type { EndpointPlan, PoolPlan } from '../compiler/plan.ts';
import { ColumnWriter } from '../observability/columns.ts';
import { ThreadStats } from '../observability/stats.ts';
import { type PoolHandle, PoolRegistry } from './pools.ts';
import { TimerWheel } from './wheel.ts';

function registry(): PoolRegistry {
  const stats = {
    route: () => ({ onRequest: () => undefined }),
    endpoint: () => ({ onUpstreamRequest: () => undefined }),
    dropEndpoint: () => undefined,
  };
  return new PoolRegistry({ stats, wheel: new TimerWheel(() => 0) });
}

const service = (id: string, name: string): PoolPlan => ({
  ...poolPlan({ id, endpoints: [] }),
  endpoints: { kind: 'service', namespace: 'shop', name, port: 'http' },
});
const endpoint = (host: string): EndpointPlan => ({ address: `${host}:80`, host, port: 80, weight: 1 });
const picks = (pool: PoolHandle, count: number) =>
  Array.from({ length: count }, () => pool.pick()?.host ?? '-').join(' ');

describe('pools', () => {
  test('endpoints of a service follow its slices, in every handle', () => {
    const pools = registry();
    const old = pools.bind(service('p', 'web'));
    assert.equal(old.pick(), undefined);
    pools.setServiceEndpoints('shop', 'web', 'http', [endpoint('a'), endpoint('b')]);
    const next = pools.bind(service('p', 'web'));
    assert.equal(picks(old, 2), 'a b');
    pools.setServiceEndpoints('shop', 'web', 'http', [endpoint('b'), endpoint('c')]);
    assert.equal(picks(old, 2), 'b c');
    assert.equal(picks(next, 2), 'b c');
    pools.setServiceEndpoints('shop', 'web', 'http', []);
    assert.equal(next.pick(), undefined);
  });

  test('addresses that come and go take no more metric series than those that are there', () => {
    const columns = new ColumnWriter({
      onBlock: () => undefined,
      onSeries: () => undefined,
      onRelease: () => undefined,
    });
    const stats = new ThreadStats(columns, 1_000);
    const pools = new PoolRegistry({ stats, wheel: new TimerWheel(() => 0) });
    const handle = pools.bind(service('p', 'web'));
    const late = [];
    const seen = new Set<number>();
    for (let i = 0; i < 2_000; i += 1) {
      pools.setServiceEndpoints('shop', 'web', 'http', [endpoint(`10.0.${i >> 8}.${i & 255}`)]);
      const transport = handle.pick();
      transport?.stats.onUpstreamRequest(1);
      seen.add(columns.series);
      if (i === 0) late.push(transport);
    }
    assert.equal(seen.size, 1);
    // One that is under way when its endpoint goes counts as other.
    const [held] = seen;
    late[0]?.stats.onUpstreamRequest(1);
    assert.ok(columns.series > (held ?? 0));
    pools.release(handle);
    assert.equal(columns.series, held, 'those of other stay, those of the last endpoint go');
  });

  test('slices that arrive before their pool are there when it comes', () => {
    const pools = registry();
    pools.setServiceEndpoints('shop', 'web', 'http', [endpoint('a')]);
    assert.equal(picks(pools.bind(service('p', 'web')), 1), 'a');
  });

  test('services that are named and not known are missing, until they are known or named no more', () => {
    const pools = registry();
    const handle = pools.bind(service('p', 'web'));
    pools.bind(service('q', 'db'));
    assert.deepEqual(pools.missingServices(), ['shop/web:http', 'shop/db:http']);
    pools.setServiceEndpoints('shop', 'db', 'http', []);
    assert.deepEqual(pools.missingServices(), ['shop/web:http']);
    pools.release(handle);
    assert.deepEqual(pools.missingServices(), []);
    pools.setServiceEndpoints('shop', 'db', 'http', undefined);
    assert.deepEqual(pools.missingServices(), ['shop/db:http']);
  });

  test('two plans of a pool share endpoints by address, and whose turn it is', () => {
    const pools = registry();
    const old = pools.bind(poolPlan({ id: 'p', endpoints: ['a:1', 'b:1'] }));
    const first = old.pick();
    const next = pools.bind(poolPlan({ id: 'p', endpoints: ['a:1', 'b:1', 'c:1'] }));
    assert.equal(picks(next, 2), 'b c');
    assert.equal(next.pick(), first);
    pools.release(old);
    assert.equal(picks(next, 3), 'b c a');
  });

  test('pools with another id share nothing', () => {
    const pools = registry();
    const one = pools.bind(poolPlan({ id: 'one', endpoints: ['a:1', 'b:1'] }));
    const two = pools.bind(poolPlan({ id: 'two', endpoints: ['a:1', 'b:1'] }));
    assert.notEqual(one.pick(), two.pick());
    assert.equal(picks(two, 1), 'b');
  });

  test('a pool that was released to the last handle begins anew', () => {
    const pools = registry();
    const old = pools.bind(poolPlan({ id: 'p', endpoints: ['a:1', 'b:1'] }));
    const first = old.pick();
    pools.release(old);
    const anew = pools.bind(poolPlan({ id: 'p', endpoints: ['a:1', 'b:1'] }));
    assert.equal(picks(anew, 1), 'a');
    anew.pick();
    assert.notEqual(anew.pick(), first);
  });
});
