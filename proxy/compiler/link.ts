/** Follows the references between entries: from what each says by itself to the plan. */
import type { Entry } from '../contract/document/entries.ts';
import type { Claims } from './conflicts.ts';
import { sameData } from './diff.ts';
import type { KnownEntries } from './known.ts';
import type { FleetPlan, Plan, PoolPlan, RoutePlan } from './plan.ts';
import { Problems, type Problem } from './problem.ts';
import type { DraftOf } from './readEntry.ts';
import { DEFAULT_POLICY, readAccessLog, readHttp, readMetrics, type PolicyPlan } from './readFleet.ts';

export type Report = (entry: Entry, problem: Problem) => void;

interface Linked {
  readonly plan: Plan;
  readonly claimed: readonly { readonly plan: RoutePlan; readonly claims: Claims }[];
}

/** The plan of all entries. Parts that are as in `before` are the same objects. */
export function linkEntries(known: KnownEntries, before: Plan | undefined, report: Report): Linked {
  const fleet = fleetPlan(known, before?.fleet);
  const pools = new Map<string, PoolPlan>();
  for (const { entry } of known.of('pools')) {
    const plan = poolPlan(entry, known, before?.pools.get(entry.id));
    if (plan !== undefined) pools.set(entry.id, plan);
  }
  const routes = new Map<string, RoutePlan>();
  const claimed: { plan: RoutePlan; claims: Claims }[] = [];
  for (const { entry, draft, claims } of known.of('routes')) {
    if (draft.section !== 'routes' || claims === undefined) continue;
    const plan = keptRoute(before?.routes.get(entry.id), routePlan(entry, draft, known, fleet, report));
    routes.set(entry.id, plan);
    claimed.push({ plan, claims });
  }
  for (const { entry, draft } of known.of('traffic_management')) {
    if (draft.section === 'traffic_management') checkTraffic(entry, draft, known, report);
  }
  return { plan: { routes, pools, fleet }, claimed };
}

function poolPlan(entry: Entry, known: KnownEntries, before: PoolPlan | undefined): PoolPlan | undefined {
  const draft = known.draft('pools', entry.id);
  if (draft === undefined) return undefined;
  const next: PoolPlan = { ...draft.pool, object: entry.object };
  return before !== undefined && sameData(before, next) ? before : next;
}

/** The previous plan of a route where the new one says the same; its matches are the same object if nothing changed. */
function keptRoute(before: RoutePlan | undefined, next: RoutePlan): RoutePlan {
  if (before === undefined) return next;
  const same =
    before.object === next.object &&
    before.pool === next.pool &&
    before.timeoutMs === next.timeoutMs &&
    before.bodyLimitBytes === next.bodyLimitBytes &&
    sameData(before.matches, next.matches);
  return same ? before : next;
}

function checkTraffic(
  entry: Entry,
  { route, stablePool }: DraftOf<'traffic_management'>,
  known: KnownEntries,
  report: Report,
): void {
  if (!known.has('routes', route)) report(entry, { ...unresolved(entry, 'route', route), path: '.route' });
  if (stablePool !== undefined && !known.has('pools', stablePool))
    report(entry, { ...unresolved(entry, 'pool', stablePool), path: '.stable_pool' });
}

function routePlan(
  entry: Entry,
  draft: DraftOf<'routes'>,
  known: KnownEntries,
  fleet: FleetPlan,
  report: Report,
): RoutePlan {
  const pool = poolOf(entry, draft, known, report);
  const policy = policyOf(entry, draft, known, report);
  const { timeoutMs, bodyLimitBytes } = policy ?? DEFAULT_POLICY;
  return {
    id: entry.id,
    object: entry.object,
    matches: draft.matches,
    // Without its policy a route would lack a protection that was asked for, so it answers 503 as without its pool.
    pool: policy === undefined ? null : pool,
    timeoutMs,
    bodyLimitBytes: Math.min(bodyLimitBytes ?? fleet.http.maxBodyBytes, fleet.http.maxBodyBytes),
  };
}

/** The pool that answers: the stable one of the route's traffic plan, else the route's own. Null where it is missing. */
function poolOf(entry: Entry, draft: DraftOf<'routes'>, known: KnownEntries, report: Report): string | null {
  if (draft.pool !== undefined && !known.has('pools', draft.pool))
    report(entry, { ...unresolved(entry, 'pool', draft.pool), path: '.pool' });
  const id = known.draft('traffic_management', draft.id)?.stablePool ?? draft.pool;
  if (id === undefined) {
    const message = 'is required, unless traffic_management names a stable_pool';
    report(entry, { path: '.pool', reason: 'Required', message, severity: 'error' });
  }
  return id !== undefined && known.has('pools', id) ? id : null;
}

/** Undefined where the route names a policy that does not exist. */
function policyOf(entry: Entry, draft: DraftOf<'routes'>, known: KnownEntries, report: Report): PolicyPlan | undefined {
  if (draft.policy === undefined) return DEFAULT_POLICY;
  if (known.has('policies', draft.policy)) return known.draft('policies', draft.policy)?.policy ?? DEFAULT_POLICY;
  report(entry, { ...unresolved(entry, 'policy', draft.policy), path: '.policy' });
  return undefined;
}

/**
 * In a document written by hand a dangling reference is a mistake, and refused. From the operator it is a state of the
 * cluster: one object came or went before another, and only the routes concerned answer 503.
 */
function unresolved(entry: Entry, kind: string, id: string): Omit<Problem, 'path'> {
  const byHand = entry.object === '';
  const message = `there is no ${kind} "${id}"${byHand ? '' : '; requests get 503 unresolved_ref'}`;
  return { reason: 'RefNotFound', message, severity: byHand ? 'error' : 'warning' };
}

function fleetPlan(known: KnownEntries, before: FleetPlan | undefined): FleetPlan {
  // An empty section has no problems.
  const none = new Problems();
  const next: FleetPlan = {
    http: known.draft('http', '-')?.http ?? readHttp({}, none),
    metrics: known.draft('metrics', '-')?.metrics ?? readMetrics({}, none),
    accessLog: known.draft('access_log', '-')?.accessLog ?? readAccessLog({}),
  };
  return before !== undefined && sameData(before, next) ? before : next;
}
