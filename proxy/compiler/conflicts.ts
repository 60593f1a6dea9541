/** What can only be judged over all routes: who answers the same requests, and what is bounded in sum. */
import { limit, type LimitName } from '../contract/limits.ts';
import type { FindingReason, Severity } from '../contract/finding.ts';
import { hostKey } from './hosts.ts';
import type { ConditionPlan, MatchPlan, PathPlan, RoutePlan } from './plan.ts';
import { quote } from './problem.ts';

/** One match under one host: where it stands, and what else it asks for. */
interface Claim {
  readonly index: number;
  readonly host: string;
  /** Host and path as one text. */
  readonly place: string;
  /** All that it asks for as text, one for each method: the same requests have the same. */
  readonly keys: readonly string[];
  readonly pathRegex: string | undefined;
}

/** What a route claims; computed once per version of a route, since it is all text. */
export interface Claims {
  readonly list: readonly Claim[];
  readonly regexes: readonly string[];
  readonly hostRegexes: readonly string[];
}

export interface Conflict {
  readonly id: string;
  /** Below the route. */
  readonly path: string;
  readonly reason: FindingReason;
  readonly message: string;
  readonly severity: Severity;
}

/** Joins parts of a key; no host, path or regex holds it. */
const GLUE = '\n';

export function claimsOf(matches: readonly MatchPlan[]): Claims {
  const list = matches.flatMap((match, index) => {
    const conditions = conditionsKeys(match);
    const pathRegex = match.path.kind === 'regex' ? match.path.source : undefined;
    return match.hosts.map((plan): Claim => {
      const host = hostKey(plan);
      const place = `${host}${GLUE}${pathKey(match.path)}`;
      return { index, host, place, keys: conditions.map((text) => `${place}${text}`), pathRegex };
    });
  });
  const hostRegexes = matches.flatMap((m) => m.hosts.flatMap((h) => (h.kind === 'regex' ? [h.source] : [])));
  const others = matches.flatMap((m) => [
    ...(m.path.kind === 'regex' ? [m.path.source] : []),
    ...[...m.headers, ...m.query].flatMap((c) => (c.kind === 'regex' ? [c.source] : [])),
  ]);
  return { list, hostRegexes, regexes: [...hostRegexes.map((source) => `host ${source}`), ...others] };
}

function pathKey(path: PathPlan): string {
  switch (path.kind) {
    case 'exact':
      return `=${path.path}`;
    case 'prefix':
      return `^${path.prefix}`;
    case 'regex':
      return `~${path.source}`;
  }
}

function conditionsKeys({ methods, headers, query }: MatchPlan): readonly string[] {
  const others =
    headers.length + query.length === 0
      ? ''
      : GLUE + JSON.stringify([headers.map(conditionKey), query.map(conditionKey)]);
  return methods.length === 0 ? [others] : methods.map((method) => `${others}${GLUE}${method}`);
}

function conditionKey(condition: ConditionPlan): readonly string[] {
  switch (condition.kind) {
    case 'exact':
      return [condition.name, '=', condition.value];
    case 'regex':
      return [condition.name, '~', condition.source];
    case 'present':
      return [condition.name];
  }
}

/** Keys of the limits that are checked over all routes, with what they count. */
interface Counted {
  readonly limit: LimitName;
  readonly reason: FindingReason;
  readonly what: string;
}
const COUNTED = {
  regexes: { limit: 'regexesPerFleet', reason: 'UnsafeRegex', what: 'different regular expressions in all' },
  hostRegexes: { limit: 'hostRegexesPerFleet', reason: 'UnsafeRegex', what: 'different regular expressions for hosts' },
  pathRegexes: {
    limit: 'regexRoutesPerHost',
    reason: 'UnsafeRegex',
    what: 'regular expressions for paths of one host',
  },
  place: { limit: 'matchesPerPath', reason: 'Invalid', what: 'matches of one host and path' },
} as const satisfies Readonly<Record<string, Counted>>;

interface ClaimedRoute {
  readonly plan: RoutePlan;
  readonly claims: Claims;
}

/**
 * Overlaps (warnings: the lowest id answers) and limits over all routes (errors of the routes with the highest ids).
 * The order of `routes` does not matter.
 */
export function findConflicts(routes: readonly ClaimedRoute[]): readonly Conflict[] {
  // Sorting all routes costs more than the check; it is needed only to say whose fault it is.
  const ordered = isCrowded(routes) ? [...routes].sort((a, b) => (a.plan.id < b.plan.id ? -1 : 1)) : [];
  return [...overlaps(routes), ...crowds(ordered)];
}

