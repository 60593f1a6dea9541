import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { hostKind, lostHosts, type HostRules, type HostUser } from './hosts.ts';

const NO_RULES: HostRules = { claims: [], currentOwners: new Map() };

function user(namespace: string, hosts: readonly string[], createdAtMs = Number.POSITIVE_INFINITY): HostUser {
  return { object: `ProxyRoute/${namespace}/web`, namespace, createdAtMs, hosts };
}

function owners(...pairs: readonly (readonly [string, string])[]): HostRules {
  return { claims: [], currentOwners: new Map(pairs.map(([host, namespace]) => [host, new Set([namespace])])) };
}

/** Lost hosts by namespace, as text. */
function lost(users: readonly HostUser[], rules: HostRules = NO_RULES): Record<string, string[]> {
  const entries = [...lostHosts(users, rules)].map(([object, list]) => [object.split('/')[1], list.map((l) => l.host)]);
  return Object.fromEntries(entries) as Record<string, string[]>;
}

describe('a host without a claim', () => {
  test('belongs to the namespace of the oldest route', () => {
    assert.deepEqual(lost([user('b', ['x.org'], 1), user('a', ['x.org', 'y.org'], 2)]), { a: ['x.org'] });
  });

  test('is shared by all routes of its namespace', () => {
    const sibling = { ...user('a', ['x.org'], 3), object: 'ProxyRoute/a/other' };
    assert.deepEqual(lost([user('a', ['x.org'], 1), user('b', ['x.org'], 2), sibling]), { b: ['x.org'] });
  });

  test('stays with who has it, where routes have no age', () => {
    assert.deepEqual(lost([user('a', ['x.org']), user('b', ['x.org'])], owners(['x.org', 'b'])), { a: ['x.org'] });
  });

  test('goes by name where routes have no age and nobody has it', () => {
    assert.deepEqual(lost([user('b', ['x.org']), user('a', ['x.org'])]), { b: ['x.org'] });
  });

  test('goes to the older route even from who has it', () => {
    const users = [user('a', ['x.org'], 2), user('b', ['x.org'], 1)];
    assert.deepEqual(lost(users, owners(['x.org', 'a'])), { a: ['x.org'] });
  });

  test('is denied with a message that names the winner', () => {
    const [entry] =
      lostHosts([user('a', ['x.org'], 1), user('b', ['x.org'], 2)], NO_RULES).get('ProxyRoute/b/web') ?? [];
    assert.equal(entry?.reason, 'HostConflict');
    assert.match(entry.message, /namespace a, by ProxyRoute\/a\/web/);
  });
});

describe('a wildcard', () => {
  test('keeps the names below it for its namespace', () => {
    const users = [user('a', ['*.x.org'], 1), user('b', ['login.x.org', '*.deep.x.org', 'a.b.x.org', 'x.org'], 2)];
    assert.deepEqual(lost(users), { b: ['a.b.x.org', 'login.x.org', '*.deep.x.org'] });
  });

  test('leaves a name below it that is older where it is', () => {
    assert.deepEqual(lost([user('b', ['old.x.org'], 1), user('a', ['*.x.org'], 2)]), {});
  });

  test('and a name below it of equal age live side by side, now and later', () => {
    const users = [user('a', ['*.x.org']), user('b', ['y.x.org'])];
    assert.deepEqual(lost(users), {});
    assert.deepEqual(lost(users, owners(['*.x.org', 'a'], ['y.x.org', 'b'])), {});
  });

  test('that is taken already keeps a new name out, though names go before wildcards', () => {
    assert.deepEqual(lost([user('a', ['y.x.org']), user('b', ['*.x.org'])], owners(['*.x.org', 'b'])), {
      a: ['y.x.org'],
    });
  });

  test('is judged by the nearest one: who has it may have what is below', () => {
    const users = [user('a', ['*.x.org'], 2), user('b', ['*.y.x.org'], 1), user('b', ['z.y.x.org'], 3)];
    assert.deepEqual(lost(users), {});
  });

  test('is not a suffix: names that merely end alike are others', () => {
    assert.deepEqual(lost([user('a', ['*.x.org'], 1), user('b', ['evilx.org', 'x.org'], 2)]), {});
  });
});

