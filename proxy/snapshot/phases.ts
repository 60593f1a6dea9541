/**
 * The parts of a request's life that differ from route to route, as the snapshot carries them (the engine runs them, in
 * the order of proxy/engine/phases.ts). Middleware compiles to filters; a route without any shares NO_FILTERS.
 */

/** What a filter may know of a request. The engine's exchange implements it. */
export interface FilterRequest {
  readonly requestId: string;
  readonly method: string;
  /** Normalised path without the query. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** Lower-case host without port. */
  readonly hostname: string;
  /** Address of the client: the peer, or what trusted proxies say. */
  readonly client: string;
  /** First value of a request header, by lower-case name. */
  header(lowerName: string): string | undefined;
  /** Every value: rules on a multi-value header must see all of them. */
  headerAll(lowerName: string): string[];
  /** Sends this header upstream instead of what the client sent; undefined removes it. */
  setHeader(lowerName: string, value: string | undefined): void;
}

/** A complete answer given instead of the upstream's. */
export interface Answer {
  readonly status: number;
  /** Names and values; content-length, connection and x-request-id are the engine's. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** Answers the request (nothing is sent upstream), or lets it pass with undefined. May take its time. */
export type RequestFilter = (request: FilterRequest) => Answer | undefined | Promise<Answer | undefined>;

/** What a response filter may change before the head is sent. */
export interface FilterResponse {
  readonly status: number;
  header(lowerName: string): string | undefined;
  /** Sends this header instead of what the upstream sent; undefined removes it. */
  setHeader(lowerName: string, value: string | undefined): void;
}

/** Runs between the upstream's response head and the client's; synchronous, since bytes of the body may wait behind it. */
export type ResponseFilter = (request: FilterRequest, response: FilterResponse) => void;

export interface RoutePhases {
  /** In order; the first answer ends the list. */
  readonly requestFilters: readonly RequestFilter[];
  readonly responseFilters: readonly ResponseFilter[];
}

export const NO_FILTERS: RoutePhases = Object.freeze({ requestFilters: [], responseFilters: [] });
