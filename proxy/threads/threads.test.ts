import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlanDelta, Plan } from '../compiler/plan.ts';
import type { Logger } from '../observability/logger.ts';
import { drain } from './drain.ts';
import { EndpointFeed } from './endpointFeed.ts';
import { deltaParts, joinParts, type ServiceEndpoints } from './messages.ts';
import { runSliced } from './slices.ts';

const quiet: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function drainWith(active: number[], forced = false) {
  const events: string[] = [];
  let nowMs = 0;
  const options = {
    markDraining: () => events.push('notReady'),
    step: (step: string) => events.push(step),
    activeRequests: async () => active.shift() ?? 0,
    waitMs: 10_000,
    timeoutMs: 30_000,
    sleep: async (ms: number) => {
      nowMs += ms;
      events.push(`sleep ${ms}`);
    },
    forced: () => forced,
    now: () => nowMs,
    logger: quiet,
  };
  return { events, run: () => drain(options) };
}

test('the drain goes through its six stages in order', async () => {
  const { events, run } = drainWith([2, 1, 0]);
  await run();
  assert.deepEqual(events, [
    'notReady',
    'stopAccepting',
    'sleep 10000',
    'closeIdle',
    'sleep 50',
    'sleep 50',
    'forceClose',
  ]);
});

test('the drain ends after its time, though requests go on', async () => {
  const { events, run } = drainWith(Array.from({ length: 10_000 }, () => 1));
  await run();
  assert.equal(events.filter((e) => e === 'sleep 50').length, 600);
  assert.equal(events.at(-1), 'forceClose');
});

test('a forced drain waits for nothing', async () => {
  const { events, run } = drainWith([5, 5, 5], true);
  await run();
  assert.deepEqual(events.slice(-2), ['closeIdle', 'forceClose']);
});

test('a generator runs in slices, yielding the thread after each', async () => {
  let nowMs = 0;
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 0);
  function* steps() {
    for (let i = 0; i < 10; i += 1) {
      nowMs += 1;
      yield;
    }
  }
  assert.equal(
    await runSliced(
      steps(),
      () => nowMs,
      2,
      () => false,
    ),
    true,
  );
  clearInterval(timer);
  let cleaned = false;
  function* endless() {
    try {
      for (;;) {
        nowMs += 3;
        yield;
      }
    } finally {
      cleaned = true;
    }
  }
  assert.equal(
    await runSliced(
      endless(),
      () => nowMs,
      2,
      () => true,
    ),
    false,
  );
  assert.ok(cleaned, 'a cancelled generator cleans up');
});

test('a large delta is cut into parts that together are the delta; a small one is one part', () => {
  const route = (id: string) => ({ id, object: '', matches: [], pool: null, timeoutMs: 1, bodyLimitBytes: 1 });
  const delta: PlanDelta = {
    setRoutes: Array.from({ length: 250 }, (_, i) => route(`r${i}`)),
    deleteRoutes: ['x'],
    setPools: [],
    deletePools: ['y'],
  };
  const parts = deltaParts(delta);
  assert.equal(parts.length, 4);
  assert.deepEqual(joinParts(parts), delta);
  assert.equal(deltaParts({ ...delta, setRoutes: [] }).length, 1);
});

function planWith(...services: string[]): Plan {
  const pools = services.map((name) => {
    const connections = { max: 1, maxPending: 1, maxRequests: 0, connectTimeoutMs: 1, idleTimeoutMs: 1 };
    return [
      name,
      { id: name, object: '', endpoints: { kind: 'service', namespace: 'ns', name, port: 'http' }, connections },
    ] as const;
  });
  return { routes: new Map(), pools: new Map(pools), fleet: {} as Plan['fleet'] };
}

function feedWith(known: Record<string, string[]>) {
  const sent: ServiceEndpoints[][] = [];
  let nowMs = 0;
  const feed = new EndpointFeed({
    resolve: (_, name) => known[name]?.map((address) => ({ address, host: address, port: 80, weight: 100 })),
    send: (list) => sent.push([...list]),
    nextChange: async (ms) => {
      nowMs += ms;
    },
    now: () => nowMs,
  });
  return { feed, sent, now: () => nowMs };
}

test('before a swap the threads get the endpoints of the services that the plan names', async () => {
  const { feed, sent, now } = feedWith({ a: ['10.0.0.1'], other: ['10.0.0.9'] });
  await feed.provide(planWith('a'));
  assert.deepEqual([sent.length, sent[0]?.map((s) => s.name), now()], [1, ['a'], 0]);
  await feed.provide(planWith('a'));
  assert.equal(sent.length, 1, 'nothing is sent twice');
});

test('a swap waits a bounded time for a service that is not known, and goes on without', async () => {
  const { feed, sent, now } = feedWith({});
  await feed.provide(planWith('late'));
  assert.equal(now(), 2000);
  assert.equal(sent[0]?.[0]?.endpoints, null);
});

test('a service that stays unknown delays only the swap that it is new in', async () => {
  const { feed, now } = feedWith({});
  await feed.provide(planWith('dangling'));
  await feed.provide(planWith('dangling'));
  assert.equal(now(), 2000);
  await feed.provide(planWith('dangling', 'another'));
  assert.equal(now(), 4000);
});

test('services that the running plan does not name are taken from the threads only after the swap', async () => {
  const { feed, sent } = feedWith({ a: ['10.0.0.1'], b: ['10.0.0.2'] });
  await feed.provide(planWith('a'));
  await feed.provide(planWith('b'));
  assert.deepEqual(
    feed.current.map((s) => s.name),
    ['a', 'b'],
  );
  feed.settled(planWith('b'));
  assert.deepEqual(
    feed.current.map((s) => s.name),
    ['b'],
  );
  assert.deepEqual(
    sent.at(-1)?.map((s) => [s.name, s.endpoints]),
    [['a', null]],
  );
});