/** A match is lost when each of its requests goes to a route with a lower id that asks for just the same. */
function* overlaps(routes: readonly ClaimedRoute[]): Generator<Conflict> {
  const winners = new Map<string, string>();
  let contested = false;
  for (const { plan, claims } of routes) {
    for (const claim of claims.list) {
      for (const key of claim.keys) {
        const other = winners.get(key);
        contested ||= other !== undefined && other !== plan.id;
        if (other === undefined || plan.id < other) winners.set(key, plan.id);
      }
    }
  }
  if (!contested) return;
  for (const { plan, claims } of routes) {
    const lost = new Map<number, { readonly hosts: Set<string>; readonly ids: Set<string> }>();
    for (const { keys, index, host } of claims.list) {
      const ids = keys.map((key) => winners.get(key) ?? plan.id);
      if (ids.includes(plan.id)) continue;
      const found = lost.get(index) ?? { hosts: new Set(), ids: new Set() };
      lost.set(index, { hosts: found.hosts.add(host), ids: new Set([...found.ids, ...ids]) });
    }
    for (const [index, { hosts, ids }] of lost) {
      const path = plan.matches.length > 1 ? `.matches[${index}]` : '';
      const message = `on ${listed(hosts)} route ${listed(ids)} takes the same requests, and wins by its lower id`;
      yield { id: plan.id, path, reason: 'Overlapped', message, severity: 'warning' };
    }
  }
}

/** Names for a message: the first few, and how many more. */
function listed(names: ReadonlySet<string>): string {
  const first = [...names].sort().slice(0, 3).map(quote);
  return names.size > first.length ? `${first.join(', ')} and ${names.size - first.length} more` : first.join(', ');
}

/** Whether some limit over all routes is passed; which routes are then too many is for `crowds` to say. */
function isCrowded(routes: readonly ClaimedRoute[]): boolean {
  const places = new Map<string, number>();
  const sources = { regexes: new Set<string>(), hostRegexes: new Set<string>(), pathRegexes: new Set<string>() };
  for (const { claims } of routes) {
    for (const source of claims.regexes) sources.regexes.add(source);
    for (const source of claims.hostRegexes) sources.hostRegexes.add(source);
    for (const { place, host, pathRegex } of claims.list) {
      const count = (places.get(place) ?? 0) + 1;
      if (count > limit(COUNTED.place.limit)) return true;
      places.set(place, count);
      if (pathRegex !== undefined) sources.pathRegexes.add(`${host}${GLUE}${pathRegex}`);
    }
  }
  return (
    sources.regexes.size > limit(COUNTED.regexes.limit) ||
    sources.hostRegexes.size > limit(COUNTED.hostRegexes.limit) ||
    // Over all hosts, which is more than any of them has.
    sources.pathRegexes.size > limit(COUNTED.pathRegexes.limit)
  );
}

/** Takes routes in order of their ids; those that would go over a limit are refused, and then not counted. */
function* crowds(ordered: readonly ClaimedRoute[]): Generator<Conflict> {
  const regexes = new Set<string>();
  const hostRegexes = new Set<string>();
  const pathRegexes = new Map<string, Set<string>>();
  const places = new Map<string, number>();
  for (const { plan, claims } of ordered) {
    const over = new Set<Counted>();
    if (!addWithin(regexes, claims.regexes, COUNTED.regexes)) over.add(COUNTED.regexes);
    if (!addWithin(hostRegexes, claims.hostRegexes, COUNTED.hostRegexes)) over.add(COUNTED.hostRegexes);
    for (const claim of claims.list) {
      const count = (places.get(claim.place) ?? 0) + 1;
      if (count > limit(COUNTED.place.limit)) over.add(COUNTED.place);
      else places.set(claim.place, count);
      if (claim.pathRegex === undefined) continue;
      const sources = pathRegexes.get(claim.host) ?? new Set();
      pathRegexes.set(claim.host, sources);
      if (!addWithin(sources, [claim.pathRegex], COUNTED.pathRegexes)) over.add(COUNTED.pathRegexes);
    }
    for (const { limit: name, reason, what } of over) {
      const message = `is beyond the ${limit(name)} ${what} that are allowed`;
      yield { id: plan.id, path: '', reason, message, severity: 'error' };
    }
  }
}

/** Adds what is new, unless that would be too much. */
function addWithin(all: Set<string>, sources: readonly string[], counted: Counted): boolean {
  const fresh = new Set(sources.filter((source) => !all.has(source)));
  if (all.size + fresh.size > limit(counted.limit)) return fresh.size === 0;
  for (const source of fresh) all.add(source);
  return true;
}
