/** However the bytes arrive, the events are the same: for valid messages and for mutilated ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mutate, mutation, request, response } from './testMessages.ts';
import { requestEvents, responseEvents, type Event } from './testkit.ts';

/** Raised, with another seed, for long runs: `RUNS=100000 SEED=$RANDOM`. */
const RUNS = {
  numRuns: Number(process.env['RUNS'] ?? (process.env['TORTURE'] === '1' ? 30_000 : 300)),
  seed: Number(process.env['SEED'] ?? 20_251_103),
};

const requests = fc.array(request, { minLength: 1, maxLength: 3 }).map((list) => list.join(''));
const offsets = fc.array(fc.nat({ max: 600 }), { maxLength: 12 });
const everyByte = (text: string): number[] => Array.from({ length: text.length }, (_, index) => index);

/**
 * What must not depend on the split. A response's `reusable`, and the error behind its end, do: bytes that come with the
 * end spoil the connection at once, later ones when they come.
 */
function ofResponse(events: readonly (Event | { readonly kind: 'finish' })[]): unknown[] {
  const end = events.findIndex((event) => event.kind === 'end');
  return end < 0 ? [...events] : [...events.slice(0, end), 'end'];
}

test('valid requests give the same events in any split, and no error', () => {
  fc.assert(
    fc.property(requests, offsets, (text, cuts) => {
      const whole = requestEvents(text);
      assert.deepEqual(requestEvents(text, cuts), whole);
      assert.deepEqual(requestEvents(text, everyByte(text)), whole);
      const error = whole.find((event) => event.kind === 'error');
      // The one thing the generator makes that is refused.
      assert.ok(error === undefined || error.detail === 'Transfer-Encoding in HTTP/1.0', JSON.stringify(error));
    }),
    RUNS,
  );
});

test('mutilated requests give the same events in any split', () => {
  fc.assert(
    fc.property(requests, fc.array(mutation, { minLength: 1, maxLength: 4 }), offsets, (valid, mutations, cuts) => {
      const text = mutate(valid, mutations);
      const whole = requestEvents(text);
      assert.deepEqual(requestEvents(text, cuts), whole);
      assert.deepEqual(requestEvents(text, everyByte(text)), whole);
    }),
    RUNS,
  );
});

test('responses, valid and mutilated, give the same events in any split', () => {
  const method = fc.constantFrom('GET', 'HEAD', 'POST');
  fc.assert(
    fc.property(response, fc.array(mutation, { maxLength: 3 }), offsets, method, (valid, mutations, cuts, asked) => {
      const text = mutate(valid, mutations);
      const expected = { method: asked, ends: true };
      const whole = ofResponse(responseEvents(text, [], expected));
      assert.deepEqual(ofResponse(responseEvents(text, cuts, expected)), whole);
      assert.deepEqual(ofResponse(responseEvents(text, everyByte(text), expected)), whole);
    }),
    RUNS,
  );
});

test('random bytes never throw, whatever the split', () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString('latin1'));
  fc.assert(
    fc.property(bytes, offsets, (text, cuts) => {
      assert.deepEqual(requestEvents(text, cuts), requestEvents(text));
      responseEvents(text, cuts, { ends: true });
    }),
    RUNS,
  );
});
