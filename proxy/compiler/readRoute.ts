/** A route of the document as matches: shorthand fields, defaults and normal forms resolved. */
import { FIELD_VALUE_PATTERN, TOKEN_PATTERN } from '../contract/document/parts.ts';
import type { ConditionDoc, MatchDoc, RouteDoc } from '../contract/document/routes.ts';
import { normalizePath } from '../contract/path.ts';
import { covers, hostKey, hostPlan } from './hosts.ts';
import type { ConditionPlan, HostPlan, MatchPlan, PathPlan } from './plan.ts';
import { at, quote, type Problems } from './problem.ts';
import { compileRegex } from './regex.ts';

const ANY_HOST: readonly HostPlan[] = [{ kind: 'any' }];
/** Everything, which a match without a path matches. */
const ROOT: PathPlan = { kind: 'prefix', prefix: '' };

/** Fields that a route has either itself or in each of its matches. */
const SHORTHAND = ['path', 'path_prefix', 'path_regex', 'methods', 'headers', 'query'] as const;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE'];
const TOKEN = new RegExp(TOKEN_PATTERN);
const FIELD_VALUE = new RegExp(FIELD_VALUE_PATTERN);

/** The matches of a schema-checked route. What is wrong goes to `problems`. */
export function readMatches(route: RouteDoc, problems: Problems): readonly MatchPlan[] {
  const hosts = routeHosts(route, problems);
  if (route.matches === undefined) return [matchPlan(route, hosts, '', problems)];
  for (const field of SHORTHAND) {
    if (route[field] !== undefined)
      problems.error(at('', field), 'Invalid', 'must stand in the matches where a route has matches');
  }
  return route.matches.map((match, i) => {
    const path = at('.matches', i);
    return matchPlan(match, narrowedHosts(match, hosts, path, problems), path, problems);
  });
}

function routeHosts(route: RouteDoc, problems: Problems): readonly HostPlan[] {
  if (route.host !== undefined && route.hosts !== undefined)
    problems.error('.host', 'Invalid', 'must not stand beside hosts; use one of them');
  if (route.hosts !== undefined) return readHosts(route.hosts, '.hosts', problems);
  return route.host === undefined ? ANY_HOST : readHost(route.host, '.host', problems);
}

function narrowedHosts(
  match: MatchDoc,
  hosts: readonly HostPlan[],
  path: string,
  problems: Problems,
): readonly HostPlan[] {
  if (match.hosts === undefined) return hosts;
  const narrowed = readHosts(match.hosts, `${path}.hosts`, problems);
  // Who may have a host is decided on the route's hosts, so that a match must not reach beyond them.
  if (narrowed.some((host) => !covers(hosts, host)))
    problems.error(`${path}.hosts`, 'Invalid', 'must lie within the hosts of the route');
  return narrowed;
}

function readHosts(texts: readonly string[], path: string, problems: Problems): readonly HostPlan[] {
  const plans = new Map<string, HostPlan>();
  for (const [i, text] of texts.entries()) {
    for (const plan of readHost(text, at(path, i), problems)) plans.set(hostKey(plan), plan);
  }
  return [...plans.values()];
}

function readHost(text: string, path: string, problems: Problems): readonly HostPlan[] {
  const plan = hostPlan(text);
  if (plan.ok) return [plan.value];
  problems.error(path, plan.error.reason, `${quote(text)} ${plan.error.message}`);
  return [];
}

function matchPlan(match: MatchDoc, hosts: readonly HostPlan[], path: string, problems: Problems): MatchPlan {
  return {
    hosts,
    path: readPath(match, path, problems),
    methods: readMethods(match.methods ?? [], `${path}.methods`, problems),
    headers: readHeaders(match.headers ?? {}, `${path}.headers`, problems),
    query: readQuery(match.query ?? {}, `${path}.query`, problems),
  };
}

