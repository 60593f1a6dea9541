import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { TICK_MS, TimerWheel, WheelTimer } from './wheel.ts';

/** A wheel on a clock that moves only when told to. */
function setup() {
  let nowMs = 5_000;
  const wheel = new TimerWheel(() => nowMs);
  const advance = (ms: number) => {
    nowMs += ms;
    wheel.turn();
  };
  return { wheel, advance, now: () => nowMs };
}

describe('timer wheel', () => {
  test('a timeout fires once, never early and at most two ticks late', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 3 * TICK_MS }), { minLength: 1, maxLength: 30 }),
        (delays, steps) => {
          const { wheel, advance, now } = setup();
          const firedAt: number[][] = delays.map(() => []);
          delays.forEach((delayMs, index) => wheel.set(new WheelTimer(() => firedAt[index]?.push(now())), delayMs));
          const startMs = now();
          const lastMs = startMs + Math.max(...delays) + 3 * TICK_MS;
          for (let i = 0; now() < lastMs; i += 1) advance(Math.min(TICK_MS, steps[i % steps.length] ?? 1));
          delays.forEach((delayMs, index) => {
            const times = firedAt[index] ?? [];
            assert.equal(times.length, 1);
            const tookMs = (times[0] ?? 0) - startMs;
            assert.ok(tookMs >= delayMs && tookMs <= delayMs + 3 * TICK_MS, `${delayMs} ms took ${tookMs} ms`);
          });
        },
      ),
      { seed: 7, numRuns: 60 },
    );
  });

  test('a timer set again fires at the new time only, be it later or earlier', () => {
    const { wheel, advance } = setup();
    let fired = 0;
    const timer = new WheelTimer(() => (fired += 1));
    wheel.set(timer, 500);
    wheel.set(timer, 2_000);
    advance(1_500);
    assert.equal(fired, 0);
    wheel.set(timer, 200);
    advance(500);
    assert.equal(fired, 1);
    advance(5_000);
    assert.equal(fired, 1);
  });

  test('a cleared or removed timer never fires', () => {
    const { wheel, advance } = setup();
    let fired = 0;
    const cleared = new WheelTimer(() => (fired += 1));
    const removed = new WheelTimer(() => (fired += 1));
    wheel.set(cleared, 300);
    wheel.set(removed, 300);
    wheel.clear(cleared);
    wheel.remove(removed);
    advance(10_000);
    assert.equal(fired, 0);
    assert.equal(cleared.slotTick, -1, 'the wheel keeps no cleared timer beyond its slot');
  });

  test('a deadline beyond one round of the wheel is kept', () => {
    const { wheel, advance } = setup();
    let fired = 0;
    wheel.set(new WheelTimer(() => (fired += 1)), 400_000);
    for (let i = 0; i < 399; i += 1) advance(1_000);
    assert.equal(fired, 0);
    advance(1_500);
    assert.equal(fired, 1);
  });

  test('a wheel that was held up for hours fires everything due, once', () => {
    const { wheel, advance } = setup();
    let fired = 0;
    for (const delayMs of [100, 60_000, 7_000_000]) wheel.set(new WheelTimer(() => (fired += 1)), delayMs);
    advance(10_000_000);
    assert.equal(fired, 3);
  });

  test('a timer may set or clear others, and itself, while it fires', () => {
    const { wheel, advance } = setup();
    const fired: string[] = [];
    const victim = new WheelTimer(() => fired.push('victim'));
    const again: WheelTimer = new WheelTimer(() => {
      fired.push('again');
      wheel.clear(victim);
      if (fired.length < 2) wheel.set(again, 100);
    });
    wheel.set(victim, 100);
    wheel.set(again, 100);
    advance(1_000);
    advance(1_000);
    assert.deepEqual(fired, ['again', 'again']);
  });
});
