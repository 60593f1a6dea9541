/** UpstreamPool: the upstreams behind a name, how one is picked, and when one is left out. */
import type { Static } from 'typebox';
import { limit } from '../proxy/contract/limits.ts';
import type { KubeObject } from './kind.ts';
import { atomic, duration, integer, list, object, oneOf, optional, text } from './schema.ts';
import { circuitBreaker, clientKey, type FragmentStatus, localRef, objectName, serverName } from './shared.ts';

/** The address itself is checked by the rules, which share a table with the proxy (proxy/contract/address.ts). */
const IPV4_PORT = '[0-9]{1,3}(\\.[0-9]{1,3}){3}:[0-9]{1,5}';
const IPV6_PORT = '\\[[0-9a-fA-F:.]{2,45}\\]:[0-9]{1,5}';

const endpoint = object('One fixed endpoint.', {
  address: text(
    'ip:port or [ipv6]:port. Link-local, metadata, multicast and unspecified addresses and the proxies’ own admin addresses are refused.',
    {
      max: 53,
      pattern: `^(${IPV4_PORT}|${IPV6_PORT})$`,
      syntax: 'an address such as 10.0.1.10:8000 or [fd00::1]:8000',
    },
  ),
  weight: optional(
    integer('Share of requests relative to the other endpoints; 0 takes none.', { min: 0, max: 65_535, default: 100 }),
  ),
});

const balancer = object('How an endpoint is picked.', {
  type: optional(
    oneOf(
      'WeightedRoundRobin: in turn, by weight. LeastRequest: the less busy of two picked at random. ConsistentHash: the same client goes to the same endpoint. Random: by weight, at random.',
      ['WeightedRoundRobin', 'LeastRequest', 'ConsistentHash', 'Random'],
      'WeightedRoundRobin',
    ),
  ),
  hashOn: optional(
    clientKey('What ConsistentHash hashes; not allowed with other types. Default: the client’s address.'),
  ),
  slowStart: optional(
    duration('Time in which a new endpoint comes to its full share. Default: at once.', { min: '1s', max: '15m' }),
  ),
});

const tls = object('TLS towards the endpoints. An empty object means: verify against the system’s CAs.', {
  serverName: optional(
    serverName('Name sent and verified. Default: the Service’s DNS name, or the endpoint’s address.'),
  ),
  caRef: optional(localRef('Secret whose ca.crt verifies the endpoints. Default: the system’s CAs.', 'Secret')),
  clientCertificateRef: optional(
    localRef('Secret of type kubernetes.io/tls with the certificate shown to the endpoints. Default: none.', 'Secret'),
  ),
});

const activeHealth = object('Probes each endpoint.', {
  type: optional(
    oneOf('HTTP: a GET of path. TCP: a connection. GRPC: the gRPC health protocol.', ['HTTP', 'TCP', 'GRPC'], 'HTTP'),
  ),
  interval: optional(duration('Time between two probes of an endpoint.', { min: '100ms', max: '1h', default: '5s' })),
  timeout: optional(
    duration('Time that a probe may take; not longer than interval.', {
      min: '10ms',
      max: '1m',
      default: '1s, or interval where that is shorter',
    }),
  ),
  path: optional(
    text('Path that is probed, with its query. Only for HTTP.', {
      max: 1024,
      pattern: '^/[!-"$-~]*$',
      syntax: 'a path that begins with /',
      default: '/',
    }),
  ),
  expectedStatus: optional(
    list(
      'Statuses that count as healthy. Only for HTTP. Default: 200-399.',
      text('A status or a range.', {
        max: 7,
        pattern: '^[1-5][0-9]{2}(-[1-5][0-9]{2})?$',
        syntax: 'a status such as 204 or a range such as 200-399',
      }),
      { min: 1, max: 16, type: 'set' },
    ),
  ),
  healthyThreshold: optional(
    integer('Successes in a row that bring an endpoint back.', { min: 1, max: 100, default: 2 }),
  ),
  unhealthyThreshold: optional(integer('Failures in a row that take it out.', { min: 1, max: 100, default: 3 })),
});

const passiveHealth = object('Watches real requests.', {
  consecutiveFailures: integer('Failures in a row that eject an endpoint.', { min: 1, max: 10_000 }),
  ejectionDuration: optional(duration('How long it stays out.', { min: '1s', max: '1h', default: '30s' })),
});

const outlierDetection = object('Ejects endpoints that do worse than they should.', {
  consecutiveFailures: optional(
    integer('Failures in a row that eject an endpoint. Default: not by this.', { min: 1, max: 10_000 }),
  ),
  errorRateThreshold: optional(
    integer('Error rate in percent that ejects an endpoint. Default: not by this.', { min: 1, max: 100 }),
  ),
  minRequests: optional(
    integer('Requests in the window before the rate counts.', { min: 1, max: 1_000_000, default: 20 }),
  ),
  maxEjectionPercent: optional(integer('Most endpoints out at once, in percent.', { min: 0, max: 100, default: 50 })),
});

const connections = object('Connections to the endpoints, counted in each thread of a proxy.', {
  max: optional(
    integer('Connections per endpoint; further requests wait for one.', {
      min: 1,
      max: 65_535,
      default: limit('upstreamConnectionsPerEndpoint'),
    }),
  ),
  maxPending: optional(
    integer('Requests that may wait for a connection; the next one gets 503.', {
      min: 0,
      max: 100_000,
      default: limit('upstreamPending'),
    }),
  ),
  maxRequests: optional(
    integer('Requests after which a connection is replaced; 0: never.', { min: 0, max: 10_000_000, default: 0 }),
  ),
  connectTimeout: optional(
    duration('Time to connect, TLS included; 504 when it passes.', { min: '1ms', max: '1m', default: '2s' }),
  ),
  idleTimeout: optional(
    duration('Time an idle connection is kept. Keep it below the upstream’s own.', {
      min: '100ms',
      max: '1h',
      default: '55s',
    }),
  ),
});

export const upstreamPoolSpec = object('What is asked for.', {
  serviceRef: optional(
    atomic('The Service whose ready endpoints are used. Exactly one of serviceRef, endpoints.', {
      name: objectName('Name of the Service, in this object’s namespace. ExternalName Services are refused.'),
      port: integer('Port of the Service.', { min: 1, max: 65_535 }),
    }),
  ),
  endpoints: optional(
    list('Fixed endpoints; with an empty list the routes to this pool answer 503.', endpoint, {
      max: limit('endpointsPerPool'),
      type: { keys: ['address'] },
    }),
  ),
  protocol: optional(
    oneOf(
      'Protocol towards the endpoints. HTTP2 is negotiated in TLS and needs tls; H2C is HTTP/2 without TLS.',
      ['HTTP1', 'HTTP2', 'H2C'],
      'HTTP1',
    ),
  ),
  balancer: optional(balancer),
  tls: optional(tls),
  health: optional(
    object('Which endpoints are fit for requests. When none is, all get a trickle of requests.', {
      active: optional(activeHealth),
      passive: optional(passiveHealth),
    }),
  ),
  outlierDetection: optional(outlierDetection),
  circuitBreaker: optional(circuitBreaker('Stops sending to the pool while it fails; 503 meanwhile.')),
  connections: optional(connections),
});

export type UpstreamPoolSpec = Static<typeof upstreamPoolSpec>;
export type UpstreamPoolStatus = FragmentStatus;
export type UpstreamPool = KubeObject<'UpstreamPool', UpstreamPoolSpec, UpstreamPoolStatus>;
