/**
 * The one table of data-plane errors. Responses, access logs, metrics and docs/ERRORS.md all read it.
 * `retryable` says whether another attempt could help and nothing of the request has reached an upstream's application.
 */

/** Whose fault it was: the client's connection, the upstream's, or the proxy's own configuration or limits. */
export type ErrorSide = 'downstream' | 'upstream' | 'proxy';

export interface ErrorSpec {
  readonly status: number;
  readonly side: ErrorSide;
  readonly retryable: boolean;
  /** Connection to the client is closed after the response, since its framing can no longer be trusted. */
  readonly closes: boolean;
  /** For people: what happened. */
  readonly description: string;
}

export const ERRORS = {
  no_route: {
    status: 404,
    side: 'proxy',
    retryable: false,
    closes: false,
    description: 'No route matches the request.',
  },
  no_snapshot: {
    status: 503,
    side: 'proxy',
    retryable: false,
    closes: false,
    description: 'The proxy has no verified configuration yet.',
  },
  no_endpoints: {
    status: 503,
    side: 'upstream',
    retryable: true,
    closes: false,
    description: 'The pool has no usable endpoint.',
  },
  unresolved_ref: {
    status: 503,
    side: 'proxy',
    retryable: false,
    closes: false,
    description: 'The route names a pool that does not exist.',
  },
  upstream_connect_failed: {
    status: 502,
    side: 'upstream',
    retryable: true,
    closes: false,
    description: 'No connection to the upstream could be made.',
  },
  upstream_connect_timeout: {
    status: 504,
    side: 'upstream',
    retryable: true,
    closes: false,
    description: 'Connecting to the upstream took longer than the pool’s connect timeout.',
  },
  upstream_pending_overflow: {
    status: 503,
    side: 'upstream',
    retryable: true,
    closes: false,
    description: 'Too many requests already wait for a connection of this pool.',
  },
  upstream_reset: {
    status: 502,
    side: 'upstream',
    retryable: false,
    closes: false,
    description: 'The upstream closed the connection before a complete response head.',
  },
  upstream_protocol_error: {
    status: 502,
    side: 'upstream',
    retryable: false,
    closes: false,
    description: 'The upstream’s response was malformed.',
  },
  upstream_response_too_large: {
    status: 502,
    side: 'upstream',
    retryable: false,
    closes: false,
    description: 'The upstream’s response head is over the limit.',
  },
  upstream_timeout: {
    status: 504,
    side: 'upstream',
    retryable: false,
    closes: false,
    description: 'The route’s timeout passed before the upstream answered.',
  },
  upstream_truncated: {
    status: 502,
    side: 'upstream',
    retryable: false,
    closes: true,
    description: 'The upstream closed the connection in the middle of the body; the client’s connection is reset.',
  },
  bad_request: {
    status: 400,
    side: 'downstream',
    retryable: false,
    closes: true,
    description: 'The request is malformed or ambiguous (RFC 9112).',
  },
  invalid_host: {
    status: 400,
    side: 'downstream',
    retryable: false,
    closes: true,
    description: 'Host is missing, repeated or invalid.',
  },
  invalid_path: {
    status: 400,
    side: 'downstream',
    retryable: false,
    closes: false,
    description: 'The path holds bytes or escapes that are refused.',
  },
  uri_too_long: {
    status: 414,
    side: 'downstream',
    retryable: false,
    closes: true,
    description: 'The request line is over the limit.',
  },
  headers_too_large: {
    status: 431,
    side: 'downstream',
    retryable: false,
    closes: true,
    description: 'The header section is over the limit in bytes or count.',
  },
  body_too_large: {
    status: 413,
    side: 'downstream',
    retryable: false,
    closes: true,
    description: 'The request body is over the limit.',
  },
  not_implemented: {
    status: 501,
    side: 'downstream',
    retryable: false,
    closes: true,
    description: 'The request uses a transfer coding or method that the proxy does not take.',
  },
  version_not_supported: {
    status: 505,
    side: 'downstream',
    retryable: false,
    closes: true,
    description: 'The HTTP version is not supported.',
  },
  expectation_failed: {
    status: 417,
    side: 'downstream',
    retryable: false,
    closes: false,
    description: 'Expect holds something other than 100-continue.',
  },
  request_timeout: {
    status: 408,
    side: 'downstream',
    retryable: false,
    closes: true,
    description: 'The client did not finish its request in time.',
  },
  client_closed: {
    status: 499,
    side: 'downstream',
    retryable: false,
    closes: true,
    description: 'The client went away before the response was complete (only in logs and metrics).',
  },
  internal: {
    status: 500,
    side: 'proxy',
    retryable: false,
    closes: true,
    description: 'A programming error in the proxy; its log has the details.',
  },
} as const satisfies Readonly<Record<string, ErrorSpec>>;

/** Stable code, used as `error` in responses and logs. */
export type ErrorCode = keyof typeof ERRORS;
