import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { covers, hostKey, hostPlan } from './hosts.ts';
import type { HostPlan } from './plan.ts';

function plan(text: string): HostPlan {
  const host = hostPlan(text);
  assert.ok(host.ok, text);
  return host.value;
}

describe('a host of a route', () => {
  test('is an expression only when it is neither hostname, wildcard nor address', () => {
    const kinds = ['a.example.com', '*.example.com', '*', '10.0.0.1', '::1', '[::1]', '.*', 'a.*', '[ab]\\.com'];
    assert.deepEqual(
      kinds.map((text) => plan(text).kind),
      ['exact', 'wildcard', 'any', 'exact', 'exact', 'exact', 'regex', 'regex', 'regex'],
    );
  });

  test('is refused where it looks like a slip of the pen', () => {
    for (const text of [
      'a..b',
      '-a.com',
      'a.com:80',
      'https://a.com',
      'a.com/x',
      'a b',
      '.example.com',
      '*.',
      '**.com',
    ])
      assert.equal(hostPlan(text).ok, false, text);
  });
});

describe('hosts that cover another', () => {
  const table: readonly (readonly [wide: string, narrow: string, covered: boolean])[] = [
    ['*', '.*', true],
    ['*', 'a.com', true],
    ['a.com', 'A.com.', true],
    ['a.com', 'b.com', false],
    ['a.com', '*', false],
    ['*.com', 'a.b.com', true],
    ['*.com', 'com', false],
    ['*.b.com', '*.a.b.com', true],
    ['*.a.b.com', '*.b.com', false],
    ['*.b.com', '*.xb.com', false],
    ['[ab]\\.com', 'a.com', true],
    ['[ab]\\.com', 'c.com', false],
    ['[ab]\\.com', '[ab]\\.com', true],
    ['[ab]\\.com', '[a]\\.com', false],
  ];
  for (const [wide, narrow, covered] of table) {
    test(`${wide} ${covered ? 'covers' : 'does not cover'} ${narrow}`, () =>
      assert.equal(covers([plan(wide)], plan(narrow)), covered));
  }
});

test('different hosts have different keys', () => {
  const hosts = ['a.com', '*.com', '*', '.*', 'x.*'].map(plan);
  assert.equal(new Set(hosts.map(hostKey)).size, hosts.length);
});
