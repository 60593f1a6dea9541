/**
 * The connections of this thread to one endpoint of one pool: reuse, the bound on them, and the queue of requests that wait
 * for one.
 */
import type { LookupFunction } from 'node:net';
import type { ConnectionsPlan, EndpointPlan } from '../compiler/plan.ts';
import type { ErrorCode } from '../contract/errors.ts';
import { limit } from '../contract/limits.ts';
import type { EndpointStats } from '../observability/types.ts';
import { type ConnectionOwner, UpstreamConnection } from './upstreamConnection.ts';
import { type TimerWheel, WheelTimer } from './wheel.ts';

/** A request that wants a connection. Exactly one of the two is called, once, unless it cancels. */
export interface ConnectionWaiter {
  onConnection(connection: UpstreamConnection): void;
  onNoConnection(code: ErrorCode, detail: string): void;
}

interface Queued {
  readonly waiter: ConnectionWaiter;
  readonly settings: ConnectionsPlan;
  readonly timer: WheelTimer;
}

export class EndpointTransport implements ConnectionOwner {
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly lookup: LookupFunction;
  readonly wheel: TimerWheel;
  readonly stats: EndpointStats;
  /** What the balancer owes this endpoint. */
  credit = 0;
  /** Free connections; the last one freed is used first, so that those a burst made grow old and close. */
  readonly #idle: UpstreamConnection[] = [];
  readonly #open = new Set<UpstreamConnection>();
  /** Connections on their way, and for whom they were made. */
  readonly #connecting = new Map<UpstreamConnection, ConnectionWaiter>();
  readonly #queue = new Map<ConnectionWaiter, Queued>();
  #retired = false;

  constructor(endpoint: EndpointPlan, wheel: TimerWheel, stats: EndpointStats, lookup: LookupFunction) {
    this.address = endpoint.address;
    this.host = endpoint.host;
    this.port = endpoint.port;
    this.wheel = wheel;
    this.stats = stats;
    this.lookup = lookup;
  }

  /** Connections, idle ones included. */
  get openConnections(): number {
    return this.#open.size;
  }

  get idleConnections(): number {
    return this.#idle.length;
  }

  /** Requests in the queue. */
  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Finds a connection for `waiter`: an idle one at once (the callback runs before this returns), else a new one, else the
   * first that gets free. `fresh` takes no idle one. Waiting is bounded by `maxPending` requests (else
   * `upstream_pending_overflow`) and by the connect timeout (`upstream_connect_timeout`).
   */
  acquire(waiter: ConnectionWaiter, settings: ConnectionsPlan, fresh: boolean): void {
    const idle = fresh ? undefined : this.#idle.pop();
    if (idle !== undefined) return waiter.onConnection(idle);
    if (this.#open.size < settings.max) return this.#connect(waiter, settings);
    // All connections are taken by requests, or an idle one must make room for a fresh one.
    const spare = this.#idle[0];
    if (spare !== undefined) {
      spare.destroy();
      return this.#connect(waiter, settings);
    }
    if (this.#queue.size >= settings.maxPending)
      return waiter.onNoConnection('upstream_pending_overflow', `${this.#queue.size} requests wait for a connection`);
    this.#enqueue(waiter, settings);
  }

  /** The waiter wants no connection any more. One that was being made for it is kept for others. */
  cancel(waiter: ConnectionWaiter): void {
    const queued = this.#queue.get(waiter);
    if (queued !== undefined) this.#dequeue(queued);
    for (const [connection, waiting] of this.#connecting)
      if (waiting === waiter) this.#connecting.set(connection, NOBODY);
  }

  /** Closes idle connections. */
  closeIdle(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  /** No pool has this endpoint any more: idle connections close now, others when their response is complete. */
  retire(): void {
    this.#retired = true;
    this.closeIdle();
  }

  onConnected(connection: UpstreamConnection): void {
    const waiter = this.#connecting.get(connection);
    this.#connecting.delete(connection);
    if (waiter === undefined || waiter === NOBODY) this.onFree(connection);
    else waiter.onConnection(connection);
  }

  onConnectFailed(connection: UpstreamConnection, code: ErrorCode, detail: string): void {
    const waiter = this.#connecting.get(connection);
    this.#connecting.delete(connection);
    waiter?.onNoConnection(code, detail);
  }

  onFree(connection: UpstreamConnection): void {
    const queued = this.#nextQueued();
    if (queued !== undefined) {
      this.#dequeue(queued);
      queued.waiter.onConnection(connection);
    } else if (this.#retired || this.#idle.length >= limit('upstreamIdleConnections')) connection.destroy();
    else this.#idle.push(connection);
  }

  onClosed(connection: UpstreamConnection): void {
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    const queued = this.#nextQueued();
    if (queued === undefined || this.#open.size >= queued.settings.max) return;
    this.#dequeue(queued);
    this.#connect(queued.waiter, queued.settings);
  }

  #connect(waiter: ConnectionWaiter, settings: ConnectionsPlan): void {
    const connection = new UpstreamConnection(this, settings);
    this.#open.add(connection);
    this.#connecting.set(connection, waiter);
  }

  #enqueue(waiter: ConnectionWaiter, settings: ConnectionsPlan): void {
    const timer = new WheelTimer(() => {
      this.#queue.delete(waiter);
      waiter.onNoConnection('upstream_connect_timeout', 'no connection got free in time');
    });
    this.#queue.set(waiter, { waiter, settings, timer });
    this.wheel.set(timer, settings.connectTimeoutMs);
  }

  #dequeue(queued: Queued): void {
    this.wheel.remove(queued.timer);
    this.#queue.delete(queued.waiter);
  }

  /** The request that waits longest: maps keep the order of insertion. */
  #nextQueued(): Queued | undefined {
    if (this.#queue.size === 0) return undefined;
    return this.#queue.values().next().value;
  }
}

const NOBODY: ConnectionWaiter = { onConnection: () => undefined, onNoConnection: () => undefined };
