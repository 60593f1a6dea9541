import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { entryKey } from '../../proxy/contract/document/entries.ts';
import { emptyObjectSet } from '../objects/objectSet.ts';
import { assemble } from './assemble.ts';
import { assembled, inputOf, OPEN_FLEET, own, pool, route, stableOf } from './testkit.ts';
import type { Assembly } from './types.ts';

const keys = ({ entries }: Pick<Assembly, 'entries'>) => entries.map(entryKey);
const used = ({ objects }: Assembly, id: string) => objects.get(id)?.used;
const WEB = 'ProxyRoute/shop/web';

describe('what is not referred to', () => {
  test('is not in the document, and says so', () => {
    const assembly = assembled([OPEN_FLEET, pool('shop/web')]);
    assert.deepEqual(assembly.entries, []);
    assert.equal(assembly.objects.get('UpstreamPool/shop/web')?.referenced, false);
  });

  test('is judged by the operator of the default fleet only', () => {
    const input = inputOf([
      OPEN_FLEET,
      pool('shop/web'),
      route('shop/web', 'a.org', { fleetRef: { name: 'main', namespace: 'edge' } }),
    ]);
    assert.equal(assemble({ ...input, defaultFleet: null }).objects.has('UpstreamPool/shop/web'), true);
    const lonely = inputOf([OPEN_FLEET, pool('shop/web')]);
    assert.equal(assemble({ ...lonely, defaultFleet: null }).objects.has('UpstreamPool/shop/web'), false);
  });
});

describe('a route without fleetRef', () => {
  test('belongs to no fleet where there is no default', () => {
    const assembly = assembled([OPEN_FLEET, pool('shop/web'), route('shop/web', 'a.org')], undefined, {
      defaultFleet: null,
    });
    assert.deepEqual(assembly.entries, []);
    assert.equal(assembly.objects.has(WEB), false);
  });

  test('that moves to another fleet leaves this one', () => {
    const objects = [OPEN_FLEET, pool('shop/web'), route('shop/web', 'a.org')];
    const other = own('ProxyRollout', 'edge/other', {});
    const moved = route('shop/web', 'a.org', { fleetRef: { name: 'other', namespace: 'edge' } });
    const assembly = assembled([OPEN_FLEET, other, pool('shop/web'), moved], stableOf(assembled(objects)));
    assert.deepEqual(assembly.entries, []);
    assert.equal(assembly.objects.has(WEB), false);
  });
});

describe('a hold', () => {
  const before = [OPEN_FLEET, pool('shop/web'), route('shop/web', 'a.org')];
  const stable = stableOf(assembled(before));
  const changed = [OPEN_FLEET, pool('shop/web'), route('shop/web', 'b.org')];
  const digest = assembled(changed, stable).objects.get(WEB)?.desiredDigest ?? null;

  test('keeps out the version that it names, and still says what is asked for', () => {
    const assembly = assembled(changed, stable, { holds: [{ object: WEB, digest }] });
    assert.deepEqual(assembly.entries, assembled(before).entries);
    assert.equal(used(assembly, WEB), 'held');
    assert.equal(assembly.objects.get(WEB)?.desiredDigest, digest);
  });

  test('ends when the object changes', () => {
    const again = [OPEN_FLEET, pool('shop/web'), route('shop/web', 'c.org')];
    assert.equal(used(assembled(again, stable, { holds: [{ object: WEB, digest }] }), WEB), 'current');
  });

  test('is no matter when the object is what stable has', () => {
    const stableDigest = stable.get(WEB)?.digest ?? null;
    assert.equal(used(assembled(before, stable, { holds: [{ object: WEB, digest: stableDigest }] }), WEB), 'current');
  });

  test('of a deletion keeps the object for as long as it is gone', () => {
    const holds = [{ object: WEB, digest: null }];
    const gone = assembled([OPEN_FLEET, pool('shop/web')], stable, { holds });
    assert.deepEqual(gone.entries, assembled(before).entries);
    assert.equal(gone.objects.get(WEB)?.exists, false);
    assert.equal(used(assembled(changed, stable, { holds }), WEB), 'current');
  });

  test('of a version that a conflict narrowed names what was left of it', () => {
    const objects = [
      OPEN_FLEET,
      pool('shop/web'),
      route('aaa/first', 'a.org'),
      route('shop/web', 'a.org', { hosts: ['a.org', 'b.org'] }),
    ];
    const narrowed = assembled(objects).objects.get(WEB)?.desiredDigest ?? null;
    const assembly = assembled(objects, undefined, { holds: [{ object: WEB, digest: narrowed }] });
    assert.equal(used(assembly, WEB), 'held');
    assert.ok(!keys(assembly).includes('routes/shop/web'));
  });
});

