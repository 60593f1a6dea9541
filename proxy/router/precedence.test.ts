/**
 * The compiled router against the order of precedence of docs/ROUTING.md as plainly as it can be said: sort everything,
 * take the first that holds. Random routes and requests; both must always agree, however the router came about.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import type { ConditionPlan, HostPlan, MatchPlan, PathPlan } from '../compiler/plan.ts';
import { Router } from './router.ts';
import type { HeaderLookup, RouterChange, RouteSpec } from './types.ts';

const RUNS = process.env['TORTURE'] === '1' ? 20_000 : 1_000;

interface Request {
  readonly host: string;
  readonly path: string;
  readonly method: string;
  readonly headers: HeaderLookup;
  readonly query: string;
}

interface Row<T> {
  readonly host: HostPlan;
  readonly match: MatchPlan;
  readonly index: number;
  readonly route: RouteSpec<T>;
}

/** Finds the route by the rules, one after the other. */
function referenceMatch<T>(routes: readonly RouteSpec<T>[], request: Request): T | undefined {
  const rows = routes.flatMap((route) =>
    route.matches.flatMap((match, index) => match.hosts.map((host): Row<T> => ({ host, match, index, route }))),
  );
  rows.sort(
    (a, b) =>
      compareHosts(a.host, b.host) ||
      comparePaths(a.match.path, b.match.path) ||
      Number(b.match.methods.length > 0) - Number(a.match.methods.length > 0) ||
      b.match.headers.length - a.match.headers.length ||
      b.match.query.length - a.match.query.length ||
      compareText(a.route.id, b.route.id) ||
      a.index - b.index,
  );
  return rows.find(
    ({ host, match }) =>
      hostFits(host, request.host) &&
      pathFits(match.path, request.path) &&
      (match.methods.length === 0 || match.methods.includes(request.method)) &&
      match.headers.every((c) => conditionFits(c, request.headers.get(c.name))) &&
      match.query.every((c) => conditionFits(c, new URLSearchParams(request.query).get(c.name) ?? undefined)),
  )?.route.value;
}

const compiled = new Map<string, RE2JS>();

function oracle(source: string): RE2JS {
  const regex = compiled.get(source) ?? RE2JS.compile(source);
  compiled.set(source, regex);
  return regex;
}

const HOST_ORDER = ['exact', 'wildcard', 'regex', 'any'];
const PATH_ORDER = ['exact', 'regex', 'prefix'];

function compareHosts(a: HostPlan, b: HostPlan): number {
  if (a.kind === 'wildcard' && b.kind === 'wildcard') return b.suffix.length - a.suffix.length;
  if (a.kind === 'regex' && b.kind === 'regex') return compareSources(a.source, b.source);
  return HOST_ORDER.indexOf(a.kind) - HOST_ORDER.indexOf(b.kind);
}

function comparePaths(a: PathPlan, b: PathPlan): number {
  if (a.kind === 'prefix' && b.kind === 'prefix') return b.prefix.length - a.prefix.length;
  if (a.kind === 'regex' && b.kind === 'regex') return compareSources(a.source, b.source);
  return PATH_ORDER.indexOf(a.kind) - PATH_ORDER.indexOf(b.kind);
}

