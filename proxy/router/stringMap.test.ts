import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { StringMap, type Edit } from './stringMap.ts';

/** Enough keys that leaves are split, a few of which are changed again and again. */
const keys = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'ab'),
  fc.nat(2_000).map((n) => `key-${n}`),
);
const changes = fc.array(fc.tuple(keys, fc.option(fc.nat(9), { nil: undefined })), { maxLength: 60 });

function assertSame(map: StringMap<number>, model: ReadonlyMap<string, number>): void {
  assert.equal(map.size, model.size);
  assert.deepEqual(map.onlyEntry(), model.size === 1 ? [...model][0] : undefined);
  for (let n = 0; n < 2_000; n += 13) assert.equal(map.get(`key-${n}`), model.get(`key-${n}`));
  for (const [key, value] of model) assert.equal(map.get(key), value, key);
}

test('a map holds what a plain map holds, and earlier versions keep what they had', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(changes, { maxLength: 4 }), (large, edits) => {
      let map = StringMap.empty<number>();
      const first: Edit = {};
      const model = new Map<string, number>();
      for (let n = 0, count = large ? 1_000 : 0; n < count; n += 1) {
        map = map.set(`key-${n}`, n, first);
        model.set(`key-${n}`, n);
      }
      const versions: (readonly [StringMap<number>, ReadonlyMap<string, number>])[] = [];
      for (const list of edits) {
        versions.push([map, new Map(model)]);
        const edit: Edit = {};
        for (const [key, value] of list) {
          map = value === undefined ? map.delete(key, edit) : map.set(key, value, edit);
          if (value === undefined) model.delete(key);
          else model.set(key, value);
        }
        assertSame(map, model);
      }
      for (const [version, had] of versions) assertSame(version, had);
    }),
    { seed: 61, numRuns: 150 },
  );
});

test('a map of 20,000 keys finds each of them, and none when all are deleted', () => {
  const edit: Edit = {};
  let map = StringMap.empty<number>();
  for (let n = 0; n < 20_000; n += 1) map = map.set(`k${n}`, n, edit);
  assert.equal(map.size, 20_000);
  for (let n = 0; n < 20_000; n += 1) assert.equal(map.get(`k${n}`), n);
  assert.equal(map.get('k20000'), undefined);
  const other: Edit = {};
  let less = map;
  for (let n = 0; n < 19_999; n += 1) less = less.delete(`k${n}`, other);
  assert.deepEqual(less.onlyEntry(), ['k19999', 19_999]);
  less = less.delete('k19999', other);
  assert.deepEqual([less.size, less.get('k7'), map.get('k7')], [0, undefined, 7]);
});
