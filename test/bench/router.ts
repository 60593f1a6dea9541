/**
 * What routing costs: CPU time per match, by the way routes are told apart, beside a look-up of the host in a plain Map
 * of all hosts (memory that is in no cache costs both the same); building, changing one route, and the longest step of
 * either; memory. `node --expose-gc test/bench/router.ts [routes…]`
 */
import type { HostPlan, MatchPlan, PathPlan } from '../../proxy/compiler/plan.ts';
import { normalizeHost } from '../../proxy/contract/host.ts';
import { normalizePath } from '../../proxy/contract/path.ts';
import { Router } from '../../proxy/router/router.ts';
import type { HeaderLookup, RouteSpec } from '../../proxy/router/types.ts';

const counts = process.argv.slice(2).map(Number);
const MATCHES = 100_000;
const ROUNDS = 20;
/** Distinct requests that are asked in turn: few, whose routes are soon in the cache, and many, whose routes are not. */
const FEW = 128;
const MANY = 4_096;

interface Shape {
  readonly name: string;
  readonly host: (i: number) => HostPlan;
  readonly path: (i: number) => PathPlan;
  readonly ask: (i: number) => readonly [host: string, path: string];
}

const exact = (host: string): HostPlan => ({ kind: 'exact', host });
const prefix = (text: string): PathPlan => ({ kind: 'prefix', prefix: text });

const SHAPES: readonly Shape[] = [
  {
    name: 'exact host, root prefix (a host per route)',
    host: (i) => exact(`app-${i}.example.com`),
    path: () => prefix(''),
    ask: (i) => [`app-${i}.example.com`, '/api/v1/users/123'],
  },
  {
    name: 'exact host, exact path (a host per route)',
    host: (i) => exact(`app-${i}.example.com`),
    path: () => ({ kind: 'exact', path: '/api/v1/users' }),
    ask: (i) => [`app-${i}.example.com`, '/api/v1/users'],
  },
  {
    name: 'exact host, ten prefixes (a tenth as many hosts)',
    host: (i) => exact(`app-${Math.floor(i / 10)}.example.com`),
    path: (i) => prefix(`/api/v${i % 10}`),
    ask: (i) => [`app-${Math.floor(i / 10)}.example.com`, `/api/v${i % 10}/users/123`],
  },
  {
    name: 'wildcard host (a wildcard per route)',
    host: (i) => ({ kind: 'wildcard', suffix: `.tenant-${i}.example.com` }),
    path: () => prefix('/api'),
    ask: (i) => [`www.tenant-${i}.example.com`, '/api/v1/users/123'],
  },
  {
    name: 'one host, a prefix per route',
    host: () => exact('api.example.com'),
    path: (i) => prefix(`/tenants/t${i}`),
    ask: (i) => ['api.example.com', `/tenants/t${i}/users/123`],
  },
  {
    name: 'every host, a prefix per route',
    host: () => ({ kind: 'any' }),
    path: (i) => prefix(`/tenants/t${i}`),
    ask: (i) => ['whatever.example.com', `/tenants/t${i}/users/123`],
  },
];

const NO_HEADERS: HeaderLookup = { get: () => undefined };

function routesOf(shape: Shape, count: number): RouteSpec<number>[] {
  return Array.from({ length: count }, (_, i) => {
    const match: MatchPlan = { hosts: [shape.host(i)], path: shape.path(i), methods: [], headers: [], query: [] };
    return { id: `ns/route-${i}`, matches: [match], value: i };
  });
}

interface Applied {
  readonly router: Router<number>;
  readonly steps: number;
  readonly totalMs: number;
  readonly longestMs: number;
}

function apply(router: Router<number>, set: readonly RouteSpec<number>[]): Applied {
  const generator = router.apply({ set, delete: [] });
  const startMs = performance.now();
  for (let steps = 1, longestMs = 0, beforeMs = startMs; ; steps += 1) {
    const step = generator.next();
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - beforeMs);
    beforeMs = nowMs;
    if (step.done === true) return { router: step.value, steps, totalMs: nowMs - startMs, longestMs };
  }
}

