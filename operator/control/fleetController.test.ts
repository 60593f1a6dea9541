import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fail } from '../../proxy/contract/result.ts';
import type { Store, StoreError } from '../../proxy/store/types.ts';
import { route } from '../assemble/testkit.ts';
import { rolloutStatus } from '../status/rolloutStatus.ts';
import { FLEET, headIn, memberOf, newStore, OBJECTS, operate, SPEC, worldOf } from './testkit.ts';

const WORLD = worldOf(OBJECTS);
const CHANGED = worldOf([...OBJECTS, route('shop/more', 'more.example')]);

describe('an operator that starts on a head that cannot be believed', () => {
  async function damaged(t: Parameters<typeof newStore>[0], keepEarlier: boolean) {
    const { root, store } = await newStore(t);
    const first = operate(t, store);
    first.controller.setInput({ world: WORLD, spec: SPEC });
    await first.nextReport();
    await first.controller.stop();
    const good = await headIn(store);
    const heads = join(root, FLEET, 'heads');
    const head = await readFile(join(heads, '1.json'), 'utf8');
    await writeFile(join(heads, '2.json'), head.replace(/.{8}"/, 'AAAAAAAA"'));
    if (!keepEarlier) await rm(join(heads, '1.json'));
    return { store, heads, good };
  }

  test('publishes nothing, and says so', async (t) => {
    const { store, heads } = await damaged(t, false);
    const { controller, nextReport, lines, audit } = operate(t, store);
    controller.setInput({ world: CHANGED, spec: SPEC });
    const { view, head, spec } = await nextReport();
    assert.equal(view.blocked?.reason, 'HeadDamaged');
    assert.match(view.blocked.message, /--reinitialize-fleet edge\/main/);
    const status = rolloutStatus({ head, view, spec, findings: [], previous: null, nowMs: 0 });
    assert.equal(status.phase, 'Degraded');
    assert.deepEqual(await readdir(heads), ['2.json']);
    assert.deepEqual(audit, []);
    assert.ok(lines.includes('error: head cannot be believed'), lines.join('\n'));
  });

  test('goes on from an earlier head, in stages', async (t) => {
    const { store, good } = await damaged(t, true);
    const { controller, nextReport } = operate(t, store);
    controller.setInput({ world: CHANGED, spec: SPEC });
    await nextReport();
    const head = await headIn(store);
    assert.equal(head.stable.digest, good.stable.digest);
    assert.ok(head.candidate !== undefined && head.generation > good.generation);
  });

  test('begins anew where it was told to', async (t) => {
    const { store } = await damaged(t, false);
    const { controller, nextReport } = operate(t, store, { reinitialize: true });
    controller.setInput({ world: CHANGED, spec: SPEC });
    await nextReport();
    assert.equal((await headIn(store)).history[0]?.outcome, 'Initial');
  });
});

describe('a store that does not give a bundle', () => {
  /** The objects of a published fleet, behind a store that answers with `error` while there is one. */
  async function behind(t: Parameters<typeof newStore>[0]) {
    const { root, store } = await newStore(t);
    const first = operate(t, store);
    first.controller.setInput({ world: WORLD, spec: SPEC });
    await first.nextReport();
    await first.controller.stop();
    const head = await readFile(join(root, FLEET, 'heads', '1.json'), 'utf8');
    const { jws } = JSON.parse(head) as { jws: string };
    // Without what rides in the head.
    await writeFile(join(root, FLEET, 'heads', '1.json'), JSON.stringify({ jws }));
    const state: { error: StoreError | undefined } = { error: undefined };
    const failing: Store = new Proxy(store, {
      get: (target, name) => {
        if (name === 'getObject' && state.error !== undefined) return async () => Promise.resolve(fail(state.error));
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    return { failing, state };
  }

  test('because it is away, has lost nothing: no round is decided until it is back', async (t) => {
    const { failing, state } = await behind(t);
    state.error = { reason: 'Unavailable', message: 'EIO' };
    const { controller, nextReport, reports, lines } = operate(t, failing);
    controller.setInput({ world: CHANGED, spec: SPEC });
    const report = nextReport();
    while (!lines.includes('warn: bundle cannot be read')) await new Promise(setImmediate);
    assert.deepEqual(reports, []);
    state.error = undefined;
    controller.wake();
    assert.notEqual((await report).head?.candidate, undefined);
  });

  test('because it lost it, is asked again: what is restored is found', async (t) => {
    const { failing, state } = await behind(t);
    state.error = { reason: 'NotFound', message: 'no such object' };
    const { controller, nextReport } = operate(t, failing);
    controller.setInput({ world: CHANGED, spec: SPEC });
    assert.equal((await nextReport()).view.blocked?.reason, 'StableLost');
    state.error = undefined;
    assert.notEqual((await nextReport()).head?.candidate, undefined);
  });
});

test('a proxy that acks a generation of the far future is not followed, however often', async (t) => {
  const { root, store } = await newStore(t);
  let now = Date.now();
  const members = [memberOf('liar', { generation: now * 3 }), memberOf('honest', { generation: now + 60_000 })];
  const { controller, nextReport } = operate(t, store, { members: () => members, wallNow: () => now });
  controller.setInput({ world: WORLD, spec: SPEC });
  await nextReport();
  assert.equal((await headIn(store)).generation, (members[1]?.ack?.generation ?? 0) + 1);
  now += 10_000;
  await nextReport();
  assert.deepEqual(await readdir(join(root, FLEET, 'heads')), ['1.json']);
});

test('nothing is published that a proxy of the fleet cannot run', async (t) => {
  const { store } = await newStore(t);
  const first = operate(t, store);
  first.controller.setInput({ world: WORLD, spec: SPEC });
  await first.nextReport();
  await first.controller.stop();
  const { generation } = await headIn(store);
  let members = [memberOf('new'), memberOf('old', { supports: { documentVersions: [99], features: [] } })];
  const { controller, nextReport } = operate(t, store, { members: () => members });
  controller.setInput({ world: WORLD, spec: SPEC });
  const before = await nextReport();
  assert.equal(before.view.blocked, null, 'what is stable already is no matter');
  controller.setInput({ world: CHANGED, spec: SPEC });
  const report = await nextReport();
  assert.equal(report.view.blocked?.reason, 'Unpublishable');
  assert.match(report.view.blocked.message, /^Unsupported: proxy old .* does not support documentVersion 1$/);
  assert.equal((await headIn(store)).generation, generation);
  members = [memberOf('new')];
  await nextReport();
  assert.notEqual((await headIn(store)).candidate, undefined);
});

test('the same outcome is reported once, and anything new at once', async (t) => {
  const { store } = await newStore(t);
  let rounds = 0;
  const members = () => {
    rounds += 1;
    return [];
  };
  const roundsNow = () => rounds;
  let now = Date.now();
  const { controller, nextReport, reports } = operate(t, store, { members, wallNow: () => now });
  controller.setInput({ world: WORLD, spec: SPEC });
  const { assembly } = await nextReport();
  for (let i = 0; i < 5; i += 1) {
    const before = rounds;
    // The head is read again, and is the same.
    now += 6_000;
    controller.wake();
    while (roundsNow() === before) await new Promise(setImmediate);
  }
  assert.equal(reports.length, 1);
  controller.setInput({ world: worldOf(OBJECTS), spec: SPEC });
  assert.notEqual((await nextReport()).assembly, assembly);
});

test('a start is audited with what it takes over', async (t) => {
  const { store } = await newStore(t);
  const first = operate(t, store);
  first.controller.setInput({ world: WORLD, spec: SPEC });
  await first.nextReport();
  await first.controller.stop();
  assert.deepEqual(
    first.audit.map(({ action }) => action),
    ['Initialize'],
  );
  const second = operate(t, store);
  second.controller.setInput({ world: WORLD, spec: SPEC });
  await second.nextReport();
  const { generation, stable } = await headIn(store);
  assert.deepEqual(
    second.audit.map(({ action }) => action),
    ['Resume'],
  );
  assert.match(
    second.audit[0]?.message ?? '',
    new RegExp(`generation ${generation}: stable ${stable.digest}; last Initial`),
  );
});
