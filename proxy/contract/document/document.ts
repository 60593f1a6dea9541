/**
 * The document: the proxy's one input language. People write it by hand (JSON or YAML) for a standalone proxy; the
 * operator produces it from objects. One schema validates both.
 */
import Type, { type Static } from 'typebox';
import { limit } from '../limits.ts';
import {
  accessLogSchema,
  httpSchema,
  metricsSchema,
  pluginSchema,
  rolloutSchema,
  tlsSchema,
  tracingSchema,
} from './fleet.ts';
import { chainSchema, policySchema, poolSchema } from './pools.ts';
import { cacheSchema, routeSchema, trafficSchema } from './routes.ts';

/** The language's version; a bundle names the one it needs, a proxy the ones it runs. */
export const DOCUMENT_VERSION = 1;

const list = <T extends Type.TSchema>(item: T, description: string) =>
  Type.Optional(Type.Array(item, { maxItems: 2 * limit('objects'), description }));

export const documentSchema = Type.Object(
  {
    version: Type.Optional(Type.Literal(DOCUMENT_VERSION, { description: 'Version of this language.' })),
    routes: list(routeSchema, 'Which requests go where.'),
    pools: list(poolSchema, 'The upstreams.'),
    policies: list(policySchema, 'Timeouts, limits and protection, named by routes.'),
    traffic_management: list(trafficSchema, 'Canaries, cohorts, mirrors and overload protection by route.'),
    middleware: list(chainSchema, 'Chains of stages, named by routes.'),
    cache: list(cacheSchema, 'Response caching by route; off unless asked for.'),
    plugins: list(pluginSchema, 'External filters.'),
    tls: Type.Optional(tlsSchema),
    http: Type.Optional(httpSchema),
    metrics: Type.Optional(metricsSchema),
    access_log: Type.Optional(accessLogSchema),
    tracing: Type.Optional(tracingSchema),
    rollout: Type.Optional(rolloutSchema),
  },
  { additionalProperties: false, description: 'Configuration of a modern-reverse-proxy.' },
);

export type Document = Static<typeof documentSchema>;
