/** The data plane of one thread around hand-made plans: what a thread wires, without threads. */
import type { FleetPlan, MatchPlan, PoolPlan, RoutePlan } from '../../proxy/compiler/plan.ts';
import { limit } from '../../proxy/contract/limits.ts';
import { DEFAULT_HTTP } from '../../proxy/engine/context.ts';
import { createEngine } from '../../proxy/engine/engine.ts';
import { createRequestIds } from '../../proxy/engine/requestId.ts';
import { HttpListener } from '../../proxy/listeners/httpListener.ts';
import type { AccessLog, RequestRecord, StatsFactory } from '../../proxy/observability/types.ts';
import { PoolRegistry } from '../../proxy/registries/pools.ts';
import { TimerWheel } from '../../proxy/registries/wheel.ts';
import { Router } from '../../proxy/router/router.ts';
import { NO_FILTERS, type RoutePhases } from '../../proxy/snapshot/phases.ts';
import { type Route, type Snapshot, SnapshotLease } from '../../proxy/snapshot/snapshot.ts';

export interface TestRoute {
  readonly id: string;
  readonly match?: Partial<MatchPlan>;
  /** Null: the pool does not exist. */
  readonly pool: string | null;
  readonly timeoutMs?: number;
  readonly bodyLimitBytes?: number;
  readonly phases?: Partial<RoutePhases>;
}

export interface TestPool {
  readonly id: string;
  /** `host:port`, with weight 100 each, or addresses with weights. */
  readonly endpoints: readonly (string | { readonly address: string; readonly weight: number })[];
  readonly connections?: Partial<PoolPlan['connections']>;
}

export interface TestConfig {
  readonly version?: string;
  readonly routes: readonly TestRoute[];
  readonly pools: readonly TestPool[];
  readonly http?: Partial<FleetPlan['http']>;
}

export function poolPlan(pool: TestPool): PoolPlan {
  const list = pool.endpoints.map((endpoint) => {
    const { address, weight } = typeof endpoint === 'string' ? { address: endpoint, weight: 100 } : endpoint;
    const colon = address.lastIndexOf(':');
    return { address, host: address.slice(0, colon), port: Number(address.slice(colon + 1)), weight };
  });
  const connections = {
    max: limit('upstreamConnectionsPerEndpoint'),
    maxPending: limit('upstreamPending'),
    maxRequests: 0,
    connectTimeoutMs: limit('connectTimeoutMs'),
    idleTimeoutMs: limit('upstreamIdleTimeoutMs'),
    ...pool.connections,
  };
  return { id: pool.id, object: '', endpoints: { kind: 'static', list }, connections };
}

function routePlan(route: TestRoute): RoutePlan {
  const everything: MatchPlan = {
    hosts: [{ kind: 'any' }],
    path: { kind: 'prefix', prefix: '' },
    methods: [],
    headers: [],
    query: [],
  };
  return {
    id: route.id,
    object: '',
    matches: [{ ...everything, ...route.match }],
    pool: route.pool,
    timeoutMs: route.timeoutMs ?? limit('routeTimeoutMs'),
    bodyLimitBytes: route.bodyLimitBytes ?? limit('requestBodyBytes'),
  };
}

const NO_STATS: StatsFactory = {
  route: () => ({ onRequest: () => undefined }),
  endpoint: () => ({ onUpstreamRequest: () => undefined }),
  dropEndpoint: () => undefined,
};

let epoch = 0;

