/** Real threads on a real port. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { compileEntries, diffPlans } from '../compiler/compile.ts';
import type { Plan } from '../compiler/plan.ts';
import { documentEntries } from '../contract/document/entries.ts';
import type { Document } from '../contract/document/document.ts';
import { reservePort } from '../listeners/reservePort.ts';
import { Metrics } from '../observability/metrics.ts';
import { ThreadPool } from './threadPool.ts';

const metrics = new Metrics();
const upstream = createServer((request, response) => response.end(request.url));
let upstreamPort = 0;
let port = 0;
let pool: ThreadPool;
const errors: string[] = [];

before(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const address = upstream.address();
  upstreamPort = typeof address === 'object' && address !== null ? address.port : 0;
  const reserved = await reservePort('127.0.0.1', 0);
  assert.ok(reserved.ok);
  port = reserved.value;
  pool = new ThreadPool({
    threads: 2,
    host: '127.0.0.1',
    port,
    reusePort: true,
    maxSeries: 1000,
    adminPorts: [],
    metrics,
    logger: {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (_, message) => errors.push(message),
    },
    onAccessLines: () => undefined,
    endpoints: () => [],
  });
  assert.ok((await pool.start()).ok);
});
after(async () => {
  await pool.stop();
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream.close(resolve));
});

function planOf(prefixes: readonly string[]): Plan {
  const document: Document = {
    routes: prefixes.map((prefix) => ({ id: `r${prefix.replaceAll('/', '-')}x`, path_prefix: prefix, pool: 'p' })),
    pools: [{ id: 'p', endpoints: [{ address: `127.0.0.1:${upstreamPort}` }] }],
  };
  const { plan, findings } = compileEntries(documentEntries(document, ''));
  assert.ok(plan, JSON.stringify(findings));
  return plan;
}

let current: Plan | undefined;
async function swap(prefixes: readonly string[]): Promise<void> {
  const next = planOf(prefixes);
  const outcome = await pool.swap(prefixes.join(), diffPlans(current, next), () => diffPlans(undefined, next));
  assert.ok(outcome.ok);
  current = next;
}

/** A connection of its own for each, so that both threads answer some. */
async function statuses(path: string, count = 12): Promise<number[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
      await response.arrayBuffer();
      return response.status;
    }),
  );
}

test('before the first snapshot every thread answers 503', async () => {
  assert.deepEqual(new Set(await statuses('/')), new Set([503]));
});

test('after a swap every thread serves the new snapshot, and none the old one', async () => {
  await swap(['/a']);
  assert.deepEqual([new Set(await statuses('/a')), new Set(await statuses('/b'))], [new Set([200]), new Set([404])]);
  await swap(['/b']);
  assert.deepEqual([new Set(await statuses('/a')), new Set(await statuses('/b'))], [new Set([404]), new Set([200])]);
});

test('a large snapshot reaches the threads in parts, and a small change to it in one', async () => {
  const many = Array.from({ length: 1000 }, (_, i) => `/many/${i}`);
  await swap(['/b', ...many]);
  assert.deepEqual(new Set(await statuses('/many/999')), new Set([200]));
  await swap(['/b', ...many.slice(1)]);
  assert.deepEqual(
    [new Set(await statuses('/many/0')), new Set(await statuses('/many/1'))],
    [new Set([404]), new Set([200])],
  );
});

test('counts of all threads are summed, and the answers carry every request', async () => {
  const counted = () => metrics.total('proxy_requests_total', (labels) => labels['status'] === '200');
  const before = counted();
  await statuses('/b', 20);
  assert.equal(counted() - before, 20);
  assert.deepEqual((await pool.ask()).requests, 0);
});

test('threads that crash are replaced, serve what runs, and leave their counts', async () => {
  const counted = metrics.total('proxy_requests_total');
  // What no main thread sends, and no worker survives.
  pool.setEndpoints([null as never]);
  const deadline = Date.now() + 20_000;
  const restarts = async () => Number(/proxy_thread_restarts_total ([0-9]+)/.exec(await metrics.render())?.[1]);
  // A replacement takes connections only when it has all that runs: it never answers that there is no snapshot.
  const seen = new Set<number>();
  while (((await restarts()) < 2 || pool.size < 2) && Date.now() < deadline) {
    for (const status of await statuses('/b').catch(() => [])) seen.add(status);
    await sleep(5);
  }
  seen.delete(200);
  assert.deepEqual([...seen], []);
  assert.equal(pool.size, 2);
  assert.deepEqual(new Set(await statuses('/b')), new Set([200]));
  assert.ok(metrics.total('proxy_requests_total') >= counted + 12);
  assert.ok(errors.includes('thread ended; it will be replaced'));
});

test('a swap after a crash reaches the replacements', async () => {
  await swap(['/last']);
  assert.deepEqual([new Set(await statuses('/last')), new Set(await statuses('/b'))], [new Set([200]), new Set([404])]);
});