/** CPU nanoseconds for each call, of the best of several rounds: what other processes take or disturb does not count. */
function cpuNs(times: number, run: (i: number) => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage().user;
    for (let i = 0; i < times; i += 1) run(i);
    best = Math.min(best, ((process.cpuUsage().user - before) * 1_000) / times);
  }
  return best;
}

/** As a request's text would come: strings of their own, not those of the routes; spread over all routes. */
function requestsOf(shape: Shape, count: number, distinct: number): (readonly [string, string])[] {
  return Array.from({ length: distinct }, (_, i) => {
    const [host, path] = shape.ask((i * 7_919) % count);
    return [Buffer.from(host).toString('latin1'), Buffer.from(path).toString('latin1')];
  });
}

function matchNs(router: Router<number>, requests: readonly (readonly [string, string])[]): number {
  return cpuNs(MATCHES, (i) => {
    const request = requests[i % requests.length];
    if (request === undefined) return;
    if (router.match(request[0], request[1], 'GET', NO_HEADERS, '') === undefined) throw new Error('no route');
  });
}

/** The least that any router does: look the host up among all hosts. */
function plainNs(shape: Shape, count: number, requests: readonly (readonly [string, string])[]): number {
  const plain = new Map(Array.from({ length: count }, (_, i) => [shape.ask(i)[0], i]));
  return cpuNs(MATCHES, (i) => {
    if (plain.get(requests[i % requests.length]?.[0] ?? '') === undefined) throw new Error('no host');
  });
}

function measure(shape: Shape, count: number): void {
  const routes = routesOf(shape, count);
  globalThis.gc?.();
  const heapBefore = process.memoryUsage().heapUsed;
  const built = apply(Router.empty<number>(), routes);
  globalThis.gc?.();
  const heapMb = (process.memoryUsage().heapUsed - heapBefore) / 1e6;
  const few = matchNs(built.router, requestsOf(shape, count, FEW));
  const requests = requestsOf(shape, count, MANY);
  const many = matchNs(built.router, requests);
  const plain = plainNs(shape, count, requests);
  const changes = Array.from({ length: 50 }, (_, k) => {
    const i = (k * 104_729) % count;
    const route = routes[i];
    return apply(built.router, route === undefined ? [] : [{ ...route, value: -1 }]);
  });
  const longest = Math.max(...changes.map((c) => c.longestMs));
  const median = changes.map((c) => c.totalMs).sort((a, b) => a - b)[25] ?? 0;
  console.log(
    `${String(count).padStart(7)}  ${shape.name.padEnd(50)} ${few.toFixed(0).padStart(4)} ns/match ` +
      `(${MANY} in turn: ${many.toFixed(0)}, Map.get of the host: ${plain.toFixed(0)})  ` +
      `build ${built.totalMs.toFixed(0).padStart(5)} ms, longest step ${built.longestMs.toFixed(2)} ms  ` +
      `one change ${median.toFixed(3)} ms, longest step ${longest.toFixed(3)} ms  ${heapMb.toFixed(1)} MB`,
  );
}

for (const count of counts.length > 0 ? counts : [10_000, 100_000]) for (const shape of SHAPES) measure(shape, count);
const hosts = ['shop.example.com', 'API.example.com:8080'];
const paths = ['/api/v1/orders', '/api/v1/users/12345/profile'];
let kept = 0;
console.log(
  `normalizeHost ${cpuNs(MATCHES, (i) => (kept += normalizeHost(hosts[i % 2] ?? '')?.length ?? 0)).toFixed(0)} ns`,
);
console.log(
  `normalizePath ${cpuNs(MATCHES, (i) => (kept += normalizePath(paths[i % 2] ?? '')?.length ?? 0)).toFixed(0)} ns`,
);
if (kept === 0) throw new Error('nothing was normalised');
