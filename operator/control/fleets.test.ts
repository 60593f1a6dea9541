import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limit } from '../../proxy/contract/limits.ts';
import { inputOf, own } from '../assemble/testkit.ts';
import { Fleets } from './fleets.ts';
import { surviving } from './surviving.ts';
import { FLEET, headIn, listLogger, newStore, OBJECTS, operate, worldOf } from './testkit.ts';

const { objects: WITH } = worldOf(OBJECTS);
const { objects: WITHOUT } = worldOf(OBJECTS.slice(1));

describe('fleets', () => {
  test('one whose ProxyRollout is gone is left when its candidate has ended, and taken up when it is back', async (t) => {
    const { store } = await newStore(t);
    let made = 0;
    let onRemoved = (_fleet: string): void => undefined;
    const removed = new Promise<string>((resolve) => (onRemoved = resolve));
    let onReport: () => void = () => undefined;
    const reported = async () => new Promise<void>((resolve) => (onReport = resolve));
    const fleets = new Fleets({
      makeController: (_fleet, onFinished) => {
        made += 1;
        const change = { onFinished, onReport: async () => Promise.resolve(onReport()) };
        return operate(t, store, change).controller;
      },
      onRemoved: (fleet) => onRemoved(fleet),
    });
    const first = reported();
    fleets.setObjects(WITH);
    await first;
    fleets.setObjects(WITHOUT);
    assert.equal(await removed, FLEET);
    const { generation } = await headIn(store);
    const again = reported();
    fleets.setObjects(WITH);
    await again;
    assert.equal(made, 2);
    assert.equal((await headIn(store)).generation, generation, 'what is stable is gone on from');
  });

  test('one over the limit is said at its ProxyRollout', async (t) => {
    const { store } = await newStore(t);
    const fleets = new Fleets({ makeController: () => operate(t, store).controller, onRemoved: () => undefined });
    try {
      const all = Array.from({ length: limit('fleets') + 1 }, (_, i) => own('ProxyRollout', `edge/f${i}`, {}));
      const found = fleets.setObjects(inputOf(all).objects);
      assert.deepEqual(
        found.map(({ object, reason }) => [object, reason]),
        [[`ProxyRollout/edge/f${limit('fleets')}`, 'TooLarge']],
      );
    } finally {
      await fleets.stop();
    }
  });
});

test('a mistake of ours in taking objects is logged, and ends nothing', () => {
  const { lines, logger } = listLogger();
  const thrown = surviving(logger, () => {
    throw new Error('ours');
  });
  assert.equal(thrown, undefined);
  assert.deepEqual(lines, ['error: the objects could not be taken; the ones before stay in force']);
  assert.equal(
    surviving(logger, () => 1),
    1,
  );
});