function readPath(match: MatchDoc, path: string, problems: Problems): PathPlan {
  const given = (['path', 'path_prefix', 'path_regex'] as const).filter((field) => match[field] !== undefined);
  if (given.length > 1) problems.error(path, 'Invalid', `must have one of ${given.join(', ')}, not several`);
  if (match.path !== undefined) return { kind: 'exact', path: normalForm(match.path, `${path}.path`, problems) };
  if (match.path_regex !== undefined) {
    readRegex(match.path_regex, `${path}.path_regex`, problems);
    return { kind: 'regex', source: match.path_regex };
  }
  if (match.path_prefix === undefined) return ROOT;
  const prefix = normalForm(match.path_prefix, `${path}.path_prefix`, problems);
  return { kind: 'prefix', prefix: prefix.endsWith('/') ? prefix.slice(0, -1) : prefix };
}

/** Requests are routed by the normal form of their path, so a route's path must have it too. */
function normalForm(text: string, path: string, problems: Problems): string {
  const normal = normalizePath(text);
  if (normal === undefined) problems.error(path, 'Invalid', `no request has ${quote(text)}: such paths are refused`);
  return normal ?? text;
}

function readRegex(source: string, path: string, problems: Problems): void {
  const regex = compileRegex(source);
  if (!regex.ok) problems.error(path, 'UnsafeRegex', `${quote(source)} is not usable: ${regex.error}`);
}

/** Methods are case-sensitive (RFC 9110 §9.1), so `get` would be another method, which nobody sends. */
function readMethods(methods: readonly string[], path: string, problems: Problems): readonly string[] {
  for (const [i, method] of methods.entries()) {
    const upper = method.toUpperCase();
    if (method !== upper && METHODS.includes(upper))
      problems.error(at(path, i), 'Invalid', `methods are case-sensitive; did you mean ${quote(upper)}?`);
  }
  return [...methods].sort();
}

function readHeaders(
  headers: Readonly<Record<string, ConditionDoc>>,
  path: string,
  problems: Problems,
): readonly ConditionPlan[] {
  const plans = new Map<string, ConditionPlan>();
  for (const [name, condition] of Object.entries(headers)) {
    const field = at(path, name);
    const lower = name.toLowerCase();
    if (!TOKEN.test(name)) problems.error(field, 'Invalid', `${quote(name)} is no header name (RFC 9110 §5.1)`);
    if (plans.has(lower)) problems.error(field, 'Duplicate', 'names a header twice (names are case-insensitive)');
    const plan = conditionPlan(lower, condition, field, problems);
    if (plan.kind === 'exact' && !FIELD_VALUE.test(plan.value))
      problems.error(field, 'Invalid', 'must be visible ASCII without space at its ends, as header values are');
    plans.set(lower, plan);
  }
  return sortedByName(plans);
}

function readQuery(
  query: Readonly<Record<string, ConditionDoc>>,
  path: string,
  problems: Problems,
): readonly ConditionPlan[] {
  const plans = new Map<string, ConditionPlan>();
  for (const [name, condition] of Object.entries(query))
    plans.set(name, conditionPlan(name, condition, at(path, name), problems));
  return sortedByName(plans);
}

function sortedByName(plans: ReadonlyMap<string, ConditionPlan>): readonly ConditionPlan[] {
  return [...plans.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function conditionPlan(name: string, condition: ConditionDoc, path: string, problems: Problems): ConditionPlan {
  if (typeof condition === 'string') return { name, kind: 'exact', value: condition };
  const { type, value } = condition;
  if (type === 'present') {
    if (value !== undefined) problems.error(`${path}.value`, 'Invalid', 'must not be set where type is present');
    return { name, kind: 'present' };
  }
  if (value === undefined) problems.error(`${path}.value`, 'Required', `is required where type is ${type}`);
  if (type === 'exact') return { name, kind: 'exact', value: value ?? '' };
  if (value !== undefined) readRegex(value, `${path}.value`, problems);
  return { name, kind: 'regex', source: value ?? '' };
}