function buildSnapshot(config: TestConfig, registry: PoolRegistry, stats: StatsFactory): Snapshot {
  epoch += 1;
  const pools = new Map(config.pools.map((pool) => [pool.id, registry.bind(poolPlan(pool))]));
  const specs = config.routes.map((testRoute) => {
    const plan = routePlan(testRoute);
    const value: Route = {
      plan,
      pool: plan.pool === null ? undefined : pools.get(plan.pool),
      stats: stats.route(plan.id, plan.pool ?? ''),
      phases: { ...NO_FILTERS, ...testRoute.phases },
    };
    return { id: plan.id, matches: plan.matches, value };
  });
  const steps = Router.empty<Route>().apply({ set: specs, delete: [] });
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  const fleet: FleetPlan = {
    http: { ...DEFAULT_HTTP, ...config.http },
    metrics: { enabled: true, path: '/metrics', requireToken: false, tokenEnv: null, maxSeries: 1000 },
    accessLog: { samplingRatio: 1, redact: [] },
  };
  const version = config.version ?? `test-${epoch}`;
  return { version, epoch, router: step.value, fleet, unrouted: stats.route('', ''), lease: new SnapshotLease() };
}

export interface TestProxy {
  readonly port: number;
  readonly listener: HttpListener;
  readonly registry: PoolRegistry;
  /** One per finished request. */
  readonly records: RequestRecord[];
  /** Reasons of connections that were not served. */
  readonly refused: string[];
  readonly internalErrors: unknown[];
  readonly snapshot: Snapshot | undefined;
  /** Makes another configuration current. */
  swap(config: TestConfig): void;
  /** Lets time pass for every timeout, without waiting. */
  advance(ms: number): void;
  /** Waits for the record with this index. */
  record(index: number): Promise<RequestRecord>;
  close(): void;
}

export interface TestSinks {
  readonly stats?: StatsFactory;
  /** Instead of `records`. */
  readonly accessLog?: AccessLog;
}

/** Upstream pool `pool` of one endpoint, and one route to it for everything: what most tests need. */
export function everythingTo(
  address: string,
  more: Partial<TestRoute> & { readonly http?: TestConfig['http'] } = {},
): TestConfig {
  const { http = {}, ...route } = more;
  return { routes: [{ id: 'all', pool: 'pool', ...route }], pools: [{ id: 'pool', endpoints: [address] }], http };
}

/** Starts a proxy on a free port of 127.0.0.1; without a configuration it has no snapshot. */
export async function startProxy(config?: TestConfig, sinks: TestSinks = {}): Promise<TestProxy> {
  const { stats = NO_STATS } = sinks;
  let aheadMs = 0;
  const wheel = new TimerWheel(() => performance.now() + aheadMs);
  wheel.start();
  const registry = new PoolRegistry({ stats, wheel });
  const records: RequestRecord[] = [];
  const internalErrors: unknown[] = [];
  const waiting: (() => void)[] = [];
  let snapshot = config === undefined ? undefined : buildSnapshot(config, registry, stats);
  const engine = createEngine({
    currentSnapshot: () => snapshot,
    accessLog: sinks.accessLog ?? {
      write: (record) => {
        records.push(record);
        for (const resolve of waiting.splice(0)) resolve();
      },
    },
    now: () => performance.now(),
    wallNow: () => Date.now(),
    wheel,
    nextRequestId: createRequestIds(),
    onInternalError: (error) => internalErrors.push(error),
  });
  const maxConnections = () => snapshot?.fleet.http.maxConnections ?? 1000;
  const refused: string[] = [];
  const listener = new HttpListener({
    engine,
    host: '127.0.0.1',
    port: 0,
    reusePort: false,
    maxConnections,
    onRefused: (reason) => refused.push(reason),
  });
  const port = await listener.listen();
  return {
    port,
    listener,
    registry,
    records,
    refused,
    internalErrors,
    get snapshot() {
      return snapshot;
    },
    swap(next) {
      snapshot = buildSnapshot(next, registry, stats);
    },
    advance(ms) {
      aheadMs += ms;
      wheel.turn();
    },
    async record(index) {
      while (records[index] === undefined) await new Promise<void>((resolve) => waiting.push(resolve));
      return records[index];
    },
    close() {
      listener.stopAccepting();
      listener.forceClose();
      registry.closeIdle();
      wheel.stop();
    },
  };
}
