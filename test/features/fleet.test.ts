/** A fleet of three: apply, request, expect. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestFleet, request, rollout, routeTo, STAGES } from '../support/fleet.ts';
import { startUpstream, until } from '../support/processes.ts';

let fleet: TestFleet;
const upstreams: Record<string, Awaited<ReturnType<typeof startUpstream>>> = {};
const at = (name: string) => upstreams[name]?.address ?? '';

before(async () => {
  for (const name of ['one', 'two', 'other']) upstreams[name] = await startUpstream(name);
  fleet = await TestFleet.start({
    proxies: 3,
    manifests: {
      'fleet.yaml': rollout(STAGES),
      'web.yaml': routeTo(at('one')),
      'other.yaml': routeTo(at('other'), { name: 'other', namespace: 'team-b', host: 'other.example' }),
    },
  });
});
after(async () => {
  await fleet.stop();
  for (const upstream of Object.values(upstreams)) await upstream.close();
});

const settled = () =>
  until(
    'the rollout is over',
    () => fleet.rollout()?.phase === 'Healthy' && fleet.rollout()?.candidateDigest === undefined,
    40_000,
  );

test('the first bundle of a fleet is stable by itself, and every route is programmed', async () => {
  await until('all serve', async () => (await fleet.answers('web.example')).every((body) => body === 'one'));
  await settled();
  assert.equal(fleet.condition('ProxyRoute', 'web', 'Accepted'), 'True Accepted');
  await until('web is programmed', () => fleet.condition('ProxyRoute', 'web', 'Programmed') === 'True Programmed');
  await until('all three acked it', () => fleet.rollout()?.proxies?.acked === 3);
  assert.deepEqual(fleet.rollout()?.proxies, { total: 3, candidate: 0, acked: 3, rejected: 0, unknown: 0 });
});

test('a change reaches one proxy, then two, then all; reverting it gives the old digest back without stages', async () => {
  const first = fleet.rollout()?.stableDigest;
  const counts = new Set<number>();
  fleet.apply('web.yaml', routeTo(at('two')));
  await until(
    'all serve the change',
    async () => {
      const changed = (await fleet.answers('web.example')).filter((body) => body === 'two').length;
      counts.add(changed);
      return changed === 3;
    },
    60_000,
  );
  assert.ok(counts.has(1) && counts.has(2), `saw ${[...counts].join()}`);
  await until('another digest is stable', () => fleet.rollout()?.stableDigest !== first);
  await settled();
  fleet.apply('web.yaml', routeTo(at('one')));
  await until('the first digest is stable again', () => fleet.rollout()?.stableDigest === first);
  assert.deepEqual(await fleet.answers('web.example'), ['one', 'one', 'one']);
  const promoted = fleet.audit().filter((record) => record.action === 'Promote');
  assert.deepEqual(promoted.map((record) => record.reason).at(-1), 'FastRollback');
});

test('a bad object of one tenant changes nothing for others, and its status says why', async () => {
  await settled();
  fleet.apply(
    'other.yaml',
    routeTo('169.254.169.254:80', { name: 'other', namespace: 'team-b', host: 'other.example' }),
  );
  await until(
    'it is not accepted',
    () => fleet.condition('UpstreamPool', 'other', 'Accepted', 'team-b')?.startsWith('False') === true,
  );
  assert.deepEqual(
    await fleet.answers('other.example'),
    ['other', 'other', 'other'],
    'its last accepted version serves',
  );
  fleet.apply('web.yaml', routeTo(at('two')));
  await until(
    'the other tenant’s change goes through',
    async () => (await fleet.answers('web.example')).every((body) => body === 'two'),
    60_000,
  );
  fleet.apply('other.yaml', routeTo(at('other'), { name: 'other', namespace: 'team-b', host: 'other.example' }));
  await until(
    'it is accepted again',
    () => fleet.condition('UpstreamPool', 'other', 'Accepted', 'team-b') === 'True Accepted',
  );
});

test('a broken file changes nothing that is served; a deleted one does', async () => {
  await settled();
  fleet.apply('other.yaml', 'kind: [');
  await until('it is said', () => /other\.yaml.*Malformed|Malformed.*other\.yaml/.test(fleet.operator?.stderr() ?? ''));
  assert.deepEqual(await fleet.answers('other.example'), ['other', 'other', 'other']);
  fleet.remove('other.yaml');
  await until(
    'the route is gone',
    async () => (await request(fleet.proxies[0]?.port ?? 0, 'other.example')).status === 404,
    60_000,
  );
});

test('the same host in two namespaces belongs to the first; the other route is told the winner', async () => {
  await settled();
  fleet.apply('intruder.yaml', routeTo(at('other'), { name: 'intruder', namespace: 'zz-late', host: 'web.example' }));
  await until(
    'it is in conflict',
    () => fleet.condition('ProxyRoute', 'intruder', 'Conflicted', 'zz-late')?.startsWith('True') === true,
  );
  const message = fleet
    .status('ProxyRoute', 'zz-late', 'intruder')
    ?.conditions?.find((c) => c.type === 'Conflicted')?.message;
  assert.match(message ?? '', /demo/);
  assert.deepEqual(await fleet.answers('web.example'), ['two', 'two', 'two']);
  fleet.remove('intruder.yaml');
});

test('a route without endpoints answers 503 with its category', async () => {
  await settled();
  fleet.apply(
    'empty.yaml',
    `${routeTo(at('one'), { name: 'empty', host: 'empty.example' }).replace(/spec: \{ endpoints.*\}/, 'spec: { serviceRef: { name: nowhere, port: 80 } }')}`,
  );
  await until(
    'all answer 503',
    async () => {
      const answers = await Promise.all(fleet.proxies.map((p) => request(p.port, 'empty.example')));
      return answers.every((a) => a.status === 503 && (a.error === 'no_endpoints' || a.error === 'unresolved_ref'));
    },
    60_000,
  );
  assert.equal(fleet.condition('UpstreamPool', 'empty', 'ResolvedRefs'), 'False RefNotFound');
});
