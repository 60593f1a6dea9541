import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { compileRegex, hostRegex } from './regex.ts';

const RUNS = process.env['TORTURE'] === '1' ? 40_000 : 2_000;

function matches(source: string, text: string): boolean {
  const regex = compileRegex(source);
  assert.ok(regex.ok, `${source}: ${regex.ok ? '' : regex.error}`);
  return regex.value.test(text);
}

function refusal(source: string): string {
  const regex = compileRegex(source);
  assert.ok(!regex.ok, `${source} was taken`);
  return regex.error;
}

describe('a user’s regular expression', () => {
  test('matches anywhere in the text unless it is anchored', () => {
    assert.equal(matches('v[0-9]+', '/api/v12/x'), true);
    assert.equal(matches('^/v[0-9]+', '/api/v12/x'), false);
    assert.equal(matches('^/v[0-9]+/.*$', '/v1/users'), true);
    assert.equal(matches('', 'anything'), true);
    assert.equal(matches('^$', ''), true);
    assert.equal(matches('^$', 'x'), false);
  });

  test('takes the whole text as a host, whatever its case', () => {
    assert.equal(matches(hostRegex('API[0-9]|web'), 'api7'), true);
    assert.equal(matches(hostRegex('api|web'), 'webs'), false);
    assert.equal(matches(hostRegex('api|web'), 'my-api'), false);
  });

  test('knows word boundaries, lines and folded case', () => {
    assert.equal(matches('\\bapi\\b', '/the-api/x'), true);
    assert.equal(matches('\\bapi\\b', '/the_api/x'), false);
    assert.equal(matches('(?m)^b$', 'a\nb\nc'), true);
    assert.equal(matches('^b$', 'a\nb\nc'), false);
    assert.equal(matches('(?i)straSSe', 'STRASSE'), true);
    assert.equal(matches('(?i)k', 'K'), true);
  });

  test('counts two surrogates as one character', () => {
    assert.equal(matches('^.$', '\u{1f600}'), true);
    assert.equal(matches('^..$', '\u{1f600}'), false);
  });
});

describe('a regular expression that would blow up', () => {
  test('takes one look-up per character when it only looks dangerous', () => {
    // A backtracking engine takes 2^29 steps for 30 characters, and longer than the universe for these.
    assert.equal(matches('^(a+)+$', `${'a'.repeat(100_000)}!`), false);
    assert.equal(matches('^(a|a)*$', 'a'.repeat(100_000)), true);
    assert.equal(matches('^(([a-z])+.)+[A-Z]([a-z])+$', 'a'.repeat(100_000)), false);
  });

  test('is refused when its automaton needs too many states', () => {
    assert.match(refusal('[ab]*a[ab]{12}$'), /states/);
  });

  test('is refused when building its automaton takes too long', () => {
    assert.match(refusal('(x[a-z]{0,300}){3}y'), /complex|states|long/);
    assert.match(refusal('.{0,999}a'), /complex|states|long/);
  });

  test('is refused when it is long, or long once repetitions are spelt out', () => {
    assert.match(refusal('a'.repeat(513)), /512/);
    assert.match(refusal('(?:(?:(?:a{10}){10}){10}){10}'), /repeat/);
    assert.match(refusal('[a-c]{1000}[x-z]{1000}'), /spelt out/);
  });

  test('is refused with the reason when it is malformed or not RE2', () => {
    assert.match(refusal('(a'), /missing closing \)/);
    assert.match(refusal('*a'), /repetition/);
    assert.match(refusal('(?=a)'), /\(\?=/);
    assert.match(refusal('(a)\\1'), /escape/);
    assert.match(refusal('a\nb'), /control/);
    assert.match(refusal('[日本]'), /U\+00FF/);
    assert.match(refusal('\\pL'), /U\+00FF/);
  });
});

/** Random expressions over a small alphabet, so that they often match. */
const { expression } = fc.letrec<{ expression: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '\\W', '\\d', '\\n', '-', '(?i:a)', '[^\\n]', 'é'),
    fc.constantFrom('^', '$', '\\b', '\\B', '\\A', '\\z', '(?m:^)', '(?m:$)'),
    tie('expression').map((e) => `(${e})`),
  ),
  expression: fc.oneof(
    { depthSize: 'small' },
    tie('atom'),
    fc.tuple(tie('atom'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '*?')).map(([a, q]) => `(?:${a})${q}`),
    fc.array(tie('expression'), { minLength: 1, maxLength: 3 }).map((list) => list.join('')),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `${a}|${b}`),
  ),
}));
const texts = fc.string({
  unit: fc.constantFrom('a', 'b', 'A', '-', '\n', '1', 'é', '日', '\u{1f600}'),
  maxLength: 12,
});

test('the automaton of any expression matches what RE2 matches', () => {
  let compared = 0;
  fc.assert(
    fc.property(expression, fc.array(texts, { minLength: 1, maxLength: 5 }), (source, list) => {
      const regex = compileRegex(source);
      if (!regex.ok) return;
      const oracle = RE2JS.compile(source);
      for (const text of list) {
        assert.equal(regex.value.test(text), oracle.test(text), `/${source}/ on ${JSON.stringify(text)}`);
        compared += 1;
      }
    }),
    { seed: 20_261_101, numRuns: RUNS },
  );
  assert.ok(compared > RUNS, `only ${compared} comparisons`);
});
