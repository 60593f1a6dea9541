import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { BodyFlow } from './bodyFlow.ts';
import { Outbox } from './outbox.ts';

const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const pieces = fc.array(
  fc.oneof(
    latin1,
    fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
  ),
);

describe('outbox', () => {
  test('what is taken is what was added, in order, behind the prefix', () => {
    fc.assert(
      fc.property(latin1, pieces, (prefix, parts) => {
        const outbox = new Outbox();
        for (const part of parts) {
          if (typeof part === 'string') outbox.text(part);
          else outbox.data(part);
        }
        const expected =
          prefix + parts.map((part) => (typeof part === 'string' ? part : part.toString('latin1'))).join('');
        const taken = outbox.take(prefix);
        assert.equal(typeof taken === 'string' ? taken : (taken?.toString('latin1') ?? ''), expected);
        assert.equal(outbox.take(), null, 'nothing is taken twice');
      }),
      { seed: 11, numRuns: 300 },
    );
  });

  test('bytes are copied: their memory may change after they were taken', () => {
    const outbox = new Outbox();
    const shared = Buffer.from('hello');
    outbox.data(shared);
    const taken = outbox.take();
    shared.fill('x');
    assert.equal(String(taken), 'hello');
  });
});

describe('body flow', () => {
  test('a chunked body is framed piece by piece and ends with its trailers', () => {
    const outbox = new Outbox();
    const flow = new BodyFlow(outbox);
    flow.begin(true);
    flow.write(Buffer.from('a'.repeat(26)));
    flow.trailers('x: 1\r\n');
    flow.end();
    assert.equal(String(outbox.take()), `1a\r\n${'a'.repeat(26)}\r\n0\r\nx: 1\r\n\r\n`);
    assert.equal(flow.bytes, 26);
  });

  test('a body of known length passes as it is, and has no place for trailers', () => {
    const outbox = new Outbox();
    const flow = new BodyFlow(outbox);
    flow.begin(false);
    flow.write(Buffer.from('abc'));
    flow.trailers('x: 1\r\n');
    flow.end();
    assert.equal(String(outbox.take()), 'abc');
  });
});
