/** What the engine tells about a request; the sinks behind it count and log, and never block. */
import type { ErrorCode } from '../contract/errors.ts';

/** One finished request. The access log's fields are the seed’s, in snake_case, made from these. */
export interface RequestRecord {
  readonly startedAtMs: number;
  readonly requestId: string;
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  readonly query: string;
  readonly host: string;
  /** '' when no route matched. */
  readonly route: string;
  readonly pool: string;
  /** '' when no upstream was tried. */
  readonly endpoint: string;
  /** 499 when the client went away. */
  readonly status: number;
  readonly durationMs: number;
  readonly upstreamDurationMs: number;
  readonly retries: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly error?: ErrorCode;
  /** Digest of the snapshot that the request ran on. */
  readonly snapshot: string;
  readonly client: string;
}

/** Why a connection was not served: too many are open, or the system could not accept it. */
export type RefusedConnection = 'limit' | 'accept';

/** Counters of one (route, pool), resolved once when a snapshot is prepared, so that a request looks up no label. */
export interface RouteStats {
  onRequest(status: number, durationMs: number, requestBytes: number, responseBytes: number): void;
}

/** Counters of one (pool, endpoint). */
export interface EndpointStats {
  onUpstreamRequest(durationMs: number): void;
}

export interface AccessLog {
  write(record: RequestRecord): void;
}

/** Hands out the counters; the same labels give the same counters, in every snapshot. */
export interface StatsFactory {
  route(route: string, pool: string): RouteStats;
  endpoint(pool: string, endpoint: string): EndpointStats;
  /** Gives the series of an endpoint back: its pool has it no more. What is still observed counts as `other`. */
  dropEndpoint(pool: string, endpoint: string): void;
}
