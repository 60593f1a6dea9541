import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { digestOfJson, type Digest } from '../../proxy/contract/canonical.ts';
import { changedObjects, split } from './objectOrder.ts';

const fragments = (versions: Readonly<Record<string, string>>): Map<string, Digest> =>
  new Map(Object.entries(versions).map(([object, text]) => [object, digestOfJson(text)]));

describe('changed objects', () => {
  it('are those that differ, came or went, by namespace, name and kind', () => {
    const from = fragments({
      'ProxyRoute/b/x': '1',
      'ProxyRoute/a/y': '1',
      'UpstreamPool/a/x': '1',
      'ProxyRoute/c/z': '1',
    });
    const to = fragments({
      'ProxyRoute/b/x': '2',
      'ProxyRoute/a/x': '1',
      'UpstreamPool/a/x': '2',
      'ProxyRoute/c/z': '1',
    });
    assert.deepEqual(changedObjects(from, to), [
      'ProxyRoute/a/x',
      'UpstreamPool/a/x',
      'ProxyRoute/a/y',
      'ProxyRoute/b/x',
    ]);
  });
});

describe('splitting', () => {
  it('cuts between namespaces, nearest to the middle', () => {
    const objects = ['R/a/1', 'R/b/1', 'R/b/2', 'R/b/3', 'R/c/1', 'R/c/2', 'R/c/3', 'R/c/4'];
    assert.deepEqual(split(objects), [objects.slice(0, 4), objects.slice(4)]);
  });

  it('cuts in the middle of one namespace', () => {
    assert.deepEqual(split(['R/a/1', 'R/a/2', 'R/a/3']), [['R/a/1', 'R/a/2'], ['R/a/3']]);
  });

  it('always gives two parts that are the whole', () => {
    const object = fc.tuple(fc.integer({ max: 3 }), fc.integer({ max: 99 })).map(([ns, name]) => `R/${ns}/${name}`);
    fc.assert(
      fc.property(fc.uniqueArray(object, { minLength: 2, maxLength: 40 }), (objects) => {
        const [left, right] = split(objects);
        assert.ok(left.length > 0 && right.length > 0);
        assert.deepEqual([...left, ...right], objects);
      }),
      { seed: 3, numRuns: 200 },
    );
  });
});
