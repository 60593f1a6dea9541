/** The request counters of one thread, within the series limit. */
import type { Cell, ColumnWriter, HistogramCell } from './columns.ts';
import type { EndpointStats, RouteStats, StatsFactory } from './types.ts';

/** Label value for what is over the series limit, and for requests that outlive their route’s labels. */
const OTHER = 'other';

/** Requests of the thread by class of status, whichever route they had; never given back, so that totals only grow. */
class ResponseColumns {
  readonly #byClass: readonly Cell[];

  constructor(writer: ColumnWriter) {
    this.#byClass = ['1xx', '2xx', '3xx', '4xx', '5xx'].map((name) =>
      writer.counter('proxy_responses_total', { class: name }),
    );
  }

  onResponse(status: number): void {
    this.#byClass[Math.floor(status / 100) - 1]?.add(1);
  }
}

class RouteColumns implements RouteStats {
  readonly #writer: ColumnWriter;
  readonly #responses: ResponseColumns;
  readonly #route: string;
  readonly #pool: string;
  readonly #byStatus = new Map<number, Cell>();
  readonly #duration: HistogramCell;
  readonly #requestSize: HistogramCell;
  readonly #responseSize: HistogramCell;

  constructor(writer: ColumnWriter, responses: ResponseColumns, route: string, pool: string) {
    this.#writer = writer;
    this.#responses = responses;
    this.#route = route;
    this.#pool = pool;
    this.#duration = writer.histogram('proxy_request_duration_seconds', { route, pool });
    this.#requestSize = writer.histogram('proxy_request_size_bytes', { route });
    this.#responseSize = writer.histogram('proxy_response_size_bytes', { route });
  }

  onRequest(status: number, durationMs: number, requestBytes: number, responseBytes: number): void {
    let count = this.#byStatus.get(status);
    if (count === undefined) {
      count = this.#writer.counter('proxy_requests_total', {
        route: this.#route,
        pool: this.#pool,
        status: String(status),
      });
      this.#byStatus.set(status, count);
    }
    count.add(1);
    this.#responses.onResponse(status);
    this.#duration.observe(durationMs / 1000);
    this.#requestSize.observe(requestBytes);
    this.#responseSize.observe(responseBytes);
  }

  /** Shared by all that is over the limit: never given back. */
  get isOther(): boolean {
    return this.#route === OTHER && this.#pool === OTHER;
  }

  release(): void {
    for (const cell of [...this.#byStatus.values(), this.#duration, this.#requestSize, this.#responseSize])
      this.#writer.release(cell.id);
  }
}

class EndpointColumns implements EndpointStats {
  readonly #writer: ColumnWriter;
  readonly #count: Cell;
  readonly #duration: HistogramCell;
  readonly isOther: boolean;

  constructor(writer: ColumnWriter, pool: string, endpoint: string) {
    this.#writer = writer;
    this.isOther = pool === OTHER && endpoint === OTHER;
    this.#count = writer.counter('proxy_upstream_requests_total', { pool, endpoint });
    this.#duration = writer.histogram('proxy_upstream_duration_seconds', { pool, endpoint });
  }

  onUpstreamRequest(durationMs: number): void {
    this.#count.add(1);
    this.#duration.observe(durationMs / 1000);
  }

  release(): void {
    this.#writer.release(this.#count.id);
    this.#writer.release(this.#duration.id);
  }
}

/**
 * What snapshots hold. Its columns come into being with the first request, so that idle routes cost no series, and go
 * when no snapshot names the labels any more: a request that is still under way then counts as `other`.
 */
class RouteHandle implements RouteStats {
  #make: () => RouteStats;
  #columns: RouteStats | undefined;
  constructor(make: () => RouteStats) {
    this.#make = make;
  }
  onRequest(status: number, durationMs: number, requestBytes: number, responseBytes: number): void {
    this.#columns ??= this.#make();
    this.#columns.onRequest(status, durationMs, requestBytes, responseBytes);
  }
  /** @param other where late requests count; made only if there are any */
  retire(other: () => RouteColumns): void {
    if (this.#columns instanceof RouteColumns && !this.#columns.isOther) this.#columns.release();
    this.#columns = undefined;
    this.#make = other;
  }
}

class EndpointHandle implements EndpointStats {
  #make: () => EndpointStats;
  #columns: EndpointStats | undefined;
  constructor(make: () => EndpointStats) {
    this.#make = make;
  }
  onUpstreamRequest(durationMs: number): void {
    this.#columns ??= this.#make();
    this.#columns.onUpstreamRequest(durationMs);
  }
  retire(other: () => EndpointColumns): void {
    if (this.#columns instanceof EndpointColumns && !this.#columns.isOther) this.#columns.release();
    this.#columns = undefined;
    this.#make = other;
  }
}

export class ThreadStats implements StatsFactory {
  readonly #writer: ColumnWriter;
  readonly #routes = new Map<string, RouteHandle>();
  readonly #endpoints = new Map<string, EndpointHandle>();
  readonly #folded: Cell;
  readonly #responses: ResponseColumns;
  #otherRoute: RouteColumns | undefined;
  #otherEndpoint: EndpointColumns | undefined;
  #maxSeries: number;

  /** @param maxSeries time series that this thread may hand out; what is over counts as `other` */
  constructor(writer: ColumnWriter, maxSeries: number) {
    this.#writer = writer;
    this.#maxSeries = maxSeries;
    this.#responses = new ResponseColumns(writer);
    this.#folded = writer.counter('proxy_metric_series_dropped_total', {});
  }

  setMaxSeries(maxSeries: number): void {
    this.#maxSeries = maxSeries;
  }

  route(route: string, pool: string): RouteStats {
    const key = routeStatsKey(route, pool);
    let handle = this.#routes.get(key);
    if (handle === undefined) {
      handle = new RouteHandle(() =>
        this.#full() ? this.#routeOther() : new RouteColumns(this.#writer, this.#responses, route, pool),
      );
      this.#routes.set(key, handle);
    }
    return handle;
  }

  endpoint(pool: string, endpoint: string): EndpointStats {
    const key = endpointStatsKey(pool, endpoint);
    let handle = this.#endpoints.get(key);
    if (handle === undefined) {
      handle = new EndpointHandle(() =>
        this.#full() ? this.#endpointOther() : new EndpointColumns(this.#writer, pool, endpoint),
      );
      this.#endpoints.set(key, handle);
    }
    return handle;
  }

  /** Gives the series of a route back: no snapshot names it with this pool any more. */
  dropRoute(route: string, pool: string): void {
    const key = routeStatsKey(route, pool);
    this.#routes.get(key)?.retire(() => this.#routeOther());
    this.#routes.delete(key);
  }

  dropEndpoint(pool: string, endpoint: string): void {
    const key = endpointStatsKey(pool, endpoint);
    this.#endpoints.get(key)?.retire(() => this.#endpointOther());
    this.#endpoints.delete(key);
  }

  #full(): boolean {
    if (this.#writer.series < this.#maxSeries) return false;
    this.#folded.add(1);
    return true;
  }

  #routeOther(): RouteColumns {
    this.#otherRoute ??= new RouteColumns(this.#writer, this.#responses, OTHER, OTHER);
    return this.#otherRoute;
  }

  #endpointOther(): EndpointColumns {
    this.#otherEndpoint ??= new EndpointColumns(this.#writer, OTHER, OTHER);
    return this.#otherEndpoint;
  }
}

function endpointStatsKey(pool: string, endpoint: string): string {
  return `${pool}\n${endpoint}`;
}

function routeStatsKey(route: string, pool: string): string {
  return `${route}\n${pool}`;
}
