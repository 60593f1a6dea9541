/** What dies in the middle of a rollout, and how the fleet goes on. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { STAGES, TestFleet, rollout, routeTo } from '../support/fleet.ts';
import { startUpstream, until } from '../support/processes.ts';

let fleet: TestFleet;
let one: Awaited<ReturnType<typeof startUpstream>>;
let two: Awaited<ReturnType<typeof startUpstream>>;

before(async () => {
  one = await startUpstream('one');
  two = await startUpstream('two');
});
after(async () => {
  await one.close();
  await two.close();
});
beforeEach(async () => {
  const manifests = {
    'fleet.yaml': rollout(STAGES.replaceAll('1s', '3s')),
    'web.yaml': routeTo(one.address),
    'other.yaml': routeTo(one.address, { name: 'other', host: 'other.example' }),
  };
  fleet = await TestFleet.start({ proxies: 3, manifests });
  await until(
    'it begins healthy',
    () => fleet.rollout()?.phase === 'Healthy' && fleet.rollout()?.proxies?.acked === 3,
    40_000,
  );
});
afterEach(() => fleet.stop());

const changed = async () => (await fleet.answers('web.example')).filter((body) => body === 'two').length;

test('an operator that is killed in the middle of a stage goes on where it was', async () => {
  fleet.apply('web.yaml', routeTo(two.address));
  await until('one proxy tries it', async () => (await changed()) === 1);
  const candidate = fleet.rollout()?.candidateDigest;
  await fleet.operator?.stop('SIGKILL');
  assert.equal(await changed(), 1, 'nobody decides anything meanwhile');
  fleet.startOperator();
  await until('all serve it', async () => (await changed()) === 3, 60_000);
  await until('the very candidate became stable', () => fleet.rollout()?.stableDigest === candidate, 30_000);
});

test('a proxy that crashes on a candidate starts on stable; the candidate is rolled back, its objects are held, the rest goes on', async () => {
  const stable = fleet.rollout()?.stableDigest;
  fleet.apply('web.yaml', routeTo(two.address));
  await until('one proxy tries it', async () => (await changed()) === 1);
  const rejected = fleet.rollout()?.candidateDigest;
  const answers = await fleet.answers('web.example');
  const victim = fleet.proxies[answers.indexOf('two')];
  assert.ok(victim);
  await victim.running?.stop('SIGKILL');
  fleet.startProxy(victim);
  await fleet.allReady();
  await until('it is rolled back', () => fleet.audit().some((record) => record.action === 'RollBack'), 30_000);
  await until('all serve stable', async () => (await changed()) === 0);
  assert.equal(fleet.rollout()?.stableDigest, stable);
  await until('the rejected digest is told', () => fleet.rollout()?.rejectedDigest === rejected);
  const held = await until('what is held is told', () => fleet.rollout()?.heldObjects?.map((h) => h.object));
  assert.ok(
    held.some((object) => object.includes('demo/web')),
    held.join(),
  );
  await until(
    'its status says so',
    () => fleet.condition('UpstreamPool', 'web', 'Programmed') === 'False RolledBack',
    30_000,
  );

  fleet.apply('other.yaml', routeTo(two.address, { name: 'other', host: 'other.example' }));
  await until(
    'another change goes through',
    async () => (await fleet.answers('other.example')).every((body) => body === 'two'),
    60_000,
  );
});
