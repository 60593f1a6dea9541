import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { route } from '../assemble/testkit.ts';
import { rolloutStatus } from '../status/rolloutStatus.ts';
import { FLEET, headIn, newStore, OBJECTS, operate, SPEC, worldOf } from './testkit.ts';

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