describe('a claim', () => {
  const claims = [
    { host: 'x.org', namespaces: ['a', 'b'] },
    { host: '*.bank.org', namespaces: ['bank'] },
    { host: '*', namespaces: ['edge'] },
  ];

  test('goes before age, and lets its namespaces share the host', () => {
    const users = [user('c', ['x.org'], 1), user('b', ['x.org'], 3), user('a', ['x.org'], 2)];
    assert.deepEqual(lost(users, { ...NO_RULES, claims }), { c: ['x.org'] });
  });

  test('of a wildcard covers the names below it', () => {
    const users = [user('c', ['login.bank.org'], 1), user('bank', ['www.bank.org'], 2)];
    assert.deepEqual(lost(users, { ...NO_RULES, claims }), { c: ['login.bank.org'] });
  });

  test('of a name goes before that of the wildcard above it', () => {
    const more = [...claims, { host: 'login.bank.org', namespaces: ['c'] }];
    const users = [user('c', ['login.bank.org']), user('bank', ['login.bank.org'])];
    assert.deepEqual(lost(users, { ...NO_RULES, claims: more }), { bank: ['login.bank.org'] });
  });

  test('of * is what regexes and * need, and covers no other host', () => {
    const users = [user('edge', ['*', '.*[.]org']), user('c', ['*', '(?:x)', 'free.org'])];
    assert.deepEqual(lost(users, { ...NO_RULES, claims }), { c: ['*', '(?:x)'] });
    assert.deepEqual(lost([user('c', ['*'])]), { c: ['*'] });
  });
});

test('hosts are told apart by their text', () => {
  assert.deepEqual(['x.org', '*.x.org', '*', 'x[.]org', '(?:x.org)', '*x.org'].map(hostKind), [
    'name',
    'wildcard',
    'any',
    'regex',
    'regex',
    'regex',
  ]);
});

describe('whatever the routes', () => {
  const host = fc.constantFrom('a.org', 'b.a.org', 'c.b.a.org', '*.a.org', '*.b.a.org', '*.org', 'z.org');
  const users = fc
    .array(
      fc.tuple(
        fc.constantFrom('n1', 'n2', 'n3'),
        fc.uniqueArray(host, { maxLength: 3 }),
        fc.constantFrom(1, 2, Infinity),
      ),
      { maxLength: 6 },
    )
    .map((list) =>
      list.map(([namespace, hosts, createdAtMs], i) => ({
        object: `ProxyRoute/${namespace}/r${i}`,
        namespace,
        hosts,
        createdAtMs,
      })),
    );
  const kept = (list: readonly HostUser[], rules: HostRules) => {
    const gone = lostHosts(list, rules);
    return list.map((u) => ({ ...u, hosts: u.hosts.filter((h) => !gone.get(u.object)?.some((l) => l.host === h)) }));
  };
  const ownersOf = (list: readonly HostUser[]): HostRules => {
    const currentOwners = new Map<string, Set<string>>();
    for (const u of list) {
      for (const h of u.hosts) currentOwners.set(h, (currentOwners.get(h) ?? new Set()).add(u.namespace));
    }
    return { claims: [], currentOwners };
  };

  test('a host has one namespace at most', () => {
    fc.assert(
      fc.property(users, (list) => {
        for (const [, namespaces] of ownersOf(kept(list, NO_RULES)).currentOwners) assert.equal(namespaces.size, 1);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test('order makes no difference, and what was decided once stays decided', () => {
    fc.assert(
      fc.property(users, (list) => {
        const first = kept(list, NO_RULES);
        assert.deepEqual(kept([...list].reverse(), NO_RULES).reverse(), first);
        assert.deepEqual(kept(list, ownersOf(first)), first);
      }),
      { seed: 2, numRuns: 500 },
    );
  });
});
