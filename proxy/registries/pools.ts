/**
 * Pools at run time, per thread: which endpoints a pool has, where its balancer stands, and the connections to each
 * endpoint. Keyed by pool id and address, so that a swap resets neither a cursor nor a connection.
 */
import type { ConnectionsPlan, EndpointPlan, PoolPlan } from '../compiler/plan.ts';

/** A pool as one plan describes it: endpoints and settings are the plan's, cursors and connections the registry's. */
export interface PoolHandle {
  readonly id: string;
  readonly plan: PoolPlan;
  readonly connections: ConnectionsPlan;
}

/** What threads call of the registry. */
export interface PoolBinder {
  /** A handle for this plan; every bind needs one release. Two plans of one pool id share cursors and connections. */
  bind(plan: PoolPlan): PoolHandle;
  /** No snapshot names the handle any more. Endpoints that no handle names close: idle connections at once, others after their response. */
  release(handle: PoolHandle): void;
  /** Replaces the endpoints of a Service port (`port` as pools name it); takes effect for the next pick, in every snapshot. */
  setServiceEndpoints(namespace: string, name: string, port: string, endpoints: readonly EndpointPlan[]): void;
  /** `namespace/name:port` of services that bound pools name and whose endpoints were never set. */
  missingServices(): string[];
  /** Closes idle upstream connections (a stage of the drain); those in use close after their response. */
  closeIdle(): void;
}
