import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { canonicalBytes, canonicalText, type Json } from '../contract/canonical.ts';
import { parseCanonical } from './json.ts';
import { reasonOf, unwrap } from './testkit.ts';

const taken = (text: string) => parseCanonical(Buffer.from(text), 'it').ok;

describe('parseCanonical', () => {
  test('takes the canonical form of every value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const bytes = canonicalBytes(value);
        assert.deepEqual(canonicalBytes(unwrap(parseCanonical(bytes, 'it')) as Json), bytes);
      }),
      { numRuns: 500, seed: 5 },
    );
  });

  test('takes any other text only if it is the canonical one', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.constantFrom(0, 1), (text, indent) => {
        const value = JSON.parse(text) as Json;
        const other = JSON.stringify(value, null, indent);
        assert.equal(taken(other), other === canonicalText(value));
        assert.equal(taken(text), text === canonicalText(value));
      }),
      { numRuns: 500, seed: 6 },
    );
  });

  test('knows the order of keys: by UTF-16, also of numbers and of names that every object has', () => {
    assert.ok(taken('{"10":1,"9":1}'));
    assert.ok(!taken('{"9":1,"10":1}'));
    assert.ok(taken('{"__proto__":1,"constructor":{"a":[],"b":{}},"toJSON":1}'));
    assert.ok(!taken('{"constructor":{"b":{},"a":[]}}'));
    assert.ok(!taken('[{"b":1,"a":1}]'));
    assert.ok(!taken('{"a":1,"a":1}'));
  });

  test('refuses other spellings of numbers and strings', () => {
    for (const text of ['1.0', '1e2', '-0', '1E400', '"\\u0041"', '"\\/"', '"\\u000A"', '01', ' 1', '1 ', '\ufeff1']) {
      assert.ok(!taken(text), text);
    }
    for (const text of ['1', '100', '1e+21', '"A"', '"/"', '"\\n"', '"\\u001f"']) assert.ok(taken(text), text);
  });

  test('refuses half a surrogate pair, and takes a backslash that only looks like one', () => {
    assert.ok(!taken('"\\ud800"'));
    assert.ok(!taken('{"\\udfff":1}'));
    assert.ok(taken('"\\\\ud800"'));
    assert.ok(taken('"😀"'));
  });

  test('refuses invalid UTF-8, also where its replacement would have as many bytes', () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xf0, 0x9f, 0x98, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
    ]) {
      assert.equal(reasonOf(parseCanonical(Buffer.from(bytes), 'it')), 'Malformed');
    }
    assert.ok(taken('"\ufffd"'));
  });

  test('follows any depth', () => {
    for (const depth of [10, 1_000, 3_000, 5_000, 8_000, 20_000, 100_000]) {
      assert.ok(taken('['.repeat(depth) + ']'.repeat(depth)), `${depth}`);
      assert.ok(taken('{"a":'.repeat(depth) + '1' + '}'.repeat(depth)), `${depth}`);
      assert.ok(!taken('['.repeat(depth)), `${depth}`);
    }
  });
});