function compareSources(a: string, b: string): number {
  return b.length - a.length || compareText(a, b);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function hostFits(plan: HostPlan, host: string): boolean {
  switch (plan.kind) {
    case 'exact':
      return host === plan.host;
    case 'wildcard':
      return host.endsWith(plan.suffix) && host.length > plan.suffix.length;
    case 'regex':
      return oracle(`^(?i:${plan.source})$`).test(host);
    case 'any':
      return true;
  }
}

function pathFits(plan: PathPlan, path: string): boolean {
  switch (plan.kind) {
    case 'exact':
      return path === plan.path;
    case 'prefix':
      return path === plan.prefix || path.startsWith(`${plan.prefix}/`);
    case 'regex':
      return oracle(plan.source).test(path);
  }
}

function conditionFits(plan: ConditionPlan, value: string | undefined): boolean {
  if (value === undefined) return false;
  switch (plan.kind) {
    case 'exact':
      return value === plan.value;
    case 'regex':
      return oracle(plan.source).test(value);
    case 'present':
      return true;
  }
}

// Few values each, so that routes overlap and requests hit.
const hosts = fc.constantFrom<HostPlan>(
  { kind: 'exact', host: 'a.example.com' },
  { kind: 'exact', host: 'b.a.example.com' },
  { kind: 'wildcard', suffix: '.example.com' },
  { kind: 'wildcard', suffix: '.a.example.com' },
  { kind: 'wildcard', suffix: '.com' },
  { kind: 'regex', source: '[ab]\\..*' },
  { kind: 'regex', source: '.*' },
  { kind: 'regex', source: 'A\\..*|z' },
  { kind: 'any' },
);
const pathPlans = fc.oneof(
  fc.constantFrom('/', '/x', '/x/', '/x/y', '/x/y/z').map((path): PathPlan => ({ kind: 'exact', path })),
  fc.constantFrom('', '/x', '/x/y', '/xy', '/y').map((prefix): PathPlan => ({ kind: 'prefix', prefix })),
  fc.constantFrom('^/x', 'y$', '^/[xy]/', 'z').map((source): PathPlan => ({ kind: 'regex', source })),
);
const conditions = (...names: string[]) =>
  fc
    .uniqueArray(
      fc.oneof(
        fc.record({
          name: fc.constantFrom(...names),
          kind: fc.constant('exact' as const),
          value: fc.constantFrom('1', '2'),
        }),
        fc.record({
          name: fc.constantFrom(...names),
          kind: fc.constant('regex' as const),
          source: fc.constantFrom('^1', '2$'),
        }),
        fc.record({ name: fc.constantFrom(...names), kind: fc.constant('present' as const) }),
      ),
      { maxLength: 2, selector: (c) => c.name },
    )
    .map((list): readonly ConditionPlan[] => list);
const matchPlans = fc.record<MatchPlan>({
  hosts: fc.uniqueArray(hosts, { minLength: 1, maxLength: 3, selector: (h) => JSON.stringify(h) }),
  path: pathPlans,
  methods: fc.oneof(fc.constant([]), fc.constant(['GET']), fc.constant(['GET', 'POST'])),
  headers: fc.oneof(fc.constant([]), conditions('x-a', 'x-b')),
  query: fc.oneof(fc.constant([]), conditions('q', 'r')),
});
const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'B', 'aa');
const routeSpecs = fc
  .record({ id: ids, matches: fc.array(matchPlans, { minLength: 1, maxLength: 3 }), version: fc.nat(3) })
  .map(({ id, matches, version }): RouteSpec<string> => ({ id, matches, value: `${id}#${version}` }));
const routeLists = fc.uniqueArray(routeSpecs, { maxLength: 8, selector: (route) => route.id });
const requests = fc
  .record({
    host: fc.constantFrom(
      'a.example.com',
      'b.a.example.com',
      'c.b.a.example.com',
      'example.com',
      'other.org',
      'z',
      '[::1]',
    ),
    path: fc.constantFrom('/', '/x', '/x/', '/x/y', '/x/y/', '/x/y/z', '/xy', '/y/z', '/w'),
    method: fc.constantFrom('GET', 'POST', 'get'),
    headers: fc.dictionary(fc.constantFrom('x-a', 'x-b'), fc.constantFrom('1', '2', '12')),
    query: fc.constantFrom('', 'q=1', 'q=2&r=1', 'r=12', 'q', 'q=1&q=2', 'q=%31', '&&r=2&x=+'),
  })
  .map((r): Request => ({ ...r, headers: { get: (name) => r.headers[name] } }));

function applied<T>(router: Router<T>, change: RouterChange<T>): Router<T> {
  const steps = router.apply(change);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function assertAgree(router: Router<string>, routes: readonly RouteSpec<string>[], list: readonly Request[]): void {
  assert.equal(router.size, routes.length);
  for (const r of list) {
    const found = router.match(r.host, r.path, r.method, r.headers, r.query);
    assert.equal(found, referenceMatch(routes, r), `${r.method} ${r.host}${r.path}?${r.query}`);
  }
}

test('a router answers as the order of precedence says', () => {
  fc.assert(
    fc.property(routeLists, fc.array(requests, { minLength: 1, maxLength: 12 }), (routes, list) => {
      assertAgree(applied(Router.empty<string>(), { set: routes, delete: [] }), routes, list);
    }),
    { seed: 21, numRuns: RUNS },
  );
});

const changes = fc.array(fc.record({ set: routeLists, delete: fc.uniqueArray(ids, { maxLength: 4 }) }), {
  minLength: 1,
  maxLength: 5,
});

test('a router changed step by step answers as one built afresh, and leaves every earlier one as it was', () => {
  fc.assert(
    fc.property(changes, fc.array(requests, { minLength: 1, maxLength: 8 }), (list, asked) => {
      let routes: readonly RouteSpec<string>[] = [];
      let router = Router.empty<string>();
      const earlier: (readonly [Router<string>, readonly RouteSpec<string>[]])[] = [];
      for (const change of list) {
        earlier.push([router, routes]);
        const gone = new Set([...change.delete, ...change.set.map((route) => route.id)]);
        routes = [...routes.filter((route) => !gone.has(route.id)), ...change.set];
        // One that is given up half-way leaves no trace.
        router.apply(change).next();
        router = applied(router, change);
        assertAgree(router, routes, asked);
      }
      for (const [old, had] of earlier) assertAgree(old, had, asked);
    }),
    { seed: 22, numRuns: RUNS / 2 },
  );
});
