import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileEntries } from '../../proxy/compiler/compile.ts';
import type { Entry } from '../../proxy/contract/document/entries.ts';
import { errorAt, type Finding } from '../../proxy/contract/finding.ts';
import { contextOf } from './context.ts';
import { settle, type Compile } from './settle.ts';
import { assembled, inputOf, OPEN_FLEET, pool, route, stableOf } from './testkit.ts';

/** A compiler that finds what the test says, given the hosts of each route, and counts its runs. */
function compiler(find: (hosts: ReadonlyMap<string, string>) => Finding[]): { compile: Compile; runs: () => number } {
  let runs = 0;
  const compile = (entries: readonly Entry[]) => {
    runs += 1;
    const hosts = entries.flatMap((entry) =>
      entry.section === 'routes' ? [[entry.object, entry.value.hosts?.[0] ?? ''] as const] : [],
    );
    return { ...compileEntries([]), findings: find(new Map(hosts)) };
  };
  return { compile, runs: () => runs };
}

const broken = (object: string) => errorAt(object, '', 'Invalid', 'does not compile');
const A = 'ProxyRoute/shop/a';
const B = 'ProxyRoute/shop/b';
const C = 'ProxyRoute/shop/c';

const BEFORE = [
  OPEN_FLEET,
  pool('shop/web'),
  route('shop/a', 'a1.org'),
  route('shop/b', 'b1.org'),
  route('shop/c', 'c1.org'),
];
const AFTER = [
  OPEN_FLEET,
  pool('shop/web'),
  route('shop/a', 'a2.org'),
  route('shop/b', 'b2.org'),
  route('shop/c', 'c2.org'),
];
const STABLE = stableOf(assembled(BEFORE));

/** The hosts that are served after `AFTER` met the compiler. */
function served(find: (hosts: ReadonlyMap<string, string>) => Finding[], objects = AFTER): Record<string, string> {
  const { entries } = settle(contextOf(inputOf(objects, STABLE)), compiler(find).compile);
  const hosts = entries.flatMap((e) =>
    e.section === 'routes' ? [[e.id.slice('shop/'.length), e.value.hosts?.[0]]] : [],
  );
  return Object.fromEntries(hosts) as Record<string, string>;
}

describe('a document that does not compile', () => {
  test('goes back to stable’s version of the object that is to blame', () => {
    assert.deepEqual(
      served((hosts) => (hosts.get(B) === 'b2.org' ? [broken(B)] : [])),
      { a: 'a2.org', b: 'b1.org', c: 'c2.org' },
    );
  });

  test('goes without a new object that is to blame', () => {
    assert.deepEqual(
      served(
        (hosts) => (hosts.has('ProxyRoute/shop/new') ? [broken('ProxyRoute/shop/new')] : []),
        [...AFTER, route('shop/new', 'new.org')],
      ),
      { a: 'a2.org', b: 'b2.org', c: 'c2.org' },
    );
  });

  test('is searched for the change that breaks an object that did not change', () => {
    const unchanged = [...AFTER.slice(0, 2), route('shop/a', 'a1.org'), ...AFTER.slice(3)];
    assert.deepEqual(
      served((hosts) => (hosts.get(C) === 'c2.org' ? [broken(A)] : []), unchanged),
      { a: 'a1.org', b: 'b2.org', c: 'c1.org' },
    );
  });

  test('is searched for the change that breaks the document as a whole', () => {
    assert.deepEqual(
      served((hosts) => (hosts.get(B) === 'b2.org' ? [broken('')] : [])),
      { a: 'a2.org', b: 'b1.org', c: 'c2.org' },
    );
  });

  test('lets in as many as go together, where changes break it only together', () => {
    const together = (hosts: ReadonlyMap<string, string>) => hosts.get(A) === 'a2.org' && hosts.get(C) === 'c2.org';
    assert.deepEqual(
      served((hosts) => (together(hosts) ? [broken('')] : [])),
      { a: 'a2.org', b: 'b2.org', c: 'c1.org' },
    );
  });

  test('goes without what is served already and breaks it all the same', () => {
    assert.deepEqual(
      served((hosts) => (hosts.has(B) ? [broken(B)] : [])),
      { a: 'a2.org', c: 'c2.org' },
    );
    const unchanged = [...AFTER.slice(0, 3), route('shop/b', 'b1.org'), ...AFTER.slice(4)];
    assert.deepEqual(
      served((hosts) => (hosts.has(B) ? [broken(B)] : []), unchanged),
      { a: 'a2.org', c: 'c2.org' },
    );
  });

  test('whatever is done keeps its errors, and ends', () => {
    const { compile, runs } = compiler(() => [broken('')]);
    const settled = settle(contextOf(inputOf(AFTER, STABLE)), compile);
    assert.deepEqual(settled.compiled.findings, [broken('')]);
    assert.ok(runs() < 10);
  });

  test('is tried a bounded number of times, and compiles then', () => {
    const many = Array.from({ length: 300 }, (_, i) => route(`shop/n${i}`, `n${i}.org`));
    const isBad = (object: string) => /n\d*7$/.test(object);
    const { compile, runs } = compiler((hosts) => ([...hosts.keys()].some(isBad) ? [broken('')] : []));
    const settled = settle(contextOf(inputOf([...AFTER, ...many], STABLE)), compile);
    assert.deepEqual(settled.compiled.findings, []);
    assert.ok(runs() <= 64);
  });
});
