/** The table of kinds: what `kubectl` sees of each. Schemas are in one file per kind, rules in `rules/`. */
import { FRAGMENT_CONDITIONS, ROLLOUT_CONDITIONS, ROUTE_CONDITIONS } from './conditions.ts';
import type { KindDefinition, PrinterColumn } from './kind.ts';
import { proxyRolloutSpec, proxyRolloutStatus, type ProxyRollout } from './proxyRollout.ts';
import { proxyRouteSpec, type ProxyRoute } from './proxyRoute.ts';
import { proxyRolloutRules } from './rules/proxyRollout.ts';
import { proxyRouteRules } from './rules/proxyRoute.ts';
import { trafficPolicyRules } from './rules/trafficPolicy.ts';
import { upstreamPoolRules } from './rules/upstreamPool.ts';
import { fragmentStatus } from './shared.ts';
import { trafficPolicySpec, type TrafficPolicy } from './trafficPolicy.ts';
import { upstreamPoolSpec, type UpstreamPool } from './upstreamPool.ts';

/** The object type of each kind. */
export interface KindObjects {
  ProxyRoute: ProxyRoute;
  UpstreamPool: UpstreamPool;
  TrafficPolicy: TrafficPolicy;
  ProxyRollout: ProxyRollout;
}
export type Kind = keyof KindObjects;

function conditionColumn(name: string, type: string, field: 'status' | 'reason', description: string): PrinterColumn {
  return { name, type: 'string', jsonPath: `.status.conditions[?(@.type=="${type}")].${field}`, description };
}

const AGE: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since it was created.',
};

/** Columns of the kinds that become a fragment, around the wide ones of each. */
function fragmentColumns(...wide: readonly PrinterColumn[]): readonly PrinterColumn[] {
  return [
    conditionColumn('Accepted', 'Accepted', 'status', 'Whether the spec is taken.'),
    conditionColumn('Reason', 'Accepted', 'reason', 'Why.'),
    conditionColumn('Programmed', 'Programmed', 'status', 'Whether the fleet runs this version.'),
    AGE,
    ...wide,
    { name: 'Fragment', type: 'string', jsonPath: '.status.fragmentDigest', description: 'Digest.', priority: 1 },
  ];
}

const wide = (name: string, jsonPath: string, description: string): PrinterColumn => ({
  name,
  type: 'string',
  jsonPath,
  description,
  priority: 1,
});

export const KINDS: { readonly [K in Kind]: KindDefinition<K> } = {
  ProxyRoute: {
    kind: 'ProxyRoute',
    plural: 'proxyroutes',
    singular: 'proxyroute',
    shortNames: ['prt'],
    description:
      'A ProxyRoute says which requests go to which pool, and how. One object is one route, with the id namespace/name in metrics and logs.',
    columns: fragmentColumns(
      wide('Hosts', '.spec.hosts', 'Hosts of the route.'),
      wide('Pool', '.spec.poolRef.name', 'Pool that answers.'),
    ),
    spec: proxyRouteSpec,
    status: fragmentStatus,
    rules: proxyRouteRules,
    conditions: ROUTE_CONDITIONS,
  },
  UpstreamPool: {
    kind: 'UpstreamPool',
    plural: 'upstreampools',
    singular: 'upstreampool',
    shortNames: ['upool'],
    description:
      'An UpstreamPool is a set of endpoints that answer alike: which they are, how one is picked, and when one is left out.',
    columns: fragmentColumns(
      wide('Service', '.spec.serviceRef.name', 'Service whose endpoints are used.'),
      wide('Protocol', '.spec.protocol', 'Protocol towards the endpoints.'),
    ),
    spec: upstreamPoolSpec,
    status: fragmentStatus,
    rules: upstreamPoolRules,
    conditions: FRAGMENT_CONDITIONS,
  },
  TrafficPolicy: {
    kind: 'TrafficPolicy',
    plural: 'trafficpolicies',
    singular: 'trafficpolicy',
    shortNames: ['tpol'],
    description:
      'A TrafficPolicy holds timeouts, retries, limits and middleware. It applies to the routes that name it, and to no other.',
    columns: fragmentColumns(wide('Timeout', '.spec.timeout', 'Whole time for an answer.')),
    spec: trafficPolicySpec,
    status: fragmentStatus,
    rules: trafficPolicyRules,
    conditions: FRAGMENT_CONDITIONS,
  },
  ProxyRollout: {
    kind: 'ProxyRollout',
    plural: 'proxyrollouts',
    singular: 'proxyrollout',
    shortNames: ['prollout'],
    description:
      'A ProxyRollout is a fleet of proxies: its settings, and how changes go through it. It is long-lived, one per fleet; its namespace and name are the fleet’s.',
    columns: [
      { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'Summary of the conditions.' },
      { name: 'Stage', type: 'string', jsonPath: '.status.summary.stage', description: 'Stage of the candidate.' },
      { name: 'Candidate', type: 'string', jsonPath: '.status.summary.candidate', description: 'What is being tried.' },
      { name: 'Stable', type: 'string', jsonPath: '.status.summary.stable', description: 'What the fleet runs.' },
      {
        name: 'Proxies',
        type: 'string',
        jsonPath: '.status.summary.proxies',
        description: 'Proxies that run what they are meant to, of all.',
      },
      AGE,
      wide('Rejected', '.status.rejectedDigest', 'What failed last.'),
      { ...conditionColumn('Accepted', 'Accepted', 'status', 'Whether the spec is taken.'), priority: 1 },
      { ...conditionColumn('Reason', 'Accepted', 'reason', 'Why.'), priority: 1 },
    ],
    spec: proxyRolloutSpec,
    status: proxyRolloutStatus,
    rules: proxyRolloutRules,
    conditions: ROLLOUT_CONDITIONS,
  },
};
