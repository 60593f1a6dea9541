import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { NOT_IMPLEMENTED } from '../contract/notImplemented.ts';
import { limit } from '../contract/limits.ts';
import { compileDocument } from './compileDocument.ts';
import { didYouMean } from './problem.ts';
import { validateDocument } from './validate.ts';

const POOL = { id: 'p', endpoints: [{ address: '10.0.0.1:80' }] };

describe('validating a document', () => {
  test('gives the document back when it is in order', () => {
    const value = { routes: [{ id: 'a', pool: 'p' }], pools: [POOL] };
    assert.deepEqual(validateDocument(value), { document: value, findings: [] });
  });

  for (const value of [null, [], 'text', 7, true]) {
    test(`refuses ${JSON.stringify(value)}, which is no document`, () => {
      const { document, findings } = validateDocument(value);
      assert.equal(document, undefined);
      assert.deepEqual(
        findings.map((f) => f.reason),
        ['Malformed'],
      );
    });
  }

  test('lists a bounded number of findings, and says how many more there are', () => {
    const routes = Array.from({ length: 3_000 }, () => ({ nope: 1 }));
    const { findings } = validateDocument({ routes });
    assert.equal(findings.length, limit('findings') + 1);
    assert.match(findings.at(-1)?.message ?? '', /further findings/);
  });

  test('lists a bounded number of findings for one huge entry', () => {
    const route: Record<string, unknown> = { id: 'a' };
    for (let i = 0; i < 50_000; i += 1) route[`field${i}`] = i;
    assert.equal(validateDocument({ routes: [route] }).findings.length, 1);
  });

  test('refuses more items than the limit without looking at them', () => {
    const { findings } = validateDocument({ routes: Array.from({ length: 2 * limit('objects') + 1 }, () => null) });
    assert.deepEqual(
      findings.map((f) => f.reason),
      ['TooLarge'],
    );
  });

  test('never throws, and never takes what the compiler then refuses by its schema', () => {
    const keys = fc.constantFrom(
      'routes',
      'pools',
      'id',
      'path',
      'hosts',
      'matches',
      'pool',
      'http',
      'endpoints',
      'tls',
      'x',
    );
    const values = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(null, true, 0, -1, 1.5, '', '/x', 'a', '10.0.0.1:80', '*'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
      ),
    })).value;
    fc.assert(
      fc.property(values, (value) => {
        const { document } = validateDocument(value);
        if (document === undefined) return;
        const { findings } = compileDocument(JSON.stringify(document), 'fuzz');
        for (const f of findings) assert.notEqual(f.reason, 'UnknownField');
      }),
      { seed: 41, numRuns: 1_000 },
    );
  });
});

test('every field of the document that is not implemented is refused by the golden document of all of them', () => {
  const text = readFileSync(new URL('../../test/golden/compile/not-implemented.in.yaml', import.meta.url), 'utf8');
  const { findings } = compileDocument(text, 'all');
  const refused = findings.filter((f) => f.reason === 'NotImplemented').map((f) => f.path.replace(/\[\d+\]/g, '[]'));
  for (const { document } of NOT_IMPLEMENTED) {
    if (document === undefined) continue;
    const found = refused.some(
      (path) => path === document || path.startsWith(`${document}.`) || path.startsWith(`${document}[`),
    );
    assert.ok(found, `${document} was taken`);
  }
});

test('every example of a document compiles', () => {
  const folder = new URL('../../configs/examples/', import.meta.url);
  const files = readdirSync(folder).filter((file) => /\.(json|yaml)$/.test(file));
  assert.ok(files.length > 0);
  for (const file of files) {
    const { plan, findings } = compileDocument(readFileSync(new URL(file, folder), 'utf8'), file);
    assert.deepEqual(findings, []);
    assert.ok(plan !== undefined);
  }
});

describe('a misspelt name', () => {
  test('is recognised by one or two slips', () => {
    assert.equal(didYouMean('pth', ['path', 'pool']), '; did you mean "path"?');
    assert.equal(didYouMean('matchse', ['matches']), '; did you mean "matches"?');
    assert.equal(didYouMean('path-prefix', ['path_prefix']), '; did you mean "path_prefix"?');
    assert.equal(didYouMean('Hosts', ['host', 'hosts']), '; did you mean "hosts"?');
  });
  test('is not guessed at when nothing is near', () => {
    assert.equal(didYouMean('backend', ['path', 'pool']), '');
    assert.equal(didYouMean('x'.repeat(10_000), ['path']), '');
  });
});
