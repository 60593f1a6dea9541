/**
 * The compiled router: finds the route of a request without looking at the others. Immutable; a change gives a new
 * router that shares all that stayed. docs/ROUTING.md states the one order of precedence that it carries out.
 */
import type { HostPlan, MatchPlan } from '../compiler/plan.ts';
import { compileConditions, planRegex, type Candidate } from './conditions.ts';
import { addToTable, findInTable, removeFromTable, type HostTable } from './hostTable.ts';
import { Question } from './question.ts';
import { compareRegexes, hostRegex, type UserRegex } from '../compiler/regex.ts';
import { StringMap, type Edit } from './stringMap.ts';
import type { HeaderLookup, RouterChange, RouteSpec } from './types.ts';

interface RegexHost<T> {
  readonly source: string;
  readonly regex: UserRegex;
  readonly table: HostTable<T>;
}

/** Host patterns in order of precedence, and the routes as they were given. */
interface Tables<T> {
  readonly routes: StringMap<RouteSpec<T>>;
  readonly exact: StringMap<HostTable<T>>;
  /** By suffix, `.example.com`. */
  readonly wildcard: StringMap<HostTable<T>>;
  /** Sorted; bounded by the limit `hostRegexesPerFleet`. */
  readonly regexes: readonly RegexHost<T>[];
  readonly any: HostTable<T> | undefined;
}

const DOT = '.';

export class Router<T> {
  readonly #tables: Tables<T>;

  private constructor(tables: Tables<T>) {
    this.#tables = tables;
  }

  static empty<T>(): Router<T> {
    return new Router<T>({
      routes: StringMap.empty(),
      exact: StringMap.empty(),
      wildcard: StringMap.empty(),
      regexes: [],
      any: undefined,
    });
  }

  /** Number of routes. */
  get size(): number {
    return this.#tables.routes.size;
  }

  /**
   * A router with the change applied; this one stays as it is. Yields after every small step (microseconds, a
   * millisecond where a regex is compiled), so that a thread can serve requests in between; giving up half-way is safe.
   * Throws on a plan that the compiler would have refused.
   */
  *apply(change: RouterChange<T>): Generator<void, Router<T>> {
    const edit: Edit = {};
    let tables = this.#tables;
    for (const id of change.delete) tables = yield* withoutRoute(tables, id, edit);
    for (const route of change.set) {
      tables = yield* withoutRoute(tables, route.id, edit);
      tables = yield* withRoute(tables, route, edit);
    }
    return new Router(tables);
  }

  /**
   * The value of the route that answers, or undefined.
   * @param host as `normalizeHost` gives it
   * @param path as `normalizePath` gives it
   * @param query without `?`
   */
  match(host: string, path: string, method: string, headers: HeaderLookup, query: string): T | undefined {
    const { exact, wildcard, regexes, any } = this.#tables;
    const question = new Question(path, method, headers, query);
    const table = exact.get(host);
    let found = table === undefined ? undefined : findInTable(table, question);
    if (found === undefined && wildcard.size > 0) found = findByWildcard(wildcard, host, question);
    if (found === undefined && regexes.length > 0) found = findByRegex(regexes, host, question);
    if (found === undefined && any !== undefined) found = findInTable(any, question);
    return found?.value;
  }
}

/** Tries the suffixes of the host from the longest; at least one label stands before each. */
function findByWildcard<T>(
  tables: StringMap<HostTable<T>>,
  host: string,
  question: Question,
): Candidate<T> | undefined {
  for (let dot = host.indexOf(DOT, 1); dot !== -1; dot = host.indexOf(DOT, dot + 1)) {
    const table = tables.get(host.slice(dot));
    const found = table === undefined ? undefined : findInTable(table, question);
    if (found !== undefined) return found;
  }
  return undefined;
}

function findByRegex<T>(hosts: readonly RegexHost<T>[], host: string, question: Question): Candidate<T> | undefined {
  for (const { regex, table } of hosts) {
    const found = regex.test(host) ? findInTable(table, question) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function* withRoute<T>(tables: Tables<T>, route: RouteSpec<T>, edit: Edit): Generator<void, Tables<T>> {
  let changed: Tables<T> = { ...tables, routes: tables.routes.set(route.id, route, edit) };
  for (const [index, match] of route.matches.entries()) {
    const candidate = candidateOf(route, match, index);
    yield;
    for (const host of match.hosts) {
      changed = withTable(changed, host, edit, (table) => addToTable(table, match.path, candidate, edit));
      yield;
    }
  }
  return changed;
}

function* withoutRoute<T>(tables: Tables<T>, id: string, edit: Edit): Generator<void, Tables<T>> {
  const route = tables.routes.get(id);
  if (route === undefined) return tables;
  let changed: Tables<T> = { ...tables, routes: tables.routes.delete(id, edit) };
  for (const [index, match] of route.matches.entries()) {
    for (const host of match.hosts) {
      changed = withTable(changed, host, edit, (table) =>
        table === undefined ? undefined : removeFromTable(table, match.path, id, index, edit),
      );
      yield;
    }
  }
  return changed;
}

function candidateOf<T>(route: RouteSpec<T>, match: MatchPlan, index: number): Candidate<T> {
  return {
    methods: match.methods.length === 0 ? undefined : match.methods,
    headers: compileConditions(match.headers),
    query: compileConditions(match.query),
    value: route.value,
    next: undefined,
    id: route.id,
    index,
  };
}

/** The tables with the one of `host` replaced by what `change` makes of it; undefined takes it away. */
function withTable<T>(
  tables: Tables<T>,
  host: HostPlan,
  edit: Edit,
  change: (table: HostTable<T> | undefined) => HostTable<T> | undefined,
): Tables<T> {
  switch (host.kind) {
    case 'exact':
      return { ...tables, exact: withEntry(tables.exact, host.host, edit, change) };
    case 'wildcard':
      return { ...tables, wildcard: withEntry(tables.wildcard, host.suffix, edit, change) };
    case 'any':
      return { ...tables, any: change(tables.any) };
    case 'regex': {
      const old = tables.regexes.find((r) => r.source === host.source);
      const table = change(old?.table);
      const others = tables.regexes.filter((r) => r !== old);
      if (table === undefined) return { ...tables, regexes: others };
      const entry = { source: host.source, regex: old?.regex ?? planRegex(hostRegex(host.source)), table };
      return { ...tables, regexes: [...others, entry].sort((a, b) => compareRegexes(a.source, b.source)) };
    }
  }
}

function withEntry<T>(
  map: StringMap<HostTable<T>>,
  key: string,
  edit: Edit,
  change: (table: HostTable<T> | undefined) => HostTable<T> | undefined,
): StringMap<HostTable<T>> {
  const table = change(map.get(key));
  return table === undefined ? map.delete(key, edit) : map.set(key, table, edit);
}
