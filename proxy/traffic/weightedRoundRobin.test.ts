import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Cursor, WeightedRoundRobin } from './weightedRoundRobin.ts';

interface Named {
  readonly name: string;
  readonly weight: number;
  readonly endpoint: { credit: number };
}

function targets(weights: Record<string, number>): Named[] {
  return Object.entries(weights).map(([name, weight]) => ({ name, weight, endpoint: { credit: 0 } }));
}

function picks(balancer: WeightedRoundRobin<Named>, count: number): string {
  return Array.from({ length: count }, () => balancer.pick()?.name ?? '-').join('');
}

describe('weighted round robin', () => {
  test('a heavy endpoint is spread out, not served in a burst', () => {
    const balancer = new WeightedRoundRobin(targets({ a: 5, b: 1, c: 1 }), { position: 0 });
    assert.equal(picks(balancer, 14), 'aabacaaaabacaa');
  });

  test('equal weights take turns', () => {
    assert.equal(picks(new WeightedRoundRobin(targets({ a: 3, b: 3, c: 3 }), { position: 0 }), 7), 'abcabca');
  });

  test('over one round of the weights every endpoint is picked exactly as often as it weighs', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 12 }), (weights) => {
        const list = targets(Object.fromEntries(weights.map((weight, index) => [`e${index}`, weight])));
        const balancer = new WeightedRoundRobin(list, { position: 0 });
        const counts = new Map<string, number>();
        const round = weights.reduce((sum, weight) => sum + weight, 0);
        for (let i = 0; i < round; i += 1) {
          const name = balancer.pick()?.name ?? 'none';
          counts.set(name, (counts.get(name) ?? 0) + 1);
        }
        for (const { name, weight } of list) assert.equal(counts.get(name) ?? 0, weight);
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  test('weight 0 gets nothing, and nothing but weight 0 is no endpoint at all', () => {
    assert.equal(picks(new WeightedRoundRobin(targets({ a: 0, b: 2 }), { position: 0 }), 3), 'bbb');
    assert.equal(new WeightedRoundRobin(targets({ a: 0 }), { position: 0 }).pick(), undefined);
    assert.equal(new WeightedRoundRobin<Named>([], { position: 0 }).pick(), undefined);
  });

  test('what was tried is passed over, until nothing is left', () => {
    for (const weights of [
      { a: 1, b: 1, c: 1 },
      { a: 7, b: 1, c: 2 },
    ]) {
      const list = targets(weights);
      const balancer = new WeightedRoundRobin(list, { position: 0 });
      const tried: { credit: number }[] = [];
      const seen: string[] = [];
      for (let target = balancer.pick(tried); target !== undefined; target = balancer.pick(tried)) {
        tried.push(target.endpoint);
        seen.push(target.name);
      }
      assert.deepEqual(seen.sort(), ['a', 'b', 'c']);
    }
  });

  test('a change of targets goes on where the old ones stood', () => {
    const cursor: Cursor = { position: 0 };
    const [a, b, c] = targets({ a: 1, b: 1, c: 1 }) as [Named, Named, Named];
    assert.equal(picks(new WeightedRoundRobin([a, b, c], cursor), 2), 'ab');
    assert.equal(picks(new WeightedRoundRobin([a, b, c], cursor), 1), 'c');
    assert.equal(picks(new WeightedRoundRobin([a, b], cursor), 2), 'ba');
  });
});