describe('an incomplete set of objects', () => {
  test('takes nothing for deleted', () => {
    const before = [OPEN_FLEET, pool('shop/web'), route('shop/web', 'a.org')];
    const input = inputOf([OPEN_FLEET], stableOf(assembled(before)));
    const assembly = assemble({ ...input, objects: { ...input.objects, complete: false } });
    assert.deepEqual(assembly.entries, assembled(before).entries);
    assert.deepEqual(assembled([OPEN_FLEET], stableOf(assembled(before))).entries, []);
  });

  test('without the fleet keeps everything as it was', () => {
    const stable = stableOf(assembled([OPEN_FLEET, pool('shop/web'), route('shop/web', 'a.org')]));
    const input = { ...inputOf([], stable), objects: emptyObjectSet() };
    assert.deepEqual(stableOf(assemble(input)), stable);
  });
});

describe('what is no longer permitted', () => {
  const grant = {
    kind: 'ReferenceGrant' as const,
    metadata: { name: 'shop', namespace: 'infra' },
    from: [{ group: 'modernproxy.io', kind: 'ProxyRoute', namespace: 'shop' }],
    to: [{ group: 'modernproxy.io', kind: 'UpstreamPool' }],
  };
  const cross = route('shop/web', 'a.org', { poolRef: { name: 'web', namespace: 'infra' } });
  const objects = [OPEN_FLEET, pool('infra/web'), cross];
  const stable = stableOf(assembled([...objects, grant]));

  test('acts on stable itself, beside the next document', () => {
    const revoked = assembled(objects, stable);
    assert.deepEqual(revoked.revoked, [WEB]);
    assert.deepEqual(revoked.permittedStable, revoked.entries);
    assert.deepEqual(assembled([...objects, grant], stable).revoked, []);
  });

  test('acts on the last accepted version of an object that is invalid now', () => {
    const invalid = own('ProxyRoute', 'shop/web', { hosts: 'a.org' });
    const assembly = assembled([OPEN_FLEET, pool('infra/web'), invalid], stable);
    const [entry] = assembly.entries;
    assert.equal(entry?.section === 'routes' ? entry.value.pool : undefined, 'not-permitted');
  });

  test('comes back with the permission, to the very same bytes', () => {
    const without = stableOf(assembled(objects, stable));
    assert.deepEqual(stableOf(assembled([...objects, grant], without)), stable);
  });

  test('is the part of a namespace that the fleet does not take any more', () => {
    const before = [
      OPEN_FLEET,
      pool('shop/web'),
      route('shop/web', 'a.org'),
      pool('edge/web'),
      route('edge/web', 'b.org'),
    ];
    const closed = own('ProxyRollout', 'edge/main', {});
    const assembly = assembled([closed, ...before.slice(1)], stableOf(assembled(before)));
    assert.deepEqual(keys(assembly), ['pools/edge/web', 'routes/edge/web']);
    assert.deepEqual(assembly.revoked, [WEB]);
    assert.deepEqual(assembly.permittedStable, assembly.entries);
  });
});

test('an earlier assembly makes the next one faster, and no different', () => {
  const objects = [OPEN_FLEET, pool('shop/web'), route('shop/web', 'a.org')];
  const first = assembled(objects);
  const input = inputOf([...objects, route('shop/more', 'b.org')], stableOf(first));
  const [with_, without] = [assemble(input, first), assemble(input)];
  assert.deepEqual(with_.entries, without.entries);
  assert.deepEqual(with_.compiled.plan, without.compiled.plan);
  assert.equal(with_.compiled.plan?.routes.get('shop/web'), first.compiled.plan?.routes.get('shop/web'));
});

test('too many expressions fall on the new ones, not on what is served', () => {
  const fleet = own('ProxyRollout', 'edge/main', {
    fleet: { allowedNamespaces: { from: 'All' }, hostClaims: [{ host: '*', namespaces: ['shop'] }] },
  });
  const hosts = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}[.]org`);
  const many = (id: string, prefix: string, count: number) =>
    own('ProxyRoute', id, { hostRegexes: hosts(prefix, count), poolRef: { name: 'web' } });
  // The compiler names the route that comes last by id, which here is the one that was there first.
  const served = Array.from({ length: 4 }, (_, i) => many(`shop/z${i}`, `z${i}x`, 16));
  const stable = stableOf(assembled([fleet, pool('shop/web'), ...served]));
  assert.equal(stable.size, 5);
  const assembly = assembled([fleet, pool('shop/web'), ...served, many('shop/a', 'a', 16)], stable);
  assert.deepEqual(stableOf(assembly), stable);
  assert.equal(assembly.objects.get('ProxyRoute/shop/a')?.accepted.reason, 'UnsafeRegex');
});
