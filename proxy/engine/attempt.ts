/**
 * One request on its way to one upstream: pick an endpoint, get a connection, send, receive. Nothing has been sent as long
 * as no connection was got, so other endpoints are tried then. What is sent is repeated in one case only: see `#isStale`.
 */
import type { ErrorCode } from '../contract/errors.ts';
import { limit } from '../contract/limits.ts';
import type { PoolHandle } from '../registries/pools.ts';
import type { ConnectionWaiter, EndpointTransport } from '../registries/transport.ts';
import type { UpstreamConnection, UpstreamUser } from '../registries/upstreamConnection.ts';
import type { HeaderLines, RequestHead, ResponseHead } from './http1/types.ts';

/** What an attempt tells the exchange that it belongs to. */
export interface AttemptOwner {
  readonly head: RequestHead;
  /** Monotonic milliseconds. */
  now(): number;
  /** There is a connection: `send` may be called. */
  onAttemptReady(): void;
  onInformational(head: ResponseHead): void;
  onResponseHead(head: ResponseHead): void;
  onResponseData(slice: Buffer): void;
  onResponseTrailers(trailers: HeaderLines): void;
  onResponseRead(): void;
  onResponseEnd(): void;
  onUpstreamWritable(): void;
  onAttemptFailed(code: ErrorCode, detail: string): void;
}

/** RFC 9110 §9.2.2, without TRACE. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

export class Attempt implements ConnectionWaiter, UpstreamUser {
  /** The endpoint tried last. */
  endpoint: EndpointTransport | undefined;
  /** Tries beyond the first. */
  retries = 0;
  readonly #owner: AttemptOwner;
  readonly #pool: PoolHandle;
  #connection: UpstreamConnection | null = null;
  #waiting = false;
  /** Endpoints without a connection; undefined until the first. */
  #tried: EndpointTransport[] | undefined;
  #repeated = false;
  #startedAt = 0;
  #requestSent = false;

  constructor(owner: AttemptOwner, pool: PoolHandle) {
    this.#owner = owner;
    this.#pool = pool;
  }

  get connected(): boolean {
    return this.#connection !== null;
  }

  /** Picks an endpoint and asks for a connection. */
  start(): void {
    const endpoint = this.#pool.pick();
    if (endpoint === undefined) return this.#owner.onAttemptFailed('no_endpoints', 'the pool has no endpoint');
    this.#connectTo(endpoint, false);
  }

  /** Sends what was collected of the request; `last`: it ends with it. False: wait for `onUpstreamWritable`. */
  send(data: string | Buffer | null, last: boolean): boolean {
    this.#requestSent = last;
    if (this.#connection === null || data === null) return true;
    return this.#connection.write(data);
  }

  pauseReading(): void {
    this.#connection?.pauseReading();
  }

  resumeReading(): void {
    this.#connection?.resumeReading();
  }

  /** The response must go on within `delayMs`. */
  expectWithin(delayMs: number): void {
    this.#connection?.expectWithin(delayMs);
  }

  /** Nobody wants the answer any more: the upstream is told by closing the connection. */
  cancel(): void {
    if (this.#waiting) this.endpoint?.cancel(this);
    this.#waiting = false;
    this.#countRequest();
    const connection = this.#connection;
    this.#connection = null;
    connection?.destroy();
  }

  onConnection(connection: UpstreamConnection): void {
    this.#waiting = false;
    this.#connection = connection;
    this.#startedAt = this.#owner.now();
    connection.use(this, this.#owner.head.method);
    this.#owner.onAttemptReady();
  }

  onNoConnection(code: ErrorCode, detail: string): void {
    this.#waiting = false;
    const tried = (this.#tried ??= []);
    if (this.endpoint !== undefined) tried.push(this.endpoint);
    const next = tried.length < limit('connectAttempts') ? this.#pool.pick(tried) : undefined;
    if (next === undefined) return this.#owner.onAttemptFailed(code, detail);
    this.retries += 1;
    this.#connectTo(next, false);
  }

  onInformational(head: ResponseHead): void {
    this.#owner.onInformational(head);
  }

  onResponseHead(head: ResponseHead): void {
    this.#owner.onResponseHead(head);
  }

  onResponseData(slice: Buffer): void {
    this.#owner.onResponseData(slice);
  }

  onResponseTrailers(trailers: HeaderLines): void {
    this.#owner.onResponseTrailers(trailers);
  }

  onReadEnd(): void {
    this.#owner.onResponseRead();
  }

  onResponseEnd(): void {
    this.#countRequest();
    const connection = this.#connection;
    this.#connection = null;
    // Before the client hears of the end: its next request may take this connection.
    connection?.release(this.#requestSent);
    this.#owner.onResponseEnd();
  }

  onWritable(): void {
    this.#owner.onUpstreamWritable();
  }

  onUpstreamError(code: ErrorCode, detail: string, answered: boolean): void {
    const stale = code === 'upstream_reset' && !answered && this.#isStale();
    this.#countRequest();
    this.#connection = null;
    const { endpoint } = this;
    if (!stale || endpoint === undefined) return this.#owner.onAttemptFailed(code, detail);
    this.#repeated = true;
    this.retries += 1;
    this.#connectTo(endpoint, true);
  }

  /**
   * The upstream closed a kept-alive connection just when the request was sent on it: most likely it never saw the
   * request. It is repeated once, on a new connection, where repeating can do no harm: an idempotent method without a body
   * (RFC 9112 §9.3.1; nginx and Envoy do the same).
   */
  #isStale(): boolean {
    const { head } = this.#owner;
    return (
      this.#connection?.reused === true && !this.#repeated && head.framing === 'none' && IDEMPOTENT.has(head.method)
    );
  }

  #connectTo(endpoint: EndpointTransport, fresh: boolean): void {
    this.endpoint = endpoint;
    this.#waiting = true;
    endpoint.acquire(this, this.#pool.plan.connections, fresh);
  }

  /** A request that went out counts for its endpoint, however it ends. */
  #countRequest(): void {
    if (this.#connection !== null) this.endpoint?.stats.onUpstreamRequest(this.#owner.now() - this.#startedAt);
  }
}
