/** ProxyRoute: which requests go where. One object is one route, with the id `<namespace>/<name>`. */
import type { Static } from 'typebox';
import { limit } from '../proxy/contract/limits.ts';
import type { KubeObject } from './kind.ts';
import {
  atomic,
  boolean,
  duration,
  integer,
  list,
  number,
  object,
  oneOf,
  optional,
  percent,
  size,
  text,
} from './schema.ts';
import { clientKey, type FragmentStatus, host, label, localRef, objectName, poolRef, token } from './shared.ts';

/** Header values without leading or trailing space, which no request can carry (RFC 9110 §5.5). */
const VALUE_PATTERN = '^[!-~]([ -~\\t]*[!-~])?$';

const comparison = (what: string) =>
  optional(
    oneOf(
      `Exact: the ${what} is value. RegularExpression: value (RE2 syntax) matches within it; anchor it with ^ and $. Present: it is there, whatever its value.`,
      ['Exact', 'RegularExpression', 'Present'],
      'Exact',
    ),
  );

const path = object('The path of the request, without its query.', {
  type: optional(
    oneOf(
      'Exact: the whole path. PathPrefix: this path and everything below it, by whole segments: /api matches /api and /api/x, not /apis. RegularExpression: RE2 syntax, matches within the path; anchor it with ^ and $.',
      ['Exact', 'PathPrefix', 'RegularExpression'],
      'PathPrefix',
    ),
  ),
  value: text(
    `The path or expression. A path begins with / and is written as requests carry it: normalised and percent-encoded. An expression has at most ${limit('regexLength')} characters.`,
    { max: 1024 },
  ),
});

const match = object('One way to match; all its conditions must hold. Without any it matches every request.', {
  path: optional(path),
  methods: optional(
    list(
      'Methods that match. Default: every method.',
      text('An HTTP method, in upper case.', {
        max: 32,
        pattern: '^[A-Z][A-Z0-9_-]*$',
        syntax: 'an HTTP method in upper case, such as GET',
      }),
      { min: 1, max: 16, type: 'set' },
    ),
  ),
  headers: optional(
    list(
      'Conditions on headers. Several lines of one name are compared as one value, joined with ", " (RFC 9110 §5.3).',
      object('A condition on one header.', {
        name: token('Name of the header, whatever its case.'),
        type: comparison('header’s value'),
        value: optional(
          text('The value or expression. Required unless the type is Present.', {
            max: 1024,
            pattern: VALUE_PATTERN,
            syntax: 'printable ASCII without space at either end',
          }),
        ),
      }),
      { max: limit('conditionsPerMatch'), type: { keys: ['name'] } },
    ),
  ),
  queryParams: optional(
    list(
      'Conditions on query parameters. The first value of a repeated parameter counts.',
      object('A condition on one query parameter.', {
        name: text('Name of the parameter, decoded; its case matters.', { max: 256 }),
        type: comparison('parameter’s value'),
        value: optional(
          text('The decoded value or expression. Required unless the type is Present.', { min: 0, max: 1024 }),
        ),
      }),
      { max: limit('conditionsPerMatch'), type: { keys: ['name'] } },
    ),
  ),
});

const tls = object('TLS towards clients, for the hosts of this route.', {
  certificateRefs: optional(
    list(
      'Secrets of type kubernetes.io/tls that serve the hosts of this route; each must cover them. Default: the fleet’s certificates.',
      object('A Secret.', { name: objectName('Name of the Secret, in this object’s namespace.') }),
      { max: 16, type: { keys: ['name'] } },
    ),
  ),
  clientCaRef: optional(localRef('Secret whose ca.crt verifies client certificates. Default: the fleet’s.', 'Secret')),
  requireMtls: optional(
    boolean(
      'Only clients with a verified certificate; others get 403, and 421 where the name in the handshake is another host.',
      false,
    ),
  ),
});

const canary = object('Sends a share of the requests to another pool.', {
  poolRef: poolRef('The pool of the canary.'),
  weight: integer('Share of requests in percent that go to the canary.', { min: 0, max: 100 }),
  brake: optional(
    object('Takes the canary’s share back by itself when it does badly.', {
      maxErrorRate: optional(percent('Error rate of the canary that stops it.')),
      maxLatencyRatio: optional(
        number('Latency of the canary over that of the stable pool that stops it, such as 1.5.', { min: 1, max: 1000 }),
      ),
      minRequests: optional(
        integer('Requests seen by the canary before the brake decides.', { min: 1, max: 1_000_000, default: 100 }),
      ),
    }),
  ),
});

