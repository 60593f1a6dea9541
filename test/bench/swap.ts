/**
 * What a swap costs: compile on the main thread, prepare on the serving threads, memory, and the longest stall of a thread
 * that serves while it happens. `node test/bench/swap.ts [routes] [threads]`
 */
import { buildBundle } from '../../proxy/bundle/buildBundle.ts';
import { compileEntries, diffPlans, type CompileResult } from '../../proxy/compiler/compile.ts';
import { documentEntries, type Entry } from '../../proxy/contract/document/entries.ts';
import type { Document } from '../../proxy/contract/document/document.ts';
import { reservePort } from '../../proxy/listeners/reservePort.ts';
import { createLogger } from '../../proxy/observability/logger.ts';
import { Metrics } from '../../proxy/observability/metrics.ts';
import { ThreadPool } from '../../proxy/threads/threadPool.ts';

const routes = Number(process.argv[2] ?? 5000);
const THREADS = Number(process.argv[3] ?? 2);

function documentOf(count: number, changed: ReadonlySet<number>): Document {
  return {
    routes: Array.from({ length: count }, (_, i) => ({
      id: `ns${i % 50}/route-${i}`,
      hosts: [`app-${i}.example.com`],
      matches: [{ path_prefix: changed.has(i) ? '/changed' : '/' }, { path: '/exact', methods: ['GET'] }],
      pool: `ns${i % 50}/pool-${i % 500}`,
    })),
    pools: Array.from({ length: 500 }, (_, i) => ({
      id: `ns${i % 50}/pool-${i}`,
      endpoints: [{ address: `10.0.${i % 250}.1:8000` }],
    })),
  };
}

/** Entries of a change: what did not change is the same object, as it is for a source that keeps its shards. */
function entriesOf(changed: ReadonlySet<number>, previous: ReadonlyMap<string, Entry>): Entry[] {
  return documentEntries(documentOf(routes, changed), '').map((entry) => {
    const before = previous.get(`${entry.section}/${entry.id}`);
    return before !== undefined && JSON.stringify(before.value) === JSON.stringify(entry.value) ? before : entry;
  });
}

function compilePlan(of: readonly Entry[], previous?: CompileResult) {
  const result = compileEntries(of, previous);
  if (result.plan === undefined) throw new Error(JSON.stringify(result.findings.slice(0, 3)));
  return { ...result, plan: result.plan };
}

const keyed = (entries: readonly Entry[]) => new Map(entries.map((e) => [`${e.section}/${e.id}`, e]));
const ms = (value: number) => `${value.toFixed(1)} ms`;
const timed = <T>(run: () => T): [T, number] => {
  const startMs = performance.now();
  const result = run();
  return [result, performance.now() - startMs];
};

const metrics = new Metrics();
const port = await reservePort('127.0.0.1', 0);
const pool = new ThreadPool({
  threads: THREADS,
  host: '127.0.0.1',
  port: port.ok ? port.value : 0,
  reusePort: true,
  maxSeries: 50_000,
  adminPorts: [],
  metrics,
  logger: createLogger({ json: true, level: 'error', name: 'bench' }),
  onAccessLines: () => undefined,
  endpoints: () => [],
});
await pool.start();
const rssMb = () => process.memoryUsage.rss() / 1e6;
await pool.ask();
const emptyMb = rssMb();

const nobody = new Set<number>();
const first = entriesOf(nobody, new Map());
const [compiled, compileMs] = timed(() => compilePlan(first));
const [bundle, bundleMs] = timed(() => buildBundle(first, { documentVersion: 1, features: [] }));
if (!bundle.ok) throw new Error(JSON.stringify(bundle.error));
const [delta, diffMs] = timed(() => diffPlans(undefined, compiled.plan));
const startMs = performance.now();
const outcome = await pool.swap('first', delta, () => delta);
const swapMs = performance.now() - startMs;
console.log(`${routes} routes, 500 pools, ${THREADS} threads`);
console.log(
  `  first: compile ${ms(compileMs)}, bundle ${ms(bundleMs)}, diff ${ms(diffMs)}, swap ${ms(swapMs)} (slowest thread's build ${ms(outcome.ok ? outcome.value.prepareMs : Number.NaN)})`,
);
await report('after the first swap');

let compiledBefore = compiled;
let entries = first;
for (const [label, changes] of [
  ['one route changes', [7]],
  ['100 routes change', Array.from({ length: 100 }, (_, i) => i)],
  ['every route changes', Array.from({ length: routes }, (_, i) => i)],
] as const) {
  const times: number[][] = [];
  for (let round = 0; round < 10; round += 1) {
    const next = entriesOf(round % 2 === 0 ? new Set(changes) : nobody, keyed(entries));
    const [result, compileOnceMs] = timed(() => compilePlan(next, compiledBefore));
    const [change, diffOnceMs] = timed(() => diffPlans(compiledBefore.plan, result.plan));
    const swapStartMs = performance.now();
    await pool.swap(`${label} ${round}`, change, () => diffPlans(undefined, result.plan));
    times.push([compileOnceMs, diffOnceMs, performance.now() - swapStartMs]);
    [compiledBefore, entries] = [result, next];
  }
  const median = (column: number) => ms(times.map((t) => t[column] ?? 0).sort((a, b) => a - b)[5] ?? 0);
  console.log(`  ${label}: median of 10: compile ${median(0)}, diff ${median(1)}, swap ${median(2)}`);
  await report(`after ten times “${label}”`);
}
await pool.stop();
process.exit(0);

async function report(when: string): Promise<void> {
  const { connections } = await pool.ask();
  pool.showStalls();
  const text = await metrics.render();
  const stalls = [...text.matchAll(/proxy_thread_stall_max_seconds\{thread="([0-9]+)"\} ([0-9.e-]+)/g)].map((m) =>
    ms(Number(m[2]) * 1000),
  );
  console.log(
    `    ${when}: RSS +${(rssMb() - emptyMb).toFixed(0)} MB over ${emptyMb.toFixed(0)} MB; longest stall by thread ${stalls.join(', ')}; ${connections} connections`,
  );
}
