/**
 * Builds a thread’s next snapshot from the current one and a plan delta, in steps, while the thread serves. Everything
 * unchanged is shared; nothing of the current snapshot is touched until `commit`.
 */
import type { FleetPlan, PlanDelta, PoolPlan, RoutePlan } from '../compiler/plan.ts';
import type { StatsFactory } from '../observability/types.ts';
import type { PoolBinder, PoolHandle } from '../registries/pools.ts';
import { Router } from '../router/router.ts';
import { NO_FILTERS } from './phases.ts';
import { SnapshotLease, type Route, type Snapshot } from './snapshot.ts';

/** Statistics that can be given back. */
export interface SnapshotStats extends StatsFactory {
  dropRoute(route: string, pool: string): void;
}

/** What a transition leaves behind, released when no request can hold it any more. */
interface Superseded {
  readonly epoch: number;
  readonly handles: readonly PoolHandle[];
  readonly routes: readonly RoutePlan[];
}

interface Pending {
  readonly snapshot: Snapshot;
  readonly router: Router<Route>;
  readonly routes: ReadonlyMap<string, Route | null>;
  readonly pools: ReadonlyMap<string, PoolHandle | null>;
  readonly superseded: Superseded;
}

/** Items handled between two yields: well under a millisecond of work. */
const ITEMS_PER_STEP = 64;

export class SnapshotBuilder {
  readonly #registry: PoolBinder;
  readonly #stats: SnapshotStats;
  readonly #routes = new Map<string, Route>();
  readonly #pools = new Map<string, PoolHandle>();
  readonly #routesByPool = new Map<string, Set<string>>();
  /** Retired snapshots that still have requests, and what waits for them, oldest first. */
  readonly #retired = new Set<number>();
  #superseded: Superseded[] = [];
  #router: Router<Route> = Router.empty<Route>();
  #fleet: FleetPlan | undefined;
  #current: Snapshot | undefined;
  #pending: Pending | undefined;
  /** Committed, but not yet entered into the indexes above. */
  #unsettled: Pending | undefined;

  constructor(registry: PoolBinder, stats: SnapshotStats) {
    this.#registry = registry;
    this.#stats = stats;
  }

  get current(): Snapshot | undefined {
    return this.#current;
  }

  /** Epoch of the snapshot that waits for `commit`. */
  get preparedEpoch(): number | undefined {
    return this.#pending?.snapshot.epoch;
  }

  /** Number of retired snapshots that requests still run on. */
  get retiredInUse(): number {
    return this.#retired.size;
  }

