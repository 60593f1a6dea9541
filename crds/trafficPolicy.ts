/** TrafficPolicy: timeouts, retries, limits and middleware, named by routes. */
import type { Static } from 'typebox';
import type { KubeObject } from './kind.ts';
import { boolean, duration, integer, list, object, oneOf, optional, size, text } from './schema.ts';
import { circuitBreaker, clientKey, type FragmentStatus, label, localRef, token } from './shared.ts';

const retries = object('Tries again what may be tried again.', {
  maxAttempts: integer('Attempts in all, the first one included.', { min: 1, max: 10 }),
  budgetPercent: optional(
    integer('Retries allowed in percent of the route’s successful requests, so that retries cannot become a storm.', {
      min: 0,
      max: 100,
      default: 10,
    }),
  ),
  idempotentOnly: optional(
    boolean('Retry only idempotent methods (RFC 9110 §9.2.2); failures to connect are retried for all.', true),
  ),
  backoff: optional(
    duration('Base of the wait before a retry; doubled each time, with jitter.', {
      min: '1ms',
      max: '1m',
      default: '25ms',
    }),
  ),
});

const hedging = object(
  'Sends a second attempt of a safe request when the first one is slow. Exactly one of delay, percentile.',
  {
    delay: optional(duration('Time after which the second attempt starts.', { min: '1ms', max: '1m' })),
    percentile: optional(
      integer('Percentile of the route’s latency after which the second attempt starts, such as 95.', {
        min: 50,
        max: 99,
      }),
    ),
    budgetPercent: optional(
      integer('Second attempts allowed in percent of requests.', { min: 0, max: 100, default: 10 }),
    ),
  },
);

const rateLimit = object('Requests beyond the rate get 429.', {
  requestsPerSecond: integer('Sustained rate.', { min: 1, max: 10_000_000 }),
  burst: optional(integer('Requests that may come at once beyond the rate.', { min: 0, max: 10_000_000, default: 0 })),
  scope: optional(
    oneOf(
      'What shares one bucket. Route: each route by itself. Policy: all routes of this policy together.',
      ['Route', 'Policy'],
      'Route',
    ),
  ),
  key: optional(clientKey('A bucket for each value of this. Default: one bucket for all clients.')),
  fleetWide: optional(
    boolean(
      'The rate is that of the whole fleet: each ready proxy takes its share. Otherwise every proxy takes it all.',
      false,
    ),
  ),
});

const jwt = object('Requires a bearer token (RFC 7519).', {
  issuer: text('Expected issuer (iss).', {
    max: 1024,
    pattern: '^https?://[!-~]+$',
    syntax: 'a URL such as https://auth.example.com',
  }),
  audience: optional(
    text('Expected audience (aud). Default: any.', {
      max: 1024,
      pattern: '^[!-~]+$',
      syntax: 'printable ASCII without spaces',
    }),
  ),
  jwks: optional(
    text('URL of the key set. Default: found through the issuer’s /.well-known/openid-configuration.', {
      max: 2048,
      pattern: '^https?://[!-~]+$',
      syntax: 'a URL such as https://auth.example.com/jwks.json',
    }),
  ),
});

const headerLine = object('One header.', {
  name: token('Name of the header. Headers that frame the message or belong to one connection, and Host, are refused.'),
  value: text('Value of the header.', {
    min: 0,
    max: 4096,
    pattern: '^([!-~]([ -~\\t]*[!-~])?)?$',
    syntax: 'printable ASCII without space at either end',
  }),
});

const middleware = object('One stage; its type says which of the other fields it takes.', {
  type: oneOf(
    'RequestId: gives every request an id. Auth: takes jwt. RateLimit: takes policyRef. HeaderTransform: takes add, set, remove. Plugin: takes name. Tracing: traces the stages after it. AccessLog: logs the request.',
    ['RequestId', 'Auth', 'RateLimit', 'HeaderTransform', 'Plugin', 'Tracing', 'AccessLog'],
  ),
  jwt: optional(jwt),
  policyRef: optional(localRef('The policy whose rateLimit applies.', 'TrafficPolicy')),
  add: optional(
    list('Header lines added to the request, beside those that are there.', headerLine, {
      max: 16,
      type: { keys: ['name'] },
    }),
  ),
  set: optional(
    list('Header lines that replace those of the same name.', headerLine, { max: 16, type: { keys: ['name'] } }),
  ),
  remove: optional(list('Headers taken out of the request.', token('Name of a header.'), { max: 32, type: 'set' })),
  name: optional(label('Name of a plugin of the fleet.')),
});

export const trafficPolicySpec = object('What is asked for.', {
  timeout: optional(
    duration('Whole time for the upstream to answer, retries included; 504 when it passes.', {
      min: '1ms',
      max: '24h',
      default: '60s',
    }),
  ),
  perTryTimeout: optional(
    duration('Time for one attempt; not longer than timeout. Default: only timeout applies.', {
      min: '1ms',
      max: '24h',
    }),
  ),
  retries: optional(retries),
  hedging: optional(hedging),
  rateLimit: optional(rateLimit),
  circuitBreaker: optional(
    circuitBreaker(
      'Stops sending to a pool while it fails for the routes of this policy; the pool’s own breaker applies too.',
    ),
  ),
  bodySizeLimit: optional(size('Largest request body; 413 beyond it.', { min: '0', max: '1Gi', default: '1Gi' })),
  requireTls: optional(boolean('Plain HTTP is redirected to HTTPS.', false)),
  middleware: optional(list('Stages that a request passes, in this order.', middleware, { max: 32, type: 'atomic' })),
});

export type TrafficPolicySpec = Static<typeof trafficPolicySpec>;
export type TrafficPolicyStatus = FragmentStatus;
export type TrafficPolicy = KubeObject<'TrafficPolicy', TrafficPolicySpec, TrafficPolicyStatus>;
export type Middleware = Static<typeof middleware>;
