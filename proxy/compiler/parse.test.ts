import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { limit } from '../contract/limits.ts';
import { parseJson } from './json.ts';
import { parseDocument, parseText } from './parse.ts';

function refused(text: string): string {
  const parsed = parseText(text);
  assert.ok(!parsed.ok, 'the text was taken');
  return `${parsed.error.reason}: ${parsed.error.message}`;
}

describe('the text of a document', () => {
  test('is JSON or YAML, with the same outcome', () => {
    const json = '{"routes": [{"id": "a", "path": "/x", "pool": "p"}], "version": 1}';
    const yaml = 'version: 1\nroutes:\n  - id: a\n    path: /x\n    pool: p\n';
    assert.deepEqual(parseText(json), parseText(yaml));
  });

  test('may be YAML that begins with a brace', () => {
    assert.deepEqual(parseText('{ version: 1 } # a comment'), { ok: true, value: { version: 1 } });
  });

  test('may use anchors, within a limit', () => {
    assert.deepEqual(parseText('a: &x [1]\nb: *x'), { ok: true, value: { a: [1], b: [1] } });
  });

  const table: readonly (readonly [why: string, text: string, error: RegExp])[] = [
    ['it is empty, as a file cut short may be', ' \n', /^Malformed: the text is empty/],
    ['its YAML is malformed, naming the line', 'a: 1\nb: [1', /^Malformed: .*\(line 2\)/],
    ['its JSON is malformed, naming the line', `{\n"a": 1\n"b": 2, ${'x'.repeat(70_000)}`, /^Malformed: .*\(line 3\)/],
    ['its JSON ends early, naming the line', `{"a":\n[1,\n${' '.repeat(70_000)}`, /^Malformed: .*\(line 3\)/],
    ['a YAML key is used twice', 'a: 1\nb: 2\na: 3', /^Malformed: .*unique \(line 3\)/],
    [
      'a JSON key is used twice',
      '{"a": 1,\n"\\u0061": 2}',
      /^Malformed: the key "a" is used twice in one object \(line 2\)/,
    ],
    ['it holds two documents', '--- {}\n--- {}', /^Malformed: .*several YAML documents/],
    ['it has a tag that stands for no plain value', 'a: !!binary aGk=', /^Malformed:/],
    ['it has an unknown tag', 'a: !secret x', /^Malformed:.*tag/i],
    ['it has a number without end', 'a: .inf', /^Malformed: numbers must be finite/],
    ['it has a key that reaches into objects', '__proto__: { admin: true }', /^Malformed: .*__proto__/],
    ['it has such a key in JSON', '{"a": {"__proto__": {}}}', /^Malformed: .*__proto__/],
    ['it is nested too deep', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`, /^Malformed: .*deeper than 64/],
    ['it is nested so deep that parsers fall over', '['.repeat(200_000), /^Malformed: /],
    ['it is nested so deep that YAML parsers fall over', 'a: '.concat('{a: '.repeat(20_000)), /^Malformed: /],
    ['an anchor refers to itself', 'a: &a [*a]', /^Malformed: /],
  ];
  for (const [why, text, error] of table) {
    test(`is refused when ${why}`, () => assert.match(refused(text), error));
  }

  test('is refused when its aliases would grow without measure', () => {
    const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(9)}*l${i}]`);
    assert.match(refused(['l0: &l0 [x]', ...levels].join('\n')), /^Malformed: .*alias/);
  });

  test('is refused when it is over the size limit, before it is parsed', () => {
    assert.match(refused(' '.repeat(limit('inputFileBytes') + 1)), /^TooLarge:/);
  });
});

test('findings of a text name its source', () => {
  const { document, findings } = parseDocument('routes: 7', 'conf/x.yaml');
  assert.equal(document, undefined);
  assert.deepEqual(
    findings.map(({ source, path, reason }) => ({ source, path, reason })),
    [{ source: 'conf/x.yaml', path: 'routes', reason: 'Invalid' }],
  );
});

test('JSON without repeated keys is what JSON.parse makes of it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.nat(2), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      assert.deepEqual(parseJson(text), { ok: true, value: JSON.parse(text) as unknown });
    }),
    { seed: 31, numRuns: 500 },
  );
});

test('no text at all makes the parser throw', () => {
  const pieces = fc.constantFrom(
    'a',
    ':',
    ' ',
    '\n',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '&a ',
    '*a',
    '!',
    '|',
    '#',
    '? ',
    '\t',
    '%',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 20 }), (list) => {
      parseDocument(list.join(''), 'fuzz');
    }),
    { seed: 32, numRuns: 1_000 },
  );
});
