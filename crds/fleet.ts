/** `spec.fleet` of a ProxyRollout: settings of the whole fleet. They are part of the bundle, and staged like routes. */
import { limit } from '../proxy/contract/limits.ts';
import { boolean, duration, integer, list, object, oneOf, optional, percent, size, text, textMap } from './schema.ts';
import { host, label, localRef, namespaces, poolRef, serverName } from './shared.ts';

const hostClaim = object('Gives a host to namespaces, whichever route is older.', {
  host: host(
    'The host as routes name it. A wildcard also covers the names below it that have no claim of their own. A claim of * is what routes with the host * and with hostRegexes need; it covers no other host.',
  ),
  namespaces: list('The only namespaces whose routes may use it.', label('Name of a namespace.'), {
    min: 1,
    max: 64,
    type: 'set',
  }),
});

const tls = object('TLS towards clients.', {
  certificates: optional(
    list(
      'Certificates beside those of the routes.',
      object('A certificate.', {
        secretRef: localRef('Secret of type kubernetes.io/tls.', 'Secret'),
        sni: optional(serverName('Name that it is served for. Default: the names in the certificate.')),
      }),
      { max: 64, type: 'atomic' },
    ),
  ),
  mtls: optional(
    object('Client certificates.', {
      enabled: boolean('Clients are asked for a certificate.', false),
      caRef: optional(localRef('Secret whose ca.crt verifies them. Required where enabled.', 'Secret')),
      requireClientCert: optional(
        boolean('Handshakes without one are refused, whatever the route. Otherwise each route decides.', false),
      ),
    }),
  ),
});

const timeouts = object('Times that a client may take.', {
  headers: optional(
    duration('Time for a request’s head; 408 when it passes.', { min: '100ms', max: '5m', default: '10s' }),
  ),
  bodyIdle: optional(
    duration('Longest pause within a body; 408 when it passes.', { min: '100ms', max: '1h', default: '30s' }),
  ),
  keepAlive: optional(
    duration('Time that an idle client connection is kept.', { min: '100ms', max: '1h', default: '60s' }),
  ),
});

const limits = object('Sizes and counts that a client may use.', {
  headerSize: optional(size('Header bytes of a request; 431 beyond it.', { min: '1Ki', max: '1Mi', default: '64Ki' })),
  headerCount: optional(
    integer('Header lines of a request; 431 beyond it.', { min: 10, max: 1000, default: limit('headerCount') }),
  ),
  bodySize: optional(
    size('Largest request body of any route; 413 beyond it.', { min: '0', max: '1Gi', default: '1Gi' }),
  ),
  connections: optional(
    integer('Client connections per thread of a proxy; further ones are closed at once.', {
      min: 1,
      max: 1_000_000,
      default: limit('connectionsPerThread'),
    }),
  ),
});

const http = object('The listeners. Their ports are flags of the proxy.', {
  timeouts: optional(timeouts),
  limits: optional(limits),
  trustedProxies: optional(
    list(
      'Peers whose X-Forwarded-* is believed; everybody else’s is overwritten. Default: none.',
      text('An address or a CIDR range.', {
        max: 49,
        pattern: '^[0-9a-fA-F:.]+(/[0-9]{1,3})?$',
        syntax: 'an address or CIDR range such as 10.0.0.0/8 or fd00::/8',
      }),
      { max: 256, type: 'set' },
    ),
  ),
  proxyProtocol: optional(
    boolean('Connections from trustedProxies begin with a PROXY protocol header. Needs trustedProxies.', false),
  ),
  h2c: optional(boolean('Take cleartext HTTP/2 with prior knowledge.', false)),
});

const NAME_LABEL = '[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?';

const plugin = object('An external filter. Middleware names it.', {
  name: label('Name of the plugin.'),
  type: oneOf('ExternalGrpc: a gRPC service, at address or poolRef. Builtin: part of the proxy, named by builtin.', [
    'ExternalGrpc',
    'Builtin',
  ]),
  address: optional(
    text('host:port of the service. Exactly one of address, poolRef; only for ExternalGrpc.', {
      max: 259,
      pattern: `^(${NAME_LABEL}(\\.${NAME_LABEL})*|\\[[0-9a-fA-F:.]{2,45}\\]):[0-9]{1,5}$`,
      syntax: 'host:port',
    }),
  ),
  poolRef: optional(poolRef('The pool of the service. Only for ExternalGrpc.')),
  builtin: optional(
    text('Which one. Only for Builtin.', {
      max: 64,
      pattern: '^[A-Za-z][A-Za-z0-9_]*$',
      syntax: 'a name of letters, digits and underscores',
    }),
  ),
  config: optional(textMap('Settings that are handed to the plugin.', { max: 64, valueMax: 4096 })),
  timeout: optional(duration('Time that it may take for a request.', { min: '1ms', max: '1m', default: '50ms' })),
  failMode: optional(
    oneOf(
      'What happens to a request when the plugin fails or takes too long. Closed: 503. Open: it goes on.',
      ['Open', 'Closed'],
      'Closed',
    ),
  ),
  allowedNamespaces: optional(namespaces('Namespaces whose policies may name it.', 'All')),
});

const metrics = object('Prometheus metrics of the proxies.', {
  enabled: optional(boolean('Serve metrics.', true)),
  path: optional(
    text('Path they are served at.', {
      max: 256,
      pattern: '^/[A-Za-z0-9/_.-]*$',
      syntax: 'a path that begins with /',
      default: '/metrics',
    }),
  ),
  requireToken: optional(boolean('Scrapes need a bearer token. Needs tokenSecretRef.', false)),
  tokenSecretRef: optional(localRef('Secret whose key token holds it.', 'Secret')),
  maxSeries: optional(
    integer('Most time series of a proxy; further ones are folded into route="other".', {
      min: 100,
      max: 1_000_000,
      default: limit('metricSeries'),
    }),
  ),
});

export const fleet = object('Settings of the whole fleet. They are part of the bundle, and staged like routes.', {
  allowedNamespaces: optional(namespaces('Namespaces whose routes the fleet takes.', 'Same')),
  hostClaims: optional(
    list('Hosts that are not first come, first served.', hostClaim, { max: 256, type: { keys: ['host'] } }),
  ),
  tls: optional(tls),
  http: optional(http),
  plugins: optional(list('External filters.', plugin, { max: 32, type: { keys: ['name'] } })),
  metrics: optional(metrics),
  accessLog: optional(
    object('The access log of the proxies.', {
      sampling: optional(percent('Share of requests that are logged; errors always are.', '100%')),
      redact: optional(
        list('Query parameters whose values are logged as [redacted].', text('Name of a parameter.', { max: 256 }), {
          max: 64,
          type: 'set',
        }),
      ),
    }),
  ),
  tracing: optional(
    object('OpenTelemetry traces of the proxies.', {
      endpoint: text('URL of an OTLP/HTTP collector.', {
        max: 2048,
        pattern: '^https?://[!-~]+$',
        syntax: 'a URL such as http://otel-collector:4318',
      }),
      ratio: optional(percent('Share of requests that are traced where the client has not decided.', '1%')),
    }),
  ),
});
