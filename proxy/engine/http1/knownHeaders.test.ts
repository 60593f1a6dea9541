import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KnownHeader, knownHeaderId, knownHeaderIdAt, OTHER_FORWARDED_ID } from './knownHeaders.ts';

function idOf(name: string): number {
  const bytes = Buffer.from(`..${name}:`, 'latin1');
  return knownHeaderIdAt(bytes, 2, 2 + name.length);
}

test('every known name has its id, in any case', () => {
  for (const [name, id] of Object.entries(KnownHeader)) {
    const title = name.replace(/(?:^|-)[a-z]/g, (letters) => letters.toUpperCase());
    for (const spelling of [name, name.toUpperCase(), title]) assert.equal(idOf(spelling), id, spelling);
    assert.equal(knownHeaderId(name), id);
  }
});

test('a name that differs in one character from a known one has another id, or none', () => {
  for (const name of Object.keys(KnownHeader)) {
    for (let index = 0; index < name.length; index++) {
      const other = `${name.slice(0, index)}${name[index] === 'q' ? 'z' : 'q'}${name.slice(index + 1)}`;
      if (!Object.hasOwn(KnownHeader, other)) assert.equal(idOf(other), knownHeaderId(other), other);
    }
    assert.equal(idOf(`${name}x`), knownHeaderId(`${name}x`));
    assert.equal(idOf(name.slice(0, -1) || '-'), knownHeaderId(name.slice(0, -1)));
  }
});

test('X-Forwarded-* names without an id of their own share one', () => {
  assert.equal(idOf('X-Forwarded-Email'), OTHER_FORWARDED_ID);
  assert.equal(idOf('x-forwarded-'), 0);
  assert.equal(idOf('x-forwarder-to'), 0);
  assert.equal(idOf('accep'), 0);
  assert.equal(idOf('accepx'), 0);
});

test('the id found in bytes is the id of the lower-case name, for any token', () => {
  const token = fc.stringMatching(/^[!#$%&'*+\-.^`|~0-9A-Za-z]{1,20}$/);
  const near = fc
    .tuple(
      fc.constantFrom(...Object.keys(KnownHeader)),
      fc.nat({ max: 30 }),
      fc.stringMatching(/^[!#$%&'*+\-.^`|~0-9A-Za-z]$/),
    )
    .map(([name, at, char]) => name.slice(0, at) + char + name.slice(at + 1));
  fc.assert(
    fc.property(fc.oneof(token, near), (name) => assert.equal(idOf(name), knownHeaderId(name.toLowerCase()))),
    { numRuns: 2000, seed: 11 },
  );
});
