/**
 * Pools at run time, per thread: which endpoints a pool has, where its balancer stands, and the connections to each
 * endpoint. Keyed by pool id and address, so that a swap resets neither a cursor nor a connection.
 */
import type { LookupFunction } from 'node:net';
import type { EndpointPlan, PoolPlan } from '../compiler/plan.ts';
import type { StatsFactory } from '../observability/types.ts';
import { type Cursor, WeightedRoundRobin } from '../traffic/weightedRoundRobin.ts';
import { checkedLookup } from './checkedLookup.ts';
import { EndpointTransport } from './transport.ts';
import type { TimerWheel } from './wheel.ts';

interface Target {
  readonly weight: number;
  readonly endpoint: EndpointTransport;
}

/** A pool as one plan describes it: settings and static endpoints are the plan's, all else is the registry's. */
export interface PoolHandle {
  readonly id: string;
  readonly plan: PoolPlan;
  /** The endpoint for the next request, other than those tried; undefined when there is none. */
  pick(tried?: readonly EndpointTransport[]): EndpointTransport | undefined;
}

export interface PoolRegistryOptions {
  readonly stats: StatsFactory;
  readonly wheel: TimerWheel;
  /** Resolves names of endpoints; by default the system does. */
  readonly lookup?: LookupFunction;
  /** Endpoints that are never used: this proxy’s own admin listeners. */
  readonly isOwn?: (host: string, port: number) => boolean;
}

/** Endpoints of one Service port, and the handles that follow them. */
interface ServiceEndpoints {
  endpoints: readonly EndpointPlan[] | undefined;
  readonly followers: Set<BoundPool>;
}

/** What all handles of one pool id share. */
interface PoolState {
  readonly cursor: Cursor;
  /** By address, with the number of handles that name it. */
  readonly transports: Map<string, { readonly transport: EndpointTransport; users: number }>;
  handles: number;
}

class BoundPool implements PoolHandle {
  readonly id: string;
  readonly plan: PoolPlan;
  readonly state: PoolState;
  #balancer: WeightedRoundRobin<Target>;

  constructor(plan: PoolPlan, state: PoolState) {
    this.id = plan.id;
    this.plan = plan;
    this.state = state;
    this.#balancer = new WeightedRoundRobin<Target>([], state.cursor);
  }

  get targets(): readonly Target[] {
    return this.#balancer.targets;
  }

  pick(tried?: readonly EndpointTransport[]): EndpointTransport | undefined {
    return this.#balancer.pick(tried)?.endpoint;
  }

  setTargets(targets: readonly Target[]): void {
    this.#balancer = new WeightedRoundRobin(targets, this.state.cursor);
  }
}

/** What the builder of snapshots needs of the registry. */
export type PoolBinder = Pick<PoolRegistry, 'bind' | 'release'>;

export class PoolRegistry {
  readonly #options: PoolRegistryOptions;
  readonly #lookup: LookupFunction;
  readonly #pools = new Map<string, PoolState>();
  readonly #services = new Map<string, ServiceEndpoints>();

  constructor(options: PoolRegistryOptions) {
    this.#options = options;
    this.#lookup = options.lookup ?? checkedLookup();
  }

  /**
   * A handle for this plan; every bind needs one release. Handles of one pool id share cursors and connections, so a
   * changed plan is bound before the old one is released.
   */
  bind(plan: PoolPlan): PoolHandle {
    const state = this.#pools.get(plan.id) ?? { cursor: { position: 0 }, transports: new Map(), handles: 0 };
    this.#pools.set(plan.id, state);
    state.handles += 1;
    const pool = new BoundPool(plan, state);
    if (plan.endpoints.kind === 'static') {
      this.#setTargets(pool, plan.endpoints.list);
    } else {
      const service = this.#service(serviceKey(plan.endpoints));
      service.followers.add(pool);
      this.#setTargets(pool, service.endpoints ?? []);
    }
    return pool;
  }

