/** What holds for every set of objects: nothing wrong with one of them changes a byte of another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileEntries } from '../../proxy/compiler/compile.ts';
import { canonicalText, type Json } from '../../proxy/contract/canonical.ts';
import { entryJson, type Entry } from '../../proxy/contract/document/entries.ts';
import { hasErrors } from '../../proxy/contract/finding.ts';
import type { Fragment } from '../../proxy/contract/fragment.ts';
import { objectId, type AnyObject, type OwnKind, type OwnObject } from '../objects/objects.ts';
import { assembled, OPEN_FLEET, own, stableOf } from './testkit.ts';

const RUNS = process.env['TORTURE'] === '1' ? 4_000 : 100;

const NAMESPACES = ['alpha', 'beta', 'gamma'];
const HOSTS = ['a.org', 'b.org', 'x.b.org', '*.b.org', '*.org'];
const namespace = fc.constantFrom(...NAMESPACES);
const name = fc.constantFrom('one', 'two', 'three');
/** Seconds, so that ages collide now and then, as they do where many objects are applied at once. */
const age = fc.option(
  fc.integer({ min: 0, max: 3 }).map((s) => `2026-01-01T00:00:0${s}Z`),
  { nil: undefined },
);

const match = fc.record(
  {
    path: fc.record({ type: fc.constantFrom('Exact', 'PathPrefix'), value: fc.constantFrom('/', '/a', '/a/') }),
    methods: fc.uniqueArray(fc.constantFrom('GET', 'PUT'), { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const routeSpec = fc.record(
  {
    hosts: fc.uniqueArray(fc.constantFrom(...HOSTS), { minLength: 1, maxLength: 3 }),
    matches: fc.array(match, { maxLength: 2 }),
    poolRef: fc.record({ name, namespace: fc.option(namespace, { nil: undefined }) }),
    policyRef: fc.record({ name }),
  },
  { requiredKeys: ['hosts', 'poolRef'] },
);
const poolSpec = fc.record({
  endpoints: fc.constantFrom([], [{ address: '10.0.0.1:80' }], [{ address: '10.0.0.2:80' }]),
});
const policySpec = fc.record({ timeout: fc.constantFrom('1s', '2s') });

function objects(kind: OwnKind, spec: fc.Arbitrary<object>, max: number) {
  const one = fc.tuple(namespace, name, spec, age).map(([ns, n, s, at]) => own(kind, `${ns}/${n}`, s, at));
  return fc.uniqueArray(one, { maxLength: max, selector: idOf });
}

/** Valid objects, of which some refer to nothing, and some want the same hosts and paths. */
const world = fc
  .tuple(
    objects('ProxyRoute', routeSpec, 7),
    objects('UpstreamPool', poolSpec, 5),
    objects('TrafficPolicy', policySpec, 3),
    fc.boolean(),
  )
  .map(([routes, pools, policies, granted]): AnyObject[] => [
    OPEN_FLEET,
    ...routes,
    ...pools,
    ...policies,
    ...(granted ? NAMESPACES.map(openNamespace) : []),
  ]);

function openNamespace(name_: string): AnyObject {
  return {
    kind: 'ReferenceGrant',
    metadata: { name: 'open', namespace: name_ },
    from: NAMESPACES.map((from) => ({ group: 'modernproxy.io', kind: 'ProxyRoute', namespace: from })),
    to: [{ group: 'modernproxy.io', kind: 'UpstreamPool' }],
  };
}

/** Ways in which a spec is bad. */
const damage = fc.constantFrom<(spec: Record<string, unknown>) => unknown>(
  () => undefined,
  () => 'text',
  (spec) => ({ ...spec, unknownField: 1 }),
  (spec) => ({ ...spec, hosts: ['not a host'], endpoints: [{ address: '169.254.169.254:80' }], timeout: 'soon' }),
  (spec) => ({ ...spec, matches: [{ path: { type: 'RegularExpression', value: '(' } }], tls: {}, requireTls: true }),
);

function idOf({ kind, metadata }: AnyObject): string {
  return objectId(kind, metadata.namespace, metadata.name);
}

function text(entries: readonly Entry[]): string {
  return canonicalText(entries.map(entryJson) as Json);
}

/** The world, stable on it, and one of its objects with a bad spec. */
const worldWithBadObject = fc.tuple(world, fc.nat(), damage).map(([all, index, spoil]) => {
  const candidates = all.filter(
    (object): object is OwnObject => object.kind !== 'ReferenceGrant' && object !== OPEN_FLEET,
  );
  const victim = candidates[index % Math.max(1, candidates.length)];
  const spoiled = victim === undefined ? undefined : { ...victim, spec: spoil(victim.spec as Record<string, unknown>) };
  return { all, victim, spoiled };
});

function check<T>(arbitrary: fc.Arbitrary<T>, seed: number, holds: (value: T) => void): void {
  fc.assert(
    fc.property(arbitrary, (value) => holds(value)),
    { seed, numRuns: RUNS },
  );
}

test('an object that becomes bad changes no byte of what is served', () => {
  check(worldWithBadObject, 11, ({ all, victim, spoiled }) => {
    if (victim === undefined || spoiled === undefined) return;
    const before = assembled(all);
    const after = assembled(
      all.map((object) => (object === victim ? spoiled : object)),
      stableOf(before),
    );
    assert.equal(text(after.entries), text(before.entries));
    // A policy or pool of the same spec that was damaged harmlessly for its kind would prove nothing.
    assert.equal(after.objects.get(idOf(victim))?.accepted.status ?? 'False', 'False');
  });
});

test('a bad object among new ones is as if it were not there', () => {
  check(worldWithBadObject, 12, ({ all, victim, spoiled }) => {
    if (victim === undefined || spoiled === undefined) return;
    const without = assembled(all.filter((object) => object !== victim));
    const with_ = assembled(all.map((object) => (object === victim ? spoiled : object)));
    assert.equal(text(with_.entries), text(without.entries));
  });
});

test('the order of objects makes no difference', () => {
  check(fc.tuple(world, world, fc.array(fc.nat(), { minLength: 30, maxLength: 30 })), 13, ([before, after, noise]) => {
    const shuffled = after
      .map((object, i) => ({ object, key: noise[i] ?? 0 }))
      .sort((a, b) => a.key - b.key)
      .map(({ object }) => object);
    const stable = stableOf(assembled(before));
    const [one, other] = [assembled(after, stable), assembled(shuffled, stable)];
    assert.equal(text(other.entries), text(one.entries));
    assert.deepEqual([...other.objects], [...one.objects]);
    assert.deepEqual(other.revoked, one.revoked);
  });
});

test('what was decided once stays decided: the same objects on top of their own outcome change nothing', () => {
  check(fc.tuple(world, world), 14, ([before, after]) => {
    const first = assembled(after, stableOf(assembled(before)));
    const second = assembled(after, stableOf(first));
    assert.equal(text(second.entries), text(first.entries));
    assert.deepEqual(second.revoked, []);
  });
});

/** All references lead somewhere, and no two objects are of one age: what is then decided depends on nothing earlier. */
const resolvedWorld = fc.tuple(objects('ProxyRoute', routeSpec, 7), fc.boolean()).map(([routes, late]): AnyObject[] => {
  const pools = NAMESPACES.flatMap((ns) =>
    ['one', 'two', 'three'].map((n) => own('UpstreamPool', `${ns}/${n}`, { endpoints: [] })),
  );
  const policies = NAMESPACES.flatMap((ns) =>
    ['one', 'two', 'three'].map((n) => own('TrafficPolicy', `${ns}/${n}`, {})),
  );
  const aged = routes.map((route) => {
    const place =
      NAMESPACES.indexOf(route.metadata.namespace) * 3 + ['one', 'two', 'three'].indexOf(route.metadata.name);
    const second = String(late ? 59 - place : place).padStart(2, '0');
    return own(
      'ProxyRoute',
      `${route.metadata.namespace}/${route.metadata.name}`,
      route.spec,
      `2026-01-01T00:00:${second}Z`,
    );
  });
  return [OPEN_FLEET, ...aged, ...pools, ...policies, ...NAMESPACES.map(openNamespace)];
});

test('putting the old objects back gives the old bytes back', () => {
  check(fc.tuple(resolvedWorld, world), 15, ([original, detour]) => {
    const first = assembled(original);
    const between = assembled(detour, stableOf(first));
    const back = assembled(original, stableOf(between));
    assert.equal(text(back.entries), text(first.entries));
  });
});

test('every document that comes out compiles, and its fragments are those that are named', () => {
  check(fc.tuple(world, world), 16, ([before, after]) => {
    const assembly = assembled(after, stableOf(assembled(before)));
    assert.equal(hasErrors(compileEntries(assembly.entries).findings), false);
    const fragments: ReadonlyMap<string, Fragment> = stableOf(assembly);
    for (const verdict of assembly.objects.values()) {
      if (verdict.kind === 'ProxyRollout') continue;
      assert.equal(fragments.get(verdict.object)?.digest ?? null, verdict.usedDigest, verdict.object);
    }
  });
});

test('no two routes answer the same requests, and no host has two namespaces', () => {
  check(fc.tuple(world, world), 17, ([before, after]) => {
    const { entries } = assembled(after, stableOf(assembled(before)));
    assert.deepEqual(
      compileEntries(entries).findings.filter(({ reason }) => reason === 'Overlapped'),
      [],
    );
    const owners = new Map<string, string>();
    for (const entry of entries) {
      if (entry.section !== 'routes') continue;
      const [ns = ''] = entry.id.split('/');
      for (const host of entry.value.hosts ?? []) {
        assert.equal(owners.get(host) ?? ns, ns, host);
        owners.set(host, ns);
      }
    }
  });
});
