/** Pools: the upstreams behind a name. */
import Type, { type Static } from 'typebox';
import { limit } from '../limits.ts';
import { duration, id, integer, oneOf, percent, size, strict, text, TOKEN_PATTERN } from './parts.ts';

const endpoint = strict({
  address: text('`host:port`, `ip:port` or `[ipv6]:port`. Link-local and metadata addresses are refused.', 261),
  weight: Type.Optional(
    integer('Share of requests relative to the other endpoints; default 100; 0 takes none.', 0, 65_535),
  ),
});

const service = strict(
  {
    namespace: text('Namespace of the Service.', 63),
    name: text('Name of the Service.', 253),
    port: Type.Union([text('Name of the Service’s port, or its number.', 63), integer('Its number.', 1, 65_535)]),
  },
  'Endpoints follow this Service’s EndpointSlices.',
);

const breaker = strict(
  {
    error_threshold_percent: percent('Error rate that opens the breaker.'),
    min_requests: Type.Optional(integer('Requests in the window before it can open.', 1, 1_000_000)),
    open_duration: Type.Optional(duration('How long it stays open.')),
  },
  'Stops sending to a pool that fails.',
);

export const poolSchema = strict({
  id: id('Unique name of the pool; the `pool` label of metrics and logs.'),
  endpoints: Type.Optional(
    Type.Array(endpoint, {
      maxItems: limit('endpointsPerPool'),
      description: 'Fixed endpoints. Exactly one of endpoints and service.',
    }),
  ),
  service: Type.Optional(service),
  protocol: Type.Optional(oneOf(['http1', 'http2', 'h2c'], 'Protocol towards the endpoints; default http1.')),
  balancer: Type.Optional(
    Type.Union([
      oneOf(
        ['weighted_round_robin', 'least_request', 'consistent_hash', 'random'],
        'How an endpoint is picked; default weighted_round_robin.',
      ),
      strict({
        type: oneOf(
          ['weighted_round_robin', 'least_request', 'consistent_hash', 'random'],
          'How an endpoint is picked.',
        ),
        hash_on: Type.Optional(text('What consistent_hash hashes: `header:NAME`, `cookie:NAME` or `client_ip`.', 300)),
        slow_start: Type.Optional(duration('Time in which a new endpoint comes to its full share.')),
      }),
    ]),
  ),
  tls: Type.Optional(
    strict(
      {
        server_name: Type.Optional(text('SNI and name verified; default: the endpoint’s host.', 253)),
        ca_file: Type.Optional(text('PEM file of trusted CAs.', 1024)),
        ca_secret: Type.Optional(id('Secret (`namespace/name`) with ca.crt.')),
        client_cert_file: Type.Optional(text('PEM file of the client certificate.', 1024)),
        client_key_file: Type.Optional(text('PEM file of its key.', 1024)),
        client_secret: Type.Optional(id('Secret (`namespace/name`) with tls.crt and tls.key.')),
      },
      'TLS towards the endpoints.',
    ),
  ),
  health: Type.Optional(
    strict({
      active: Type.Optional(
        strict({
          type: Type.Optional(oneOf(['http', 'tcp', 'grpc'], 'Kind of probe; default http.')),
          interval: duration('Time between probes.'),
          timeout: Type.Optional(duration('Time a probe may take.')),
          path: Type.Optional(text('Path probed.', 1024)),
          expected_status: Type.Optional(
            Type.Union(
              [text('Range such as 200-399.', 16), Type.Array(text('Status or range.', 16), { maxItems: 16 })],
              { description: 'Statuses that count as healthy.' },
            ),
          ),
          healthy_threshold: Type.Optional(integer('Successes that bring an endpoint back.', 1, 100)),
          unhealthy_threshold: Type.Optional(integer('Failures that take it out.', 1, 100)),
        }),
      ),
      passive: Type.Optional(
        strict({
          consecutive_failures: integer('Failures in a row that eject an endpoint.', 1, 10_000),
          ejection_duration: Type.Optional(duration('How long it stays out.')),
        }),
      ),
    }),
  ),
  circuit_breaker: Type.Optional(breaker),
  outlier_detection: Type.Optional(
    strict({
      consecutive_failures: Type.Optional(integer('Failures in a row that eject an endpoint.', 1, 10_000)),
      error_rate_threshold: Type.Optional(percent('Error rate that ejects an endpoint.')),
      min_requests: Type.Optional(integer('Requests before the rate counts.', 1, 1_000_000)),
      max_ejection_percent: Type.Optional(percent('Most endpoints out at once.')),
    }),
  ),
  connections: Type.Optional(
    strict(
      {
        max: Type.Optional(integer('Connections per endpoint and thread.', 1, 65_535)),
        max_pending: Type.Optional(integer('Requests that may wait for a connection.', 0, 100_000)),
        max_requests: Type.Optional(integer('Requests after which a connection is replaced; 0: never.', 0, 10_000_000)),
        connect_timeout: Type.Optional(duration('Time to connect; default 2s.')),
        idle_timeout: Type.Optional(duration('Time an idle connection is kept; default 55s.')),
      },
      'Connections to the endpoints.',
    ),
  ),
});

