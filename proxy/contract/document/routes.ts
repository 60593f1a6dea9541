/** Routes: which requests, and where they go. */
import Type, { type Static } from 'typebox';
import { limit } from '../limits.ts';
import { id, integer, oneOf, PATH_PATTERN, percent, size, strict, text, TOKEN_PATTERN, duration } from './parts.ts';

const hostText = text(
  'A hostname (`api.example.com`), a wildcard for one or more labels (`*.example.com`), `*` for every host, or, if it is neither, a regular expression over the whole host. Without a host a route takes every host.',
  limit('regexLength'),
);

/** How a header or query parameter is compared: text is an exact match. */
const condition = Type.Union([
  Type.String({ maxLength: 4096, description: 'The exact value.' }),
  strict({
    type: oneOf(['exact', 'regex', 'present'], 'How the value is compared.'),
    value: Type.Optional(Type.String({ maxLength: 4096 })),
  }),
]);

const headers = Type.Record(Type.String({ pattern: TOKEN_PATTERN, maxLength: 256 }), condition, {
  maxProperties: limit('conditionsPerMatch'),
  additionalProperties: false,
  description:
    'Header conditions by name (case-insensitive); all must hold. Several lines of one name are compared as one value, joined with ", " (RFC 9110 §5.3).',
});
const query = Type.Record(Type.String({ minLength: 1, maxLength: 256 }), condition, {
  maxProperties: limit('conditionsPerMatch'),
  additionalProperties: false,
  description:
    'Query parameter conditions by name (case-sensitive); all must hold. The first value of a repeated name counts.',
});
const methods = Type.Array(text('An HTTP method.', 32, TOKEN_PATTERN), {
  minItems: 1,
  maxItems: 16,
  uniqueItems: true,
  description: 'Methods that match; default: every method.',
});
const path = text('Matches exactly this path.', 1024, PATH_PATTERN);
const pathPrefix = text(
  'Matches this path and everything below it, by whole segments: `/api` matches `/api` and `/api/x`, not `/apis`.',
  1024,
  PATH_PATTERN,
);
const pathRegex = text(
  'A regular expression (RE2 syntax) over the path; anchor it with ^ and $ to match the whole path.',
  limit('regexLength'),
);

const matchSchema = strict(
  {
    hosts: Type.Optional(
      Type.Array(hostText, {
        minItems: 1,
        maxItems: limit('hostsPerRoute'),
        description: 'Narrows the route’s hosts for this match.',
      }),
    ),
    path: Type.Optional(path),
    path_prefix: Type.Optional(pathPrefix),
    path_regex: Type.Optional(pathRegex),
    methods: Type.Optional(methods),
    headers: Type.Optional(headers),
    query: Type.Optional(query),
  },
  'One way to match; at most one of path, path_prefix, path_regex.',
);

export const routeSchema = strict({
  id: id('Unique name of the route; the `route` label of metrics and logs.'),
  host: Type.Optional(hostText),
  hosts: Type.Optional(
    Type.Array(hostText, {
      minItems: 1,
      maxItems: limit('hostsPerRoute'),
      description: 'Several hosts, instead of host.',
    }),
  ),
  path: Type.Optional(path),
  path_prefix: Type.Optional(pathPrefix),
  path_regex: Type.Optional(pathRegex),
  methods: Type.Optional(methods),
  headers: Type.Optional(headers),
  query: Type.Optional(query),
  matches: Type.Optional(
    Type.Array(matchSchema, {
      minItems: 1,
      maxItems: limit('matchesPerRoute'),
      description: 'Several ways to match, instead of the fields above: any of them.',
    }),
  ),
  pool: Type.Optional(id('The pool that answers. Required unless traffic_management names a stable_pool.')),
  policy: Type.Optional(id('The policy that applies.')),
  middleware: Type.Optional(id('The middleware chain that applies.')),
});

export const trafficSchema = strict({
  route: id('The route this plan belongs to.'),
  stable_pool: Type.Optional(id('The pool of the stable variant; default: the route’s pool.')),
  canary_pool: Type.Optional(id('The pool of the canary variant.')),
  canary_weight: Type.Optional(percent('Share of requests that go to the canary.')),
  brake: Type.Optional(
    strict(
      {
        max_error_rate: Type.Optional(percent('The canary’s error rate that stops it.')),
        max_latency_ratio: Type.Optional(
          Type.Number({ minimum: 1, maximum: 1000, description: 'Canary latency over stable latency that stops it.' }),
        ),
        min_requests: Type.Optional(integer('Requests seen before the brake decides.', 1, 1_000_000)),
      },
      'Stops the canary by itself.',
    ),
  ),
  cohort_routing: Type.Optional(
    strict(
      {
        header: Type.Optional(text('Header that names the cohort.', 256, TOKEN_PATTERN)),
        cookie: Type.Optional(text('Cookie that names the cohort.', 256, TOKEN_PATTERN)),
        hash: Type.Optional(text('Header or cookie hashed to a cohort (`header:NAME`, `cookie:NAME`).', 300)),
        mappings: Type.Record(Type.String({ minLength: 1, maxLength: 256 }), id('A pool.'), {
          maxProperties: 64,
          description: 'Pool by cohort.',
        }),
      },
      'Routes a user’s requests to the same variant every time.',
    ),
  ),
  mirror: Type.Optional(
    strict(
      { pool: id('The pool that receives copies.'), percent: percent('Share of requests copied.') },
      'Copies requests; answers are thrown away.',
    ),
  ),
  overload_protection: Type.Optional(
    strict(
      {
        max_concurrent: integer('Requests of this route in flight at once.', 1, 1_000_000),
        queue_size: Type.Optional(integer('Requests that may wait.', 0, 100_000)),
        queue_timeout: Type.Optional(duration('How long one may wait.')),
        adaptive: Type.Optional(Type.Boolean({ description: 'Adapt max_concurrent to measured latency.' })),
        priority: Type.Optional(integer('Which route is shed first: lower first.', 0, 100)),
      },
      'Bounds concurrency.',
    ),
  ),
});

export const cacheSchema = strict({
  route: id('The route whose responses may be cached.'),
  enabled: Type.Optional(Type.Boolean({ description: 'Default false.' })),
  ttl: Type.Optional(duration('How long a response without its own freshness is kept.')),
  vary_headers: Type.Optional(
    Type.Array(text('A header name.', 256, TOKEN_PATTERN), {
      maxItems: 16,
      uniqueItems: true,
      description: 'Request headers that are part of the key.',
    }),
  ),
  max_size: Type.Optional(size('Largest body that is cached.')),
  auth_aware: Type.Optional(Type.Boolean({ description: 'Requests with credentials may be cached, by credentials.' })),
  coalesce: Type.Optional(Type.Boolean({ description: 'Concurrent misses wait for one fetch.' })),
  coalesce_timeout: Type.Optional(duration('How long a waiter waits before it fetches by itself.')),
});

export type RouteDoc = Static<typeof routeSchema>;
export type MatchDoc = Static<typeof matchSchema>;
export type ConditionDoc = Static<typeof condition>;
export type TrafficDoc = Static<typeof trafficSchema>;
export type CacheDoc = Static<typeof cacheSchema>;