  /** Prepares the next snapshot; every step is short, so that the caller can let requests in between. */
  *prepare(epoch: number, version: string, delta: PlanDelta): Generator<void, void> {
    if (this.#pending !== undefined) throw new Error('a snapshot is already prepared');
    yield* this.settle();
    const fleet = delta.fleet ?? this.#fleet;
    if (fleet === undefined) throw new Error('the first delta must carry the fleet settings');
    const pools = new Map<string, PoolHandle | null>(delta.deletePools.map((id) => [id, null]));
    let prepared = false;
    try {
      yield* this.#bindPools(delta.setPools, pools);
      const routes = yield* this.#changedRoutes(delta, pools);
      const router = yield* this.#router.apply(routerChanges(routes));
      const lease = new SnapshotLease();
      const snapshot: Snapshot = { version, epoch, router, fleet, unrouted: this.#stats.route('', ''), lease };
      const superseded = yield* this.#supersededBy(epoch, routes, pools);
      this.#pending = { snapshot, router, routes, pools, superseded };
      prepared = true;
    } finally {
      // Also when the caller gives up between two steps.
      if (!prepared) for (const handle of pools.values()) if (handle !== null) this.#registry.release(handle);
    }
  }

  /** The prepared snapshot becomes current; the old one’s handles go when its last request has ended. */
  commit(): Snapshot {
    const pending = this.#pending;
    if (pending === undefined) throw new Error('no snapshot is prepared');
    this.#pending = undefined;
    this.#router = pending.router;
    this.#fleet = pending.snapshot.fleet;
    this.#unsettled = pending;
    const old = this.#current;
    this.#current = pending.snapshot;
    if (old !== undefined) {
      this.#retired.add(old.epoch);
      old.lease.retire(() => this.#released(old.epoch));
    }
    return pending.snapshot;
  }

  /** Bookkeeping after `commit`, in short steps; `prepare` does it first when the caller has not. */
  *settle(): Generator<void, void> {
    const done = this.#unsettled;
    if (done === undefined) return;
    for (const [id, handle] of done.pools) {
      if (handle === null) this.#pools.delete(id);
      else this.#pools.set(id, handle);
    }
    let i = 0;
    for (const [id, route] of done.routes) {
      this.#index(id, route);
      i += 1;
      if (i % ITEMS_PER_STEP === 0) yield;
    }
    this.#unsettled = undefined;
    this.#superseded.push(done.superseded);
    this.#releaseUnused();
  }

  /** Gives the prepared snapshot up. */
  abort(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    for (const handle of pending?.pools.values() ?? []) if (handle !== null) this.#registry.release(handle);
  }

  *#bindPools(plans: readonly PoolPlan[], into: Map<string, PoolHandle | null>): Generator<void, void> {
    for (const [i, plan] of plans.entries()) {
      into.set(plan.id, this.#registry.bind(plan));
      if (i % ITEMS_PER_STEP === ITEMS_PER_STEP - 1) yield;
    }
  }

  /** Routes that are new, changed or deleted, and those whose pool got another handle. */
  *#changedRoutes(
    delta: PlanDelta,
    pools: ReadonlyMap<string, PoolHandle | null>,
  ): Generator<void, Map<string, Route | null>> {
    const plans = new Map<string, RoutePlan | null>();
    for (const poolId of pools.keys()) {
      for (const id of this.#routesByPool.get(poolId) ?? []) plans.set(id, this.#routes.get(id)?.plan ?? null);
    }
    for (const id of delta.deleteRoutes) plans.set(id, null);
    for (const plan of delta.setRoutes) plans.set(plan.id, plan);
    const poolOf = (id: string | null) =>
      id === null ? undefined : ((pools.has(id) ? pools.get(id) : this.#pools.get(id)) ?? undefined);
    const routes = new Map<string, Route | null>();
    for (const [id, plan] of plans) {
      routes.set(id, plan === null ? null : this.#route(plan, poolOf(plan.pool)));
      if (routes.size % ITEMS_PER_STEP === 0) yield;
    }
    return routes;
  }

  #route(plan: RoutePlan, pool: PoolHandle | undefined): Route {
    return { plan, pool, stats: this.#stats.route(plan.id, plan.pool ?? ''), phases: NO_FILTERS };
  }

  *#supersededBy(
    epoch: number,
    routes: ReadonlyMap<string, Route | null>,
    pools: ReadonlyMap<string, PoolHandle | null>,
  ): Generator<void, Superseded> {
    const handles = [...pools.keys()].flatMap((id) => this.#pools.get(id) ?? []);
    const gone: RoutePlan[] = [];
    let i = 0;
    for (const [id, next] of routes) {
      const old = this.#routes.get(id);
      if (old !== undefined && next?.plan.pool !== old.plan.pool) gone.push(old.plan);
      i += 1;
      if (i % ITEMS_PER_STEP === 0) yield;
    }
    return { epoch, handles, routes: gone };
  }

  #index(id: string, route: Route | null): void {
    const old = this.#routes.get(id);
    if (old?.plan.pool !== undefined && old.plan.pool !== null) this.#routesByPool.get(old.plan.pool)?.delete(id);
    if (route === null) {
      this.#routes.delete(id);
      return;
    }
    this.#routes.set(id, route);
    const poolId = route.plan.pool;
    if (poolId === null) return;
    const users = this.#routesByPool.get(poolId);
    if (users === undefined) this.#routesByPool.set(poolId, new Set([id]));
    else users.add(id);
  }

  #released(epoch: number): void {
    this.#retired.delete(epoch);
    this.#releaseUnused();
  }

  /** A handle superseded by epoch e may be used by any snapshot before e. */
  #releaseUnused(): void {
    const oldestInUse = Math.min(...this.#retired, Number.POSITIVE_INFINITY);
    const isFree = (s: Superseded) => s.epoch <= oldestInUse;
    const free = this.#superseded.filter(isFree);
    this.#superseded = this.#superseded.filter((s) => !isFree(s));
    for (const { handles, routes } of free) {
      for (const handle of handles) this.#registry.release(handle);
      for (const plan of routes) {
        if (this.#routes.get(plan.id)?.plan.pool !== plan.pool) this.#stats.dropRoute(plan.id, plan.pool ?? '');
      }
    }
  }
}

function routerChanges(routes: ReadonlyMap<string, Route | null>) {
  const set: { id: string; matches: RoutePlan['matches']; value: Route }[] = [];
  const remove: string[] = [];
  for (const [id, route] of routes) {
    if (route === null) remove.push(id);
    else set.push({ id, matches: route.plan.matches, value: route });
  }
  return { set, delete: remove };
}
