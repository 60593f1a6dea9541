import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Entry } from '../contract/document/entries.ts';
import { hasErrors } from '../contract/finding.ts';
import { limit } from '../contract/limits.ts';
import { compileEntries } from './compile.ts';
import { diffPlans, isEmptyDelta, sameData } from './diff.ts';
import type { Plan } from './plan.ts';

const pool = (id: string, address = '10.0.0.1:80'): Entry => ({
  section: 'pools',
  id,
  object: `UpstreamPool/${id}`,
  value: { id, endpoints: [{ address }] },
});

const route = (id: string, fields: Readonly<Record<string, unknown>> = {}): Entry => ({
  section: 'routes',
  id,
  object: `ProxyRoute/${id}`,
  value: { id, pool: 'p', ...fields },
});

function planOf(entries: readonly Entry[]): Plan {
  const { plan, findings } = compileEntries(entries);
  assert.ok(plan !== undefined, JSON.stringify(findings));
  return plan;
}

describe('compiling again', () => {
  const entries = [pool('p'), pool('q'), ...Array.from({ length: 50 }, (_, i) => route(`r${i}`, { path: `/${i}` }))];

  test('gives the very same plans for what did not change, though all entries are new objects', () => {
    const first = compileEntries(entries);
    const changed = structuredClone(entries).map((e) => (e.id === 'r7' ? route('r7', { path: '/other' }) : e));
    const second = compileEntries(changed, first);
    for (const [id, plan] of first.plan?.routes ?? [])
      assert.equal(second.plan?.routes.get(id) === plan, id !== 'r7', id);
    assert.equal(second.plan?.pools.get('p'), first.plan?.pools.get('p'));
    assert.equal(second.plan?.fleet, first.plan?.fleet);
  });

  test('follows references anew: a route changes when its pool or policy comes, goes or changes', () => {
    const policy = (timeout: string): Entry => ({
      section: 'policies',
      id: 'x',
      object: 'o',
      value: { id: 'x', timeout },
    });
    const base = [route('a', { policy: 'x' }), route('b')];
    const steps = [
      { entries: [...base], a: [null, 60_000], b: [null, 60_000] },
      { entries: [...base, pool('p')], a: [null, 60_000], b: ['p', 60_000] },
      { entries: [...base, pool('p'), policy('3s')], a: ['p', 3_000], b: ['p', 60_000] },
      { entries: [...base, pool('p'), policy('4s')], a: ['p', 4_000], b: ['p', 60_000] },
      { entries: [...base, policy('4s')], a: [null, 4_000], b: [null, 60_000] },
    ];
    let result: ReturnType<typeof compileEntries> | undefined;
    for (const step of steps) {
      result = compileEntries(step.entries, result);
      const shown = (id: string) => [result?.plan?.routes.get(id)?.pool, result?.plan?.routes.get(id)?.timeoutMs];
      assert.deepEqual([shown('a'), shown('b')], [step.a, step.b]);
    }
  });

  test('reports what is wrong again, though the entry did not change', () => {
    const bad = [pool('p'), route('a', { path: '/%' })];
    const first = compileEntries(bad);
    assert.deepEqual(compileEntries(bad, first).findings, first.findings);
    assert.ok(hasErrors(first.findings));
  });

  test('comes to the same as compiling afresh, whatever changed', () => {
    const entry = fc.oneof(
      fc
        .record({ id: fc.constantFrom('p', 'q'), port: fc.integer({ min: 1, max: 3 }) })
        .map((x) => pool(x.id, `10.0.0.1:${x.port}`)),
      fc
        .record({
          id: fc.constantFrom('a', 'b', 'c'),
          path: fc.constantFrom('/x', '/y', '/%'),
          pool: fc.constantFrom('p', 'q', 'gone'),
        })
        .map(({ id, ...fields }) => route(id, fields)),
    );
    const documents = fc.uniqueArray(entry, { maxLength: 5, selector: (e) => `${e.section}/${e.id}` });
    fc.assert(
      fc.property(fc.array(documents, { minLength: 2, maxLength: 4 }), (list) => {
        let result: ReturnType<typeof compileEntries> | undefined;
        for (const entriesOfStep of list) {
          result = compileEntries(entriesOfStep, result);
          const fresh = compileEntries(structuredClone(entriesOfStep));
          assert.deepEqual(result.plan, fresh.plan);
          assert.deepEqual(result.findings, fresh.findings);
        }
      }),
      { seed: 51, numRuns: 300 },
    );
  });
});