const cohorts = object(
  'Sends the requests of one user to the same pool every time; goes before canary. Requests without a cohort go on as without this field.',
  {
    header: optional(token('Header that names the cohort. Exactly one of header, cookie, hash.')),
    cookie: optional(token('Cookie that names the cohort.')),
    hash: optional(clientKey('What is hashed, to spread users evenly over the mappings.')),
    mappings: list(
      'Pool by cohort.',
      object('One cohort.', {
        value: text('Value of the header or cookie; with hash, just the name of the cohort.', {
          max: 256,
          pattern: VALUE_PATTERN,
          syntax: 'printable ASCII without space at either end',
        }),
        poolRef: poolRef('The pool of the cohort.'),
      }),
      { min: 1, max: 64, type: { keys: ['value'] } },
    ),
  },
);

const mirror = object('Sends copies of requests to another pool; its answers are thrown away.', {
  poolRef: poolRef('The pool that gets the copies.'),
  percent: optional(integer('Share of requests in percent that are copied.', { min: 0, max: 100, default: 100 })),
});

const overload = object('Bounds the requests of this route in each proxy.', {
  maxConcurrent: integer('Requests in flight at once; with adaptive, the most there may ever be.', {
    min: 1,
    max: 1_000_000,
  }),
  queueSize: optional(integer('Requests that may wait; the next one gets 503.', { min: 0, max: 100_000, default: 0 })),
  queueTimeout: optional(
    duration('How long one may wait before it gets 503. Needs queueSize.', { min: '1ms', max: '1m', default: '1s' }),
  ),
  adaptive: optional(boolean('Lower maxConcurrent while measured latency grows.', false)),
  priority: optional(
    integer('When the proxy itself is overloaded, routes of lower priority are shed first.', {
      min: 0,
      max: 100,
      default: 50,
    }),
  ),
});

const cache = object('Caches responses. Off unless asked for.', {
  enabled: boolean('Turns the cache of this route on.', false),
  ttl: optional(
    duration(
      'How long a response without freshness of its own (RFC 9111 §4.2) is kept. Default: such responses are not cached.',
      { min: '1s', max: '8760h' },
    ),
  ),
  varyHeaders: optional(
    list('Request headers that are part of the key, beside those of Vary.', token('Name of a header.'), {
      max: 16,
      type: 'set',
    }),
  ),
  maxSize: optional(size('Largest body that is cached.', { min: '1', max: '64Mi', default: '1Mi' })),
  authAware: optional(
    boolean(
      'Requests with credentials may be answered from the cache, each by the entries of its own credentials.',
      false,
    ),
  ),
  coalesce: optional(boolean('Concurrent misses of one key wait for one fetch.', false)),
  coalesceTimeout: optional(
    duration('How long a request waits for another’s fetch before it fetches by itself. Needs coalesce.', {
      min: '1ms',
      max: '1m',
      default: '5s',
    }),
  ),
});

export const proxyRouteSpec = object('What is asked for.', {
  fleetRef: optional(
    atomic('The ProxyRollout whose proxies serve the route. Default: the operator’s default fleet, if it has one.', {
      name: objectName('Name of the ProxyRollout.'),
      namespace: optional(label('Namespace of the ProxyRollout.', 'this object’s namespace')),
    }),
  ),
  hosts: optional(
    list(
      'Hosts of the route, at least one unless there are hostRegexes. A host belongs to the namespace of its oldest accepted route, and so do the names below a wildcard, unless the fleet’s hostClaims say otherwise.',
      host('An exact name; *.example.com for the names below example.com; or * for every host, which needs a claim.'),
      { max: limit('hostsPerRoute'), type: 'set' },
    ),
  ),
  hostRegexes: optional(
    list(
      'Expressions over the whole host, tried after exact and wildcard hosts. They need a claim in the fleet’s hostClaims.',
      text('An expression in RE2 syntax.', { max: limit('regexLength') }),
      { max: 16, type: 'set' },
    ),
  ),
  matches: optional(
    list('Ways to match; any of them will do. Default: every request to the hosts.', match, {
      max: limit('matchesPerRoute'),
      type: 'atomic',
    }),
  ),
  poolRef: poolRef('The pool that answers.'),
  policyRef: optional(
    localRef(
      'The policy that applies: timeouts, retries, limits. Default: none, so the defaults of its fields.',
      'TrafficPolicy',
    ),
  ),
  middlewareRef: optional(
    localRef(
      'A policy whose middleware applies instead of that of policyRef; chains are never merged.',
      'TrafficPolicy',
    ),
  ),
  tls: optional(tls),
  canary: optional(canary),
  cohorts: optional(cohorts),
  mirror: optional(mirror),
  overload: optional(overload),
  cache: optional(cache),
});

export type ProxyRouteSpec = Static<typeof proxyRouteSpec>;
export type ProxyRouteStatus = FragmentStatus;
export type ProxyRoute = KubeObject<'ProxyRoute', ProxyRouteSpec, ProxyRouteStatus>;
export type RouteMatch = Static<typeof match>;
