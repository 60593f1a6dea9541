import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseManifest, splitDocuments } from './manifest.ts';

const messages = (text: string) => parseManifest(text).problems.map(({ line, message }) => `${line}: ${message}`);

describe('splitting a file', () => {
  test('goes by lines of three dashes, and keeps the number of each first line', () => {
    assert.deepEqual(splitDocuments('a: 1\n---\nb: 2\n--- # note\nc: 3\n---\n\n'), [
      { text: 'a: 1\n', line: 1 },
      { text: '\nb: 2\n', line: 2 },
      { text: ' # note\nc: 3\n', line: 4 },
    ]);
  });

  test('takes longer dashes, and dashes elsewhere, for text', () => {
    assert.equal(splitDocuments('a: |\n  ---\n----\nb: "---"\n').length, 1);
  });

  test('works with carriage returns', () => {
    assert.deepEqual(
      splitDocuments('a: 1\r\n---\r\nb: 2\r\n').map(({ line }) => line),
      [1, 2],
    );
  });

  test('finds nothing in an empty file', () => {
    assert.deepEqual(splitDocuments(' \n\n---\n'), []);
  });
});

describe('a document', () => {
  test('is one object, YAML or JSON', () => {
    assert.deepEqual(parseManifest('\n\na: 1').objects, [{ value: { a: 1 }, line: 2 }]);
    assert.deepEqual(parseManifest('{"a": [1, "\\u00e4"]}').objects, [{ value: { a: [1, 'ä'] }, line: 0 }]);
  });

  test('of comments only is nothing', () => {
    assert.deepEqual(parseManifest('# just a note\n'), { objects: [], problems: [] });
  });

  test('of kind List is its items, each with its line', () => {
    const { objects, problems } = parseManifest('apiVersion: v1\nkind: List\nitems:\n- {a: 1}\n- text\n- b: 2\n');
    assert.deepEqual(objects, [
      { value: { a: 1 }, line: 3 },
      { value: { b: 2 }, line: 5 },
    ]);
    assert.deepEqual(problems, [{ line: 4, message: 'items[1] must be an object' }]);
    assert.deepEqual(messages('apiVersion: v1\nkind: List\n'), ['0: a List must have items']);
  });

  test('with a syntax error says where', () => {
    assert.deepEqual(messages('a: 1\nb: [1,\nc: 2\n').length, 1);
    assert.match(messages('a: 1\nb: "x\n')[0] ?? '', /^2: Missing closing "quote/);
    assert.match(messages('a: 1\na: 2\n')[0] ?? '', /^1: Map keys must be unique/);
  });

  test('that is no object is refused', () => {
    assert.deepEqual(messages('[1, 2]'), ['0: must be an object with apiVersion and kind']);
    assert.deepEqual(messages('text'), ['0: must be an object with apiVersion and kind']);
  });

  test('keeps a key named __proto__ as a key', () => {
    const [object] = parseManifest('__proto__: {polluted: true}').objects;
    assert.deepEqual(Object.keys(object?.value ?? {}), ['__proto__']);
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });
});

describe('a document that was made to hurt', () => {
  test('is refused where its aliases would blow up', () => {
    const level = (i: number) =>
      `l${i}: &l${i} [${Array(9)
        .fill(`*l${i - 1}`)
        .join(', ')}]\n`;
    const laughs = `l0: &l0 [ha]\n${Array.from({ length: 9 }, (_, i) => level(i + 1)).join('')}`;
    assert.match(messages(laughs)[0] ?? '', /alias/);
  });

  test('is refused where an alias names nothing, or itself', () => {
    assert.match(messages('a: *nothing')[0] ?? '', /alias/);
    assert.match(messages('a: &a [*a, *a]')[0] ?? '', /nested more than 200 deep/);
    assert.match(messages('a: &a {b: {c: *a}, d: 1}')[0] ?? '', /nested more than 200 deep/);
    assert.match(messages('a: &a {<<: 1}')[0] ?? '', /Merge sources/);
  });

  test('is refused where it is nested beyond reason, by any means', () => {
    const depth = 5_000;
    for (const text of [
      '['.repeat(depth) + ']'.repeat(depth),
      '{a: '.repeat(depth) + '1' + '}'.repeat(depth),
      '- '.repeat(depth) + 'x',
      '['.repeat(depth),
      `a: &a ${'['.repeat(300)}${']'.repeat(300)}\nb: *a`,
    ]) {
      assert.match(messages(text)[0] ?? '', /nested more than 200 deep/);
    }
  });

  test('is refused where a key is a collection, before anything is made of it', () => {
    assert.deepEqual(messages(`${'? '.repeat(60)}x`), ['0: keys must be text']);
    assert.deepEqual(messages('[a, b]: 1'), ['0: keys must be text']);
  });

  test('never throws, whatever it is', () => {
    const piece = fc.constantFrom(
      'a',
      ': ',
      '\n',
      '- ',
      '? ',
      '[',
      ']',
      '{',
      '}',
      '&x ',
      '*x',
      '"',
      "'",
      '|',
      '>',
      '!!map ',
      '#',
      '\t',
      '%',
      '\0',
      '<<: ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const { objects, problems } = parseManifest(pieces.join(''));
        assert.ok(objects.length === 0 || problems.length === 0);
      }),
      { seed: 7, numRuns: 2_000 },
    );
  });
});