describe('the order of entries', () => {
  test('makes no difference to the plan', () => {
    const entries = [pool('p'), route('a', { path: '/x' }), route('b', { path: '/x' })];
    const forward = compileEntries(entries);
    const backward = compileEntries([...entries].reverse());
    assert.deepEqual(sorted(forward.plan), sorted(backward.plan));
    assert.deepEqual(forward.findings, backward.findings);
  });

  function sorted(plan: Plan | undefined): unknown {
    return [...(plan?.routes ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
  }
});

describe('limits over all routes', () => {
  function refusedIds(entries: readonly Entry[]): readonly string[] {
    const { findings } = compileEntries([pool('p'), ...entries]);
    return findings.filter((f) => f.severity === 'error').map((f) => f.object.replace('ProxyRoute/', ''));
  }
  const many = (count: number, fields: (i: number) => Readonly<Record<string, unknown>>) =>
    Array.from({ length: count }, (_, i) => route(`r${String(i).padStart(4, '0')}`, fields(i)));

  test('path expressions of one host: the routes with the highest ids are refused', () => {
    const most = limit('regexRoutesPerHost');
    const entries = many(most + 2, (i) => ({ host: 'a.example.com', path_regex: `^/${i}$` }));
    assert.deepEqual(refusedIds(entries.reverse()), ['r0064', 'r0065']);
  });

  test('path expressions of different hosts do not count together', () => {
    assert.deepEqual(refusedIds(many(100, (i) => ({ host: `h${i}.example.com`, path_regex: `^/${i}$` }))), []);
  });

  test('host expressions of the fleet', () => {
    assert.deepEqual(refusedIds(many(limit('hostRegexesPerFleet') + 1, (i) => ({ host: `a${i}+` }))), ['r0064']);
  });

  test('matches of one host and path', () => {
    const entries = many(limit('matchesPerPath') + 1, (i) => ({ path: '/x', headers: { 'x-tenant': `t${i}` } }));
    assert.deepEqual(refusedIds(entries), ['r0256']);
  });

  test('expressions of the fleet; a refused route does not count', () => {
    const most = limit('regexesPerFleet');
    const entries = many(most + 1, (i) => ({ host: `h${i}.example.com`, path_regex: `^/${i}$` }));
    assert.deepEqual(refusedIds([...entries, route('s', { path_regex: '^/0$' })]), [`r${most}`]);
  });
});

describe('the difference of two plans', () => {
  const plan = planOf([pool('p'), route('a', { path: '/a' }), route('b', { path: '/b' })]);

  test('is everything where there was no plan', () => {
    const delta = diffPlans(undefined, plan);
    assert.deepEqual([delta.setRoutes.length, delta.setPools.length, delta.fleet], [2, 1, plan.fleet]);
  });

  test('is nothing between equal plans, even of other objects', () => {
    assert.ok(isEmptyDelta(diffPlans(plan, plan)));
    assert.ok(isEmptyDelta(diffPlans(plan, structuredClone(plan))));
  });

  test('names what came, changed and went', () => {
    const next = planOf([pool('q'), route('a', { path: '/a', pool: 'q' }), route('c', { path: '/c', pool: 'q' })]);
    const delta = diffPlans(plan, next);
    assert.deepEqual(
      {
        set: delta.setRoutes.map((r) => r.id),
        gone: delta.deleteRoutes,
        pools: delta.setPools.map((p) => p.id),
        gonePools: delta.deletePools,
        fleet: delta.fleet,
      },
      { set: ['a', 'c'], gone: ['b'], pools: ['q'], gonePools: ['p'], fleet: undefined },
    );
  });

  test('carries the fleet’s settings when they changed', () => {
    const http: Entry = { section: 'http', id: '-', object: 'o', value: { max_headers: 10 } };
    const next = planOf([http, pool('p'), route('a', { path: '/a' }), route('b', { path: '/b' })]);
    assert.equal(diffPlans(plan, next).fleet?.http.maxHeaders, 10);
  });
});

test('data is the same by content: order of keys and absent fields do not count', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (a, b) => {
      assert.equal(sameData(a, structuredClone(a)), true);
      assert.equal(sameData(a, b), sameData(b, a));
      if (sameData(a, b)) assert.deepEqual(a, b);
    }),
    { seed: 52, numRuns: 500 },
  );
  assert.equal(sameData({ a: 1, b: 2 }, { b: 2, a: 1, c: undefined }), true);
  assert.equal(sameData({ a: 1 }, { a: 1, b: 2 }), false);
  assert.equal(sameData({ a: undefined, b: 1 }, { a: 1, b: 1 }), false);
  assert.equal(sameData([], {}), false);
});
