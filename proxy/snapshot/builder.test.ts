import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileEntries, diffPlans } from '../compiler/compile.ts';
import type { Plan } from '../compiler/plan.ts';
import { documentEntries } from '../contract/document/entries.ts';
import type { Document } from '../contract/document/document.ts';
import { ColumnWriter } from '../observability/columns.ts';
import { ThreadStats } from '../observability/stats.ts';
import { PoolRegistry } from '../registries/pools.ts';
import { TimerWheel } from '../registries/wheel.ts';
import { SnapshotBuilder } from './builder.ts';
import type { Snapshot } from './snapshot.ts';

const NO_HEADERS = { get: () => undefined };

function document(routes: Record<string, { host: string; pool: string }>, pools: Record<string, string>): Plan {
  const value: Document = {
    routes: Object.entries(routes).map(([id, route]) => ({ id, path_prefix: '/', ...route })),
    pools: Object.entries(pools).map(([id, address]) => ({ id, endpoints: [{ address }] })),
  };
  const { plan, findings } = compileEntries(documentEntries(value, 'Test/a/b'));
  assert.ok(plan, JSON.stringify(findings));
  return plan;
}

function setUp() {
  const writer = new ColumnWriter({ onBlock: () => undefined, onSeries: () => undefined, onRelease: () => undefined });
  const stats = new ThreadStats(writer, 1000);
  const registry = new PoolRegistry({ stats, wheel: new TimerWheel(() => 0) });
  const builder = new SnapshotBuilder(registry, stats);
  let plan: Plan | undefined;
  let epoch = 0;
  const prepare = (next: Plan) => {
    epoch += 1;
    for (const _ of builder.prepare(epoch, `v${epoch}`, diffPlans(plan, next))) continue;
  };
  const swap = (next: Plan): Snapshot => {
    prepare(next);
    plan = next;
    return builder.commit();
  };
  return { builder, prepare, swap, writer };
}

const poolOf = (snapshot: Snapshot, host: string) =>
  snapshot.router.match(host, '/', 'GET', NO_HEADERS, '')?.pool?.plan.endpoints;

test('a snapshot keeps answering as it was built, whatever is swapped in after it', () => {
  const { swap } = setUp();
  const first = swap(document({ a: { host: 'a.example', pool: 'p' } }, { p: '10.0.0.1:80' }));
  const second = swap(document({ b: { host: 'b.example', pool: 'p' } }, { p: '10.0.0.2:80' }));
  assert.deepEqual(poolOf(first, 'a.example'), {
    kind: 'static',
    list: [{ address: '10.0.0.1:80', host: '10.0.0.1', port: 80, weight: 100 }],
  });
  assert.equal(poolOf(first, 'b.example'), undefined);
  assert.equal(poolOf(second, 'a.example'), undefined);
  assert.equal(first.router.match('a.example', '/', 'GET', NO_HEADERS, '')?.pool?.pick()?.address, '10.0.0.1:80');
});

test('routes whose pool changed point to the new pool, though they did not change themselves', () => {
  const { swap } = setUp();
  swap(document({ a: { host: 'a.example', pool: 'p' } }, { p: '10.0.0.1:80' }));
  const second = swap(document({ a: { host: 'a.example', pool: 'p' } }, { p: '10.0.0.2:80' }));
  assert.equal(second.router.match('a.example', '/', 'GET', NO_HEADERS, '')?.pool?.pick()?.address, '10.0.0.2:80');
});

test('a swap keeps the connections of an endpoint that stays, and an unchanged route is the very same object', () => {
  const { swap } = setUp();
  const routes = { a: { host: 'a.example', pool: 'p' } };
  const first = swap(document(routes, { p: '10.0.0.1:80', q: '10.0.0.9:80' }));
  const before = first.router.match('a.example', '/', 'GET', NO_HEADERS, '');
  const second = swap(document(routes, { p: '10.0.0.1:80' }));
  assert.equal(second.router.match('a.example', '/', 'GET', NO_HEADERS, ''), before);
  const third = swap(document({ a: { host: 'b.example', pool: 'p' } }, { p: '10.0.0.1:80' }));
  assert.equal(third.router.match('b.example', '/', 'GET', NO_HEADERS, '')?.pool?.pick(), before?.pool?.pick());
});

test('handles are released when the last request of every older snapshot has ended', () => {
  const { swap, builder } = setUp();
  const first = swap(document({ a: { host: 'a.example', pool: 'p' } }, { p: '10.0.0.1:80' }));
  first.lease.take();
  swap(document({ a: { host: 'a.example', pool: 'p' } }, { p: '10.0.0.2:80' }));
  for (const _ of builder.settle()) continue;
  const pool = first.router.match('a.example', '/', 'GET', NO_HEADERS, '')?.pool;
  assert.equal(builder.retiredInUse, 1);
  assert.equal(pool?.pick()?.address, '10.0.0.1:80');
  first.lease.give();
  assert.equal(builder.retiredInUse, 0);
  assert.equal(pool?.pick(), undefined);
});

test('an aborted build leaves the current snapshot and its pools as they were', () => {
  const { swap, prepare, builder } = setUp();
  const first = swap(document({ a: { host: 'a.example', pool: 'p' } }, { p: '10.0.0.1:80' }));
  prepare(document({ a: { host: 'a.example', pool: 'p' } }, { p: '10.0.0.2:80' }));
  builder.abort();
  assert.equal(builder.current, first);
  assert.equal(builder.preparedEpoch, undefined);
  assert.equal(poolOf(first, 'a.example') === undefined, false);
  assert.equal(first.router.match('a.example', '/', 'GET', NO_HEADERS, '')?.pool?.pick()?.address, '10.0.0.1:80');
});

test('a build that is given up between two steps binds nothing', () => {
  const { swap, builder } = setUp();
  const plan = document({}, {});
  swap(plan);
  const many = document({}, Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`p${i}`, `10.0.${i}.1:80`])));
  const steps = builder.prepare(99, 'given-up', diffPlans(plan, many));
  steps.next();
  steps.return();
  assert.equal(builder.preparedEpoch, undefined);
  assert.doesNotThrow(() => {
    for (const _ of builder.prepare(100, 'next', diffPlans(plan, many))) continue;
  });
});

test('series of deleted routes are given back', () => {
  const { swap, builder, writer } = setUp();
  const first = swap(document({ a: { host: 'a.example', pool: 'p' } }, { p: '10.0.0.1:80' }));
  const idle = writer.series;
  first.router.match('a.example', '/', 'GET', NO_HEADERS, '')?.stats.onRequest(200, 1, 0, 0);
  const busy = writer.series;
  swap(document({}, {}));
  for (const _ of builder.settle()) continue;
  assert.ok(busy > idle);
  assert.equal(writer.series, idle);
});
