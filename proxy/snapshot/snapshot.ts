/**
 * A snapshot: a plan brought to life for one thread. Immutable but for its lease; all that changes at run time lives in
 * the registries its handles point to. A request takes the current snapshot once, when its head is complete, and ends on it.
 */
import type { FleetPlan, RoutePlan } from '../compiler/plan.ts';
import type { RouteStats } from '../observability/types.ts';
import type { PoolHandle } from '../registries/pools.ts';
import type { RoutePhases } from './phases.ts';

/** A route ready to serve. */
export interface Route {
  readonly plan: RoutePlan;
  /** Undefined where the plan names no pool that exists: answered with `unresolved_ref`. */
  readonly pool: PoolHandle | undefined;
  readonly stats: RouteStats;
  readonly phases: RoutePhases;
}

/** What the engine needs of proxy/router. */
export interface RouteTable {
  /**
   * The route of a request: `host` lower-case without port, `path` normalised, `query` without question mark.
   * `headers.get` takes lower-case names.
   */
  match(
    host: string,
    path: string,
    method: string,
    headers: { get(lowerName: string): string | undefined },
    query: string,
  ): Route | undefined;
}

export interface Snapshot {
  /** Digest of what it was compiled from; shown in access logs. */
  readonly version: string;
  /** Grows by one with every swap of this process. */
  readonly epoch: number;
  readonly router: RouteTable;
  readonly fleet: FleetPlan;
  /** Counters of requests that match no route. */
  readonly unrouted: RouteStats;
  readonly lease: SnapshotLease;
}

/**
 * Counts the requests that run on a snapshot. Its handles may be released once it is retired (no longer current) and the
 * last of them ended.
 */
export class SnapshotLease {
  #requests = 0;
  #onReleased: (() => void) | undefined;

  /** Requests in flight. */
  get requests(): number {
    return this.#requests;
  }

  /** A request starts on the snapshot. */
  take(): void {
    this.#requests += 1;
  }

  /** A request ended. */
  give(): void {
    this.#requests -= 1;
    if (this.#requests === 0) this.#settle();
  }

  /** The snapshot is no longer current; `onReleased` is called once, at once if no request runs on it. */
  retire(onReleased: () => void): void {
    this.#onReleased = onReleased;
    if (this.#requests === 0) this.#settle();
  }

  #settle(): void {
    const onReleased = this.#onReleased;
    this.#onReleased = undefined;
    onReleased?.();
  }
}