export const policySchema = strict({
  id: id('Unique name of the policy.'),
  timeout: Type.Optional(duration('Whole time for the upstream to answer, retries included; default 60s.')),
  per_try_timeout: Type.Optional(duration('Time for one attempt.')),
  retries: Type.Optional(
    strict({
      max_attempts: integer('Attempts in all.', 1, 10),
      budget_percent: Type.Optional(percent('Retries allowed relative to successful requests.')),
      idempotent_only: Type.Optional(
        Type.Boolean({ description: 'Only idempotent methods are retried; default true.' }),
      ),
      backoff: Type.Optional(duration('Base of the jittered back-off.')),
    }),
  ),
  hedging: Type.Optional(
    strict({
      delay: Type.Optional(duration('When a second attempt starts.')),
      percentile: Type.Optional(percent('Latency percentile after which a second attempt starts.')),
      budget_percent: Type.Optional(percent('Hedges allowed relative to requests.')),
    }),
  ),
  rate_limit: Type.Optional(
    strict({
      requests_per_second: Type.Number({ exclusiveMinimum: 0, maximum: 10_000_000, description: 'Sustained rate.' }),
      burst: Type.Optional(integer('Requests allowed at once beyond the rate.', 0, 10_000_000)),
      scope: Type.Optional(oneOf(['route', 'policy'], 'What shares one bucket; default route.')),
      key: Type.Optional(text('Bucket per value of `header:NAME` or `client_ip`.', 300)),
      fleet_wide: Type.Optional(Type.Boolean({ description: 'The rate is divided by the proxies of the fleet.' })),
    }),
  ),
  circuit_breaker: Type.Optional(breaker),
  body_size_limit: Type.Optional(size('Largest request body; default 1Gi.')),
  require_tls: Type.Optional(Type.Boolean({ description: 'Plain HTTP is redirected to HTTPS.' })),
});

const jwt = strict({
  issuer: text('Expected `iss`.', 2048),
  audience: Type.Optional(text('Expected `aud`.', 2048)),
  jwks: Type.Optional(text('URL or file of the key set; default: discovered from the issuer.', 2048)),
});
const headerMap = (description: string) =>
  Type.Record(
    Type.String({ pattern: TOKEN_PATTERN, maxLength: 256 }),
    Type.String({ maxLength: 4096, pattern: '^[ -~\\t]*$' }),
    { maxProperties: 64, additionalProperties: false, description },
  );

const stage = strict({
  type: oneOf(
    ['request_id', 'auth', 'rate_limit', 'header_transform', 'plugin', 'tracing', 'access_log'],
    'What the stage does.',
  ),
  name: Type.Optional(id('plugin: the plugin’s id.')),
  policy_ref: Type.Optional(id('rate_limit: the policy whose rate_limit applies.')),
  config: Type.Optional(
    strict({
      jwt: Type.Optional(jwt),
      add: Type.Optional(headerMap('header_transform: lines added.')),
      set: Type.Optional(headerMap('header_transform: lines replaced.')),
      remove: Type.Optional(
        Type.Array(text('A header name.', 256, TOKEN_PATTERN), {
          maxItems: 64,
          description: 'header_transform: lines removed.',
        }),
      ),
    }),
  ),
});

export const chainSchema = strict({
  id: id('Unique name of the chain.'),
  stages: Type.Array(stage, { maxItems: 32, description: 'Run in this order.' }),
});

export type PoolDoc = Static<typeof poolSchema>;
export type EndpointDoc = Static<typeof endpoint>;
export type PolicyDoc = Static<typeof policySchema>;
export type ChainDoc = Static<typeof chainSchema>;
