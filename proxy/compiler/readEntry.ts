/** One entry by itself: schema, what is not carried out, its own rules, and what it says. References come later. */
import type { Section, SectionValues } from '../contract/document/entries.ts';
import { notImplementedProblems } from './notImplemented.ts';
import type { FleetPlan, HttpPlan, MatchPlan, PoolPlan } from './plan.ts';
import { Problems, type Problem } from './problem.ts';
import { readAccessLog, readHttp, readMetrics, readPolicy, type PolicyPlan } from './readFleet.ts';
import { readPool } from './readPool.ts';
import { readMatches } from './readRoute.ts';
import { schemaProblems } from './schema.ts';

/** What an entry says, before references are followed. */
export type Draft =
  | {
      readonly section: 'routes';
      readonly id: string;
      readonly matches: readonly MatchPlan[];
      readonly pool: string | undefined;
      readonly policy: string | undefined;
    }
  | { readonly section: 'pools'; readonly pool: Omit<PoolPlan, 'object'> }
  | { readonly section: 'policies'; readonly id: string; readonly policy: PolicyPlan }
  | { readonly section: 'traffic_management'; readonly route: string; readonly stablePool: string | undefined }
  | { readonly section: 'http'; readonly http: HttpPlan }
  | { readonly section: 'metrics'; readonly metrics: FleetPlan['metrics'] }
  | { readonly section: 'access_log'; readonly accessLog: FleetPlan['accessLog'] }
  /** Nothing that a plan holds: the entry asks for nothing, or is refused. */
  | { readonly section: 'none' };

export type DraftOf<S extends Draft['section']> = Extract<Draft, { section: S }>;

export interface ReadEntry {
  readonly draft: Draft;
  readonly problems: readonly Problem[];
}

type Reader<S extends Section> = (value: SectionValues[S], problems: Problems) => Draft;

const NOTHING: Draft = { section: 'none' };
const nothing = () => NOTHING;

const READERS: { readonly [S in Section]: Reader<S> } = {
  routes: (route, problems) => ({
    section: 'routes',
    id: route.id,
    matches: readMatches(route, problems),
    pool: route.pool,
    policy: route.policy,
  }),
  pools: (pool, problems) => ({ section: 'pools', pool: readPool(pool, problems) }),
  policies: (policy, problems) => ({ section: 'policies', id: policy.id, policy: readPolicy(policy, problems) }),
  traffic_management: (plan) => ({ section: 'traffic_management', route: plan.route, stablePool: plan.stable_pool }),
  http: (http, problems) => ({ section: 'http', http: readHttp(http, problems) }),
  metrics: (metrics, problems) => ({ section: 'metrics', metrics: readMetrics(metrics, problems) }),
  access_log: (accessLog) => ({ section: 'access_log', accessLog: readAccessLog(accessLog) }),
  middleware: nothing,
  cache: nothing,
  plugins: nothing,
  tls_certificates: nothing,
  tls_routes: nothing,
  tls_mtls: nothing,
  tracing: nothing,
};

/** Reads the value of an entry, which may be anything at all. */
export function readEntry<S extends Section>(section: S, value: unknown): ReadEntry {
  const wrong = schemaProblems(section, value);
  if (wrong.length > 0) return { draft: NOTHING, problems: wrong };
  const problems = new Problems();
  // The schema of the section was checked just above.
  const draft = READERS[section](value as SectionValues[S], problems);
  return { draft, problems: [...notImplementedProblems(section, value), ...problems.list] };
}
