import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import type { ConditionPlan, HostPlan, MatchPlan, PathPlan } from '../compiler/plan.ts';
import { Router } from './router.ts';
import type { RouteSpec } from './types.ts';

const EXAMPLE: HostPlan = { kind: 'exact', host: 'api.example.com' };
const WILDCARD: HostPlan = { kind: 'wildcard', suffix: '.example.com' };
const ANY: HostPlan = { kind: 'any' };
const prefix = (text: string): PathPlan => ({ kind: 'prefix', prefix: text });
const exact = (path: string): PathPlan => ({ kind: 'exact', path });
const regex = (source: string): PathPlan => ({ kind: 'regex', source });

function match(parts: Partial<MatchPlan> = {}): MatchPlan {
  return { hosts: [EXAMPLE], path: prefix(''), methods: [], headers: [], query: [], ...parts };
}

function route(id: string, ...matches: readonly Partial<MatchPlan>[]): RouteSpec<string> {
  return { id, matches: matches.map(match), value: id };
}

function routerOf(...routes: readonly RouteSpec<string>[]): Router<string> {
  return finish(Router.empty<string>().apply({ set: routes, delete: [] }));
}

function finish<T>(steps: Generator<void, Router<T>>): Router<T> {
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}

interface Asked {
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: string;
}

function ask(router: Router<string>, path: string, asked: Asked = {}): string | undefined {
  const { host = 'api.example.com', method = 'GET', headers = {}, query = '' } = asked;
  return router.match(host, path, method, { get: (name) => headers[name] }, query);
}

describe('hosts', () => {
  const router = routerOf(
    route('exact', { hosts: [EXAMPLE], path: prefix('/only') }),
    route('wildcard', { hosts: [WILDCARD], path: prefix('/most') }),
    route('longer-wildcard', { hosts: [{ kind: 'wildcard', suffix: '.eu.example.com' }] }),
    route('regex', { hosts: [{ kind: 'regex', source: '.*\\.(com|org)' }], path: prefix('/regex') }),
    route('any', { hosts: [ANY] }),
  );

  test('a name wins over a wildcard, a wildcard over an expression, and that over every host', () => {
    assert.equal(ask(router, '/only'), 'exact');
    assert.equal(ask(router, '/most'), 'wildcard');
    assert.equal(ask(router, '/regex'), 'regex');
    assert.equal(ask(router, '/other'), 'any');
  });

  test('a request that no route of the most specific host takes falls through to less specific ones', () => {
    assert.equal(ask(router, '/most/x', { host: 'api.example.com' }), 'wildcard');
    assert.equal(ask(router, '/nowhere', { host: 'api.example.com' }), 'any');
  });

  test('a wildcard takes one or more labels, and not the bare domain', () => {
    assert.equal(ask(router, '/most', { host: 'a.b.example.com' }), 'wildcard');
    assert.equal(ask(router, '/most', { host: 'example.com' }), 'any');
    assert.equal(ask(router, '/most', { host: 'badexample.com' }), 'any');
  });

  test('of two wildcards the longer wins', () => {
    assert.equal(ask(router, '/most', { host: 'a.eu.example.com' }), 'longer-wildcard');
  });

  test('an expression must match the whole host', () => {
    assert.equal(ask(router, '/regex', { host: 'a.org' }), 'regex');
    assert.equal(ask(router, '/regex', { host: 'a.org.evil.net' }), 'any');
  });
});

describe('paths', () => {
  test('an exact path wins over an expression, and that over the longest prefix', () => {
    const router = routerOf(
      route('exact', { path: exact('/v1/users') }),
      route('regex', { path: regex('^/v[0-9]+/') }),
      route('prefix', { path: prefix('/v1/users') }),
      route('root', {}),
    );
    assert.equal(ask(router, '/v1/users'), 'exact');
    assert.equal(ask(router, '/v1/users/7'), 'regex');
    assert.equal(ask(router, '/users'), 'root');
  });

  test('the longest prefix wins, by whole segments', () => {
    const router = routerOf(
      route('a', { path: prefix('/a') }),
      route('ab', { path: prefix('/a/b') }),
      route('root', {}),
    );
    assert.equal(ask(router, '/a/b/c'), 'ab');
    assert.equal(ask(router, '/a/bc'), 'a');
    assert.equal(ask(router, '/a/'), 'a');
    assert.equal(ask(router, '/a'), 'a');
    assert.equal(ask(router, '/ab'), 'root');
  });

  test('the longer expression is tried first, then the one that sorts first', () => {
    const router = routerOf(
      route('short', { path: regex('^/x') }),
      route('long', { path: regex('^/x/y') }),
      route('b', { path: regex('^/[b]') }),
      route('a', { path: regex('^/[a-c]?b') }),
    );
    assert.equal(ask(router, '/x/y'), 'long');
    assert.equal(ask(router, '/x/z'), 'short');
    assert.equal(ask(router, '/b'), 'a');
  });

  test('a prefix of many segments is found among others as deep', () => {
    const deep = (n: number) => `/${Array.from({ length: n }, (_, i) => `s${i}`).join('/')}`;
    const depths = [1, 29, 30, 31, 32, 40];
    const router = routerOf(...depths.map((n) => route(`d${n}`, { path: prefix(deep(n)) })));
    for (const n of depths) assert.equal(ask(router, `${deep(n)}/x`), `d${n}`);
    assert.equal(ask(router, deep(39)), 'd32');
  });

  test('an expression made to explode takes no longer than another', () => {
    const router = routerOf(route('evil', { path: regex('^(/a+)+$') }), route('root', {}));
    // A backtracking engine would need 2^16000 steps.
    assert.equal(ask(router, `${'/a'.repeat(8_000)}!`), 'root');
  });
});

