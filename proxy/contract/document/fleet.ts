/** Settings of the whole fleet: TLS, listener, plugins, observability. */
import Type, { type Static } from 'typebox';
import { duration, id, integer, oneOf, percent, size, strict, text } from './parts.ts';

const certificate = strict({
  sni: Type.Optional(text('Name it is served for, exact or wildcard; default: the names in the certificate.', 253)),
  cert_file: Type.Optional(text('PEM file of the chain.', 1024)),
  key_file: Type.Optional(text('PEM file of the key.', 1024)),
  secret: Type.Optional(id('Secret (`namespace/name`) with tls.crt and tls.key, instead of files.')),
});
const tlsRoute = strict({
  id: id('The route.'),
  require_mtls: Type.Optional(
    Type.Boolean({ description: 'Only clients with a verified certificate; others get 403.' }),
  ),
  client_ca_secret: Type.Optional(id('Secret (`namespace/name`) with the ca.crt that verifies clients.')),
});

export const tlsSchema = strict({
  certificates: Type.Optional(Type.Array(certificate, { maxItems: 4096 })),
  mtls: Type.Optional(
    strict({
      enabled: Type.Boolean({ description: 'Clients are asked for a certificate.' }),
      ca_file: Type.Optional(text('PEM file of the CAs that verify clients.', 1024)),
      ca_secret: Type.Optional(id('Secret (`namespace/name`) with ca.crt.')),
      require_client_cert: Type.Optional(Type.Boolean({ description: 'Handshakes without one are refused.' })),
    }),
  ),
  routes: Type.Optional(Type.Array(tlsRoute, { maxItems: 50_000 })),
});

export const httpSchema = strict({
  headers_timeout: Type.Optional(duration('Time for a request’s head; default 10s.')),
  body_idle_timeout: Type.Optional(duration('Longest pause within a body; default 30s.')),
  keep_alive_timeout: Type.Optional(duration('Time an idle client connection is kept; default 60s.')),
  max_header_size: Type.Optional(size('Header bytes per request; default 64Ki.')),
  max_headers: Type.Optional(integer('Header lines per request; default 100.', 1, 1000)),
  max_body_size: Type.Optional(size('Largest request body of any route; default 1Gi.')),
  max_connections: Type.Optional(integer('Client connections per thread; default 50000.', 1, 1_000_000)),
  trusted_proxies: Type.Optional(
    Type.Array(text('Address or CIDR whose X-Forwarded-* is believed.', 49), {
      maxItems: 256,
      description: 'Default: none; X-Forwarded-* of other clients is overwritten.',
    }),
  ),
  proxy_protocol: Type.Optional(
    Type.Boolean({ description: 'Connections from trusted_proxies begin with a PROXY protocol header.' }),
  ),
  h2c: Type.Optional(Type.Boolean({ description: 'Take cleartext HTTP/2 with prior knowledge.' })),
});

export const pluginSchema = strict({
  id: id('Unique name of the plugin.'),
  type: oneOf(['external_grpc', 'builtin'], 'Where it runs.'),
  address: Type.Optional(text('external_grpc: `host:port`.', 261)),
  pool: Type.Optional(id('external_grpc: a pool, instead of address.')),
  name: Type.Optional(text('builtin: which one.', 64)),
  config: Type.Optional(
    Type.Record(
      Type.String({ maxLength: 64 }),
      Type.Union([Type.String({ maxLength: 4096 }), Type.Number(), Type.Boolean()]),
      { maxProperties: 64 },
    ),
  ),
  timeout: Type.Optional(duration('Time it may take.')),
  fail_mode: Type.Optional(oneOf(['open', 'closed'], 'What happens when it fails; default closed.')),
});

export const metricsSchema = strict({
  enabled: Type.Optional(Type.Boolean({ description: 'Default true.' })),
  path: Type.Optional(text('Default /metrics.', 256, '^/[A-Za-z0-9/_.-]*$')),
  require_token: Type.Optional(Type.Boolean({ description: 'Scrapes need a bearer token; default false.' })),
  token_env: Type.Optional(text('Environment variable that holds the token.', 128, '^[A-Za-z_][A-Za-z0-9_]*$')),
  token_secret: Type.Optional(id('Secret (`namespace/name`) with key token.')),
  max_series: Type.Optional(integer('Most time series per proxy; default 50000.', 100, 1_000_000)),
});

export const accessLogSchema = strict({
  sampling: Type.Optional(percent('Share of requests logged; errors always are. Default 100.')),
  redact: Type.Optional(
    Type.Array(text('Query parameter whose value is logged as [redacted].', 256), { maxItems: 64 }),
  ),
});

export const tracingSchema = strict({
  endpoint: Type.Optional(text('OTLP/HTTP URL.', 2048)),
  ratio: Type.Optional(percent('Share of requests traced.')),
});

/** The seed’s rollout block in a hand-written document: validated, and ignored with a finding; ProxyRollout is its home. */
export const rolloutSchema = strict({
  stages: Type.Optional(
    Type.Array(
      strict({
        name: text('Name of the stage.', 63),
        fleet_percent: percent('Share of the fleet.'),
        bake_time: Type.Optional(duration('Time it must stay healthy.')),
      }),
      { maxItems: 20 },
    ),
  ),
  health_gates: Type.Optional(
    Type.Array(
      strict({
        metric: oneOf(['error_rate', 'p95_latency'], 'What is measured.'),
        threshold: Type.Union([Type.Number({ minimum: 0 }), text('A duration or percentage.', 32)]),
      }),
      { maxItems: 16 },
    ),
  ),
  auto_rollback: Type.Optional(
    strict({
      error_budget_burn_rate: Type.Optional(Type.Union([Type.Number({ minimum: 0 }), text('Factor such as 10x.', 16)])),
    }),
  ),
});

export type TlsDoc = Static<typeof tlsSchema>;
export type HttpDoc = Static<typeof httpSchema>;
export type PluginDoc = Static<typeof pluginSchema>;
export type MetricsDoc = Static<typeof metricsSchema>;
export type AccessLogDoc = Static<typeof accessLogSchema>;
export type TracingDoc = Static<typeof tracingSchema>;