  /**
   * No snapshot names the handle any more. Endpoints that no handle names are let go: idle connections close at once,
   * others after their response.
   */
  release(handle: PoolHandle): void {
    if (!(handle instanceof BoundPool)) throw new TypeError('not a handle of this registry');
    const { endpoints } = handle.plan;
    if (endpoints.kind === 'service') this.#unfollow(serviceKey(endpoints), handle);
    this.#setTargets(handle, []);
    handle.state.handles -= 1;
    if (handle.state.handles === 0) this.#pools.delete(handle.id);
  }

  /**
   * Replaces the endpoints of a Service port (`port` as pools name it), as the EndpointSlices say: only those that may take
   * new requests. Takes effect with the next pick, in every snapshot. Undefined: the Service is gone.
   */
  setServiceEndpoints(
    namespace: string,
    name: string,
    port: string,
    endpoints: readonly EndpointPlan[] | undefined,
  ): void {
    const key = serviceKey({ namespace, name, port });
    const service = this.#service(key);
    service.endpoints = endpoints;
    for (const pool of service.followers) this.#setTargets(pool, endpoints ?? []);
    this.#forgetUnused(key, service);
  }

  /** `namespace/name:port` of every service that a bound pool names and whose endpoints are not known. */
  missingServices(): string[] {
    return [...this.#services].filter(([, service]) => service.endpoints === undefined).map(([key]) => key);
  }

  /** Closes idle upstream connections (a stage of the drain). */
  closeIdle(): void {
    for (const { transports } of this.#pools.values())
      for (const { transport } of transports.values()) transport.closeIdle();
  }

  #service(key: string): ServiceEndpoints {
    const known = this.#services.get(key);
    if (known !== undefined) return known;
    const service: ServiceEndpoints = { endpoints: undefined, followers: new Set() };
    this.#services.set(key, service);
    return service;
  }

  #unfollow(key: string, pool: BoundPool): void {
    const service = this.#service(key);
    service.followers.delete(pool);
    this.#forgetUnused(key, service);
  }

  /** Endpoints may arrive before the pool that wants them, so only what nobody wants and nobody knows is dropped. */
  #forgetUnused(key: string, service: ServiceEndpoints): void {
    if (service.followers.size === 0 && service.endpoints === undefined) this.#services.delete(key);
  }

  #setTargets(pool: BoundPool, endpoints: readonly EndpointPlan[]): void {
    const before = pool.targets;
    pool.setTargets(this.#take(pool, endpoints));
    for (const { endpoint } of before) this.#give(pool, endpoint);
  }

  /** New targets are taken before the old ones are given back, so that what stays is never let go. */
  #take(pool: BoundPool, endpoints: readonly EndpointPlan[]): Target[] {
    return endpoints
      .filter(({ weight, host, port }) => weight > 0 && this.#options.isOwn?.(host, port) !== true)
      .map((endpoint) => ({ weight: endpoint.weight, endpoint: this.#transport(pool, endpoint) }));
  }

  #transport(pool: BoundPool, endpoint: EndpointPlan): EndpointTransport {
    const { transports } = pool.state;
    const known = transports.get(endpoint.address);
    if (known !== undefined) {
      known.users += 1;
      return known.transport;
    }
    const stats = this.#options.stats.endpoint(pool.id, endpoint.address);
    const transport = new EndpointTransport(endpoint, this.#options.wheel, stats, this.#lookup);
    transports.set(endpoint.address, { transport, users: 1 });
    return transport;
  }

  #give({ id, state }: BoundPool, transport: EndpointTransport): void {
    const entry = state.transports.get(transport.address);
    if (entry === undefined) return;
    entry.users -= 1;
    if (entry.users > 0) return;
    state.transports.delete(transport.address);
    transport.retire();
    this.#options.stats.dropEndpoint(id, transport.address);
  }
}

function serviceKey(service: { readonly namespace: string; readonly name: string; readonly port: string }): string {
  return `${service.namespace}/${service.name}:${service.port}`;
}