describe('conditions', () => {
  const header: ConditionPlan = { name: 'x-version', kind: 'exact', value: '2' };

  test('a match with methods wins over one without, then more headers, then more query parameters', () => {
    const router = routerOf(
      route('plain', {}),
      route('query', { query: [{ name: 'q', kind: 'present' }] }),
      route('header', { headers: [header] }),
      route('method', { methods: ['POST'] }),
    );
    const everything = { method: 'POST', headers: { 'x-version': '2' }, query: 'q=1' };
    assert.equal(ask(router, '/', everything), 'method');
    assert.equal(ask(router, '/', { ...everything, method: 'GET' }), 'header');
    assert.equal(ask(router, '/', { query: 'q=1' }), 'query');
    assert.equal(ask(router, '/'), 'plain');
  });

  test('a header is compared whole: exactly, by expression, or by being there', () => {
    const router = routerOf(
      route('exact', { path: prefix('/e'), headers: [header] }),
      route('regex', { path: prefix('/r'), headers: [{ name: 'x', kind: 'regex', source: '^b, c' }] }),
      route('present', { path: prefix('/p'), headers: [{ name: 'x', kind: 'present' }] }),
    );
    assert.equal(ask(router, '/e', { headers: { 'x-version': '2' } }), 'exact');
    assert.equal(ask(router, '/e', { headers: { 'x-version': '22' } }), undefined);
    assert.equal(ask(router, '/e'), undefined);
    assert.equal(ask(router, '/r', { headers: { x: 'b, cd' } }), 'regex');
    assert.equal(ask(router, '/p', { headers: { x: '' } }), 'present');
  });

  test('the first value of a repeated query parameter counts, decoded as forms are', () => {
    const router = routerOf(route('q', { query: [{ name: 'a b', kind: 'exact', value: 'é +' }] }));
    assert.equal(ask(router, '/', { query: 'a+b=%C3%A9+%2B&a+b=x' }), 'q');
    assert.equal(ask(router, '/', { query: 'a%20b=x&a+b=%C3%A9+%2B' }), undefined);
    assert.equal(ask(router, '/', { query: 'a+b=%E9' }), undefined);
  });

  test('names that live in every JavaScript object are ordinary parameters', () => {
    const router = routerOf(route('p', { query: [{ name: '__proto__', kind: 'present' }] }));
    assert.equal(ask(router, '/', { query: 'x=1' }), undefined);
    assert.equal(ask(router, '/', { query: '__proto__=1' }), 'p');
  });

  test('parameters beyond the limit are not seen', () => {
    const router = routerOf(route('q', { query: [{ name: 'q', kind: 'present' }] }));
    assert.equal(ask(router, '/', { query: `${'x&'.repeat(999)}q` }), 'q');
    assert.equal(ask(router, '/', { query: `${'x&'.repeat(1_000)}q` }), undefined);
  });

  test('headers are not read for routes without header conditions', () => {
    const router = routerOf(route('plain', {}));
    const headers = {
      get: (): string => {
        throw new Error('read');
      },
    };
    assert.equal(router.match('api.example.com', '/', 'GET', headers, ''), 'plain');
  });
});

describe('ties', () => {
  test('the lower route id wins, whichever came first', () => {
    assert.equal(ask(routerOf(route('b', {}), route('a', {})), '/'), 'a');
    assert.equal(ask(routerOf(route('a', {}), route('b', {})), '/'), 'a');
  });
});

describe('a changed router', () => {
  test('shares what stayed and forgets what went', () => {
    const first = routerOf(route('a', { path: prefix('/a') }), route('b', { path: prefix('/b') }));
    const second = finish(first.apply({ set: [route('a', { path: prefix('/c') })], delete: ['b', 'never-was'] }));
    assert.deepEqual(
      [first, second].map((r) => ['/a', '/b', '/c'].map((path) => ask(r, path))),
      [
        ['a', 'b', undefined],
        [undefined, undefined, 'a'],
      ],
    );
    assert.deepEqual([first.size, second.size], [2, 1]);
  });

  test('finds each of many routes on many hosts, and none once they are deleted', () => {
    const routes = Array.from({ length: 5_000 }, (_, i) =>
      route(`r${i}`, { hosts: [{ kind: 'exact', host: `h${i % 1_000}.example.com` }], path: prefix(`/p${i}`) }),
    );
    const full = routerOf(...routes);
    const host = (i: number) => ({ host: `h${i % 1_000}.example.com` });
    for (const i of routes.keys()) assert.equal(ask(full, `/p${i}/x`, host(i)), `r${i}`);
    const half = finish(full.apply({ set: [], delete: routes.filter((_, i) => i % 2 === 0).map((r) => r.id) }));
    assert.equal(half.size, 2_500);
    for (const i of routes.keys()) assert.equal(ask(half, `/p${i}/x`, host(i)), i % 2 === 0 ? undefined : `r${i}`);
    const empty = finish(half.apply({ set: [], delete: routes.map((r) => r.id) }));
    assert.equal(empty.size, 0);
    assert.equal(ask(full, '/p7/x', host(7)), 'r7');
  });

  test('is built in many small steps', () => {
    const many = Array.from({ length: 64 }, (_, i): Partial<MatchPlan> => ({ path: prefix(`/p${i}`) }));
    const steps = Router.empty<string>().apply({ set: [route('a', ...many)], delete: [] });
    let count = 0;
    while (steps.next().done !== true) count += 1;
    assert.ok(count >= 64, `${count} steps`);
  });

  test('refuses a plan that the compiler would never make', () => {
    assert.throws(() => routerOf(route('a', { path: regex('(') })), /unsafe regex/);
  });
});
