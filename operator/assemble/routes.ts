/** A route taken apart: into the cells that it answers, and put together again without some of them. */
import { canonicalText } from '../../proxy/contract/canonical.ts';
import type { MatchDoc, RouteDoc } from '../../proxy/contract/document/routes.ts';
import type { Fragment } from '../../proxy/contract/fragment.ts';
import { objectId } from '../objects/objects.ts';

/** What is asked of the same routes in every assembly. */
export interface RouteFacts {
  readonly value: RouteDoc;
  readonly hosts: readonly string[];
  /** Undefined for a route without a pool of its own. */
  readonly pool: { readonly id: string; readonly namespace: string; readonly name: string } | undefined;
  /** Ids of the objects that it leads to. */
  readonly leadsTo: readonly string[];
  readonly cells: readonly Cell[];
  /** Two of its cells are equal. */
  readonly repeatsItself: boolean;
}

/** By identity: fragments outlive many assemblies. Null for fragments of other kinds. */
const known = new WeakMap<Fragment, RouteFacts | null>();

/** Facts about the route of a fragment; undefined for fragments of other kinds. */
export function routeOf(fragment: Fragment): RouteFacts | undefined {
  let facts = known.get(fragment);
  if (facts === undefined) {
    const value = fragment.entries.find((entry) => entry.section === 'routes')?.value;
    facts = value === undefined ? null : makeFacts(value);
    known.set(fragment, facts);
  }
  return facts ?? undefined;
}

function makeFacts(value: RouteDoc): RouteFacts {
  const { hosts = [], pool, policy } = value;
  const [namespace = '', name = ''] = (pool ?? '').split('/');
  const cells = makeCells(value);
  return {
    value,
    hosts,
    pool: pool === undefined ? undefined : { id: pool, namespace, name },
    leadsTo: [
      ...(pool === undefined ? [] : [objectId('UpstreamPool', namespace, name)]),
      ...(policy === undefined ? [] : [`TrafficPolicy/${policy}`]),
    ],
    cells,
    repeatsItself: new Set(cells.map(({ key }) => key)).size < cells.length,
  };
}

/**
 * One host, one method and one set of other conditions. Two routes with a cell in common would answer the same requests
 * with the same precedence; where cells merely touch, precedence decides.
 */
export interface Cell {
  /** Equal for equal cells of any two routes. */
  readonly key: string;
  readonly host: string;
  /** '*': every method. */
  readonly method: string;
  /** Index of the match in the route. */
  readonly match: number;
}

const ANY_METHOD = '*';

function makeCells(route: RouteDoc): Cell[] {
  return matchesOf(route).flatMap((doc, match) => {
    const conditions = conditionsKey(doc);
    const hosts = doc.hosts ?? route.hosts ?? [];
    const methods = doc.methods ?? [ANY_METHOD];
    return hosts.flatMap((host) =>
      methods.map((method) => ({ key: `${host}\n${method}\n${conditions}`, host, method, match })),
    );
  });
}

/** What a cell's requests look like, for people. */
export function describeCell(route: RouteDoc, { host, method, match }: Cell): string {
  const doc = matchesOf(route)[match] ?? {};
  const path = doc.path ?? doc.path_regex ?? doc.path_prefix ?? '/';
  return method === ANY_METHOD ? `${host} ${path}` : `${method} ${host} ${path}`;
}

/** The route without some of its hosts; undefined when none is left. */
export function withoutHosts(route: RouteDoc, lost: ReadonlySet<string>): RouteDoc | undefined {
  const keep = (hosts: readonly string[]) => hosts.filter((host) => !lost.has(host));
  const hosts = keep(route.hosts ?? []);
  if (hosts.length === 0) return undefined;
  const matches = route.matches?.map((match) =>
    match.hosts === undefined ? match : { ...match, hosts: keep(match.hosts) },
  );
  const left = matches?.filter((match) => match.hosts === undefined || match.hosts.length > 0);
  if (left?.length === 0) return undefined;
  return { ...route, hosts, ...(left === undefined ? {} : { matches: left }) };
}

/** The route without some of its cells; undefined when none is left. Each match keeps its hosts grouped by what is left. */
export function withoutCells(route: RouteDoc, lost: readonly Cell[]): RouteDoc | undefined {
  const lostKeys = new Set(lost.map((cell) => `${cell.match}\n${cell.host}\n${cell.method}`));
  const matches = matchesOf(route).flatMap((doc, match) => {
    const groups = new Map<string, { hosts: string[]; methods: string[] }>();
    for (const host of doc.hosts ?? route.hosts ?? []) {
      const methods = (doc.methods ?? [ANY_METHOD]).filter((method) => !lostKeys.has(`${match}\n${host}\n${method}`));
      if (methods.length === 0) continue;
      const group = groups.get(methods.join(' '));
      if (group === undefined) groups.set(methods.join(' '), { hosts: [host], methods });
      else group.hosts.push(host);
    }
    return [...groups.values()].map(({ hosts, methods }) => narrowed(route, doc, hosts, methods));
  });
  if (matches.length === 0) return undefined;
  const hosts = (route.hosts ?? []).filter((host) =>
    matches.some((match) => match.hosts === undefined || match.hosts.includes(host)),
  );
  return { ...route, hosts, matches };
}

function narrowed(route: RouteDoc, doc: MatchDoc, hosts: string[], methods: string[]): MatchDoc {
  const { hosts: before, methods: _methods, ...conditions } = doc;
  const all = before === undefined && hosts.length === (route.hosts ?? []).length;
  return { ...(all ? {} : { hosts }), ...conditions, ...(doc.methods === undefined ? {} : { methods }) };
}

const EVERYTHING: MatchDoc = {};

/** An operator's routes have their conditions in `matches`; without any they match every request to their hosts. */
function matchesOf(route: RouteDoc): readonly MatchDoc[] {
  return route.matches ?? [EVERYTHING];
}

/** A match's conditions but for hosts and methods. */
function conditionsKey(doc: MatchDoc): string {
  const { hosts: _hosts, methods: _methods, path_prefix: prefix, ...conditions } = doc;
  // Without a path a match takes the same requests as with the prefix /, and prefixes match by whole segments.
  const isPrefix = doc.path === undefined && doc.path_regex === undefined;
  const path = isPrefix ? { path_prefix: (prefix ?? '').replace(/\/$/, '') } : {};
  return canonicalText({ ...path, ...conditions });
}
