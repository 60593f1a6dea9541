/** What a hostile, damaged or missing store can do to a fleet that serves: nothing but be named. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { decodeJwt } from 'jose';
import { signHead } from '../../proxy/bundle/head.ts';
import { generateSigningKey, type SigningKey } from '../../proxy/bundle/keys.ts';
import { pack } from '../../proxy/bundle/storedForm.ts';
import type { Digest } from '../../proxy/contract/canonical.ts';
import type { Head } from '../../proxy/contract/head.ts';
import { limit } from '../../proxy/contract/limits.ts';
import { FolderStore } from '../../proxy/store/folderStore.ts';
import { loadSigningKeys } from '../../proxy/store/keyFolder.ts';
import { ask, startUpstream, until } from '../support/processes.ts';
import { TestFleet, request, rollout, routeTo } from '../support/fleet.ts';

const FLEET = 'demo/edge';
let fleet: TestFleet;
let upstream: Awaited<ReturnType<typeof startUpstream>>;
let next: Awaited<ReturnType<typeof startUpstream>>;
let key: SigningKey;

before(async () => {
  upstream = await startUpstream('one');
  next = await startUpstream('two');
  fleet = await TestFleet.start({
    proxies: 1,
    manifests: { 'fleet.yaml': rollout('{}'), 'web.yaml': routeTo(upstream.address) },
  });
  const keys = await loadSigningKeys(join(fleet.folder, 'keys'));
  assert.ok(keys.ok && keys.value[0] !== undefined);
  key = keys.value[0];
});
after(async () => {
  await fleet.stop();
  await upstream.close();
  await next.close();
});
beforeEach(async () => {
  // Nobody repairs what the tests do to the store.
  await fleet.operator?.stop('SIGKILL');
});

async function currentHead(): Promise<{ head: Head; version: string; store: FolderStore }> {
  const store = new FolderStore(fleet.store);
  const stored = await store.getHead(FLEET);
  assert.ok(stored.ok);
  return {
    // The payload of what our operator signed a moment ago is a head; jose types it as JWT claims.
    head: decodeJwt(stored.value.file.jws) as unknown as Head,
    version: stored.value.version,
    store,
  };
}

/** Publishes a head made by hand, and waits until the proxy says why it does not take it. */
async function refused(change: (head: Head) => Head, reason: string, signer = key): Promise<void> {
  const { head, version, store } = await currentHead();
  const put = await store.putHead(FLEET, await signHead(change(head), signer), version);
  assert.ok(put.ok);
  await expectRefusal(reason);
  await restore(head);
}

async function restore(head: Head): Promise<void> {
  const { version, store } = await currentHead();
  const generation = Math.max(head.generation, Date.now()) + 1;
  assert.ok((await store.putHead(FLEET, await signHead({ ...head, generation }, key), version)).ok);
}

async function expectRefusal(reason: string): Promise<void> {
  const proxy = fleet.proxies[0];
  assert.ok(proxy);
  await until(
    `${reason} is logged`,
    () =>
      proxy.running?.stderr().includes(`reason=${reason}`) || proxy.running?.stderr().includes(`"reason":"${reason}"`),
    15_000,
  );
  assert.equal((await request(proxy.port, 'web.example')).body, 'one', 'what was served is served');
}

test('a head of another fleet is refused', () =>
  refused((head) => ({ ...head, fleet: 'demo/other', generation: head.generation + 1 }), 'WrongFleet'));

test('a head of another cluster is refused', () =>
  refused((head) => ({ ...head, clusterUid: 'elsewhere', generation: head.generation + 1 }), 'WrongCluster'));

test('a head signed with a foreign key is refused', () =>
  refused((head) => ({ ...head, generation: head.generation + 1 }), 'UnknownKey', generateSigningKey()));

test('a replayed head of an older generation is refused', () =>
  refused((head) => ({ ...head, generation: head.generation - 1 }), 'OlderGeneration'));

test('a head whose bundle is missing is refused, and taken when the bundle comes', async () => {
  const digest: Digest = `sha256:${'e'.repeat(64)}`;
  await refused((head) => ({ ...head, stable: { ...head.stable, digest }, generation: Date.now() + 1000 }), 'Missing');
});

test('an oversized object is refused before it is unpacked whole', async () => {
  const digest: Digest = `sha256:${'f'.repeat(64)}`;
  const bomb = await pack(Buffer.alloc(64 * limit('shardObjectBytes')));
  writeFileSync(join(fleet.store, FLEET, 'objects', `${'f'.repeat(64)}.gz`), bomb);
  await refused((head) => ({ ...head, stable: { ...head.stable, digest }, generation: Date.now() + 2000 }), 'TooLarge');
});

test('bytes under a name that is not theirs are refused', async () => {
  const digest: Digest = `sha256:${'d'.repeat(64)}`;
  writeFileSync(join(fleet.store, FLEET, 'objects', `${'d'.repeat(64)}.gz`), await pack(Buffer.from('{}')));
  await refused(
    (head) => ({ ...head, stable: { ...head.stable, digest }, generation: Date.now() + 3000 }),
    'DigestMismatch',
  );
});

test('metrics count every refusal by its reason', async () => {
  const text = (await metricsOf()) ?? '';
  for (const reason of [
    'WrongFleet',
    'WrongCluster',
    'UnknownKey',
    'OlderGeneration',
    'Missing',
    'TooLarge',
    'DigestMismatch',
  ]) {
    assert.match(text, new RegExp(`proxy_config_refused_total\\{reason="${reason}"\\} [1-9]`));
  }
});

async function metricsOf(): Promise<string | undefined> {
  const { request: send } = await import('node:https');
  return new Promise((resolve) => {
    send(
      { host: '127.0.0.1', port: fleet.proxies[0]?.admin, path: '/metrics', rejectUnauthorized: false, agent: false },
      (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve(body));
      },
    ).end();
  });
}

test('a proxy that restarts while the store is away serves from its disk, and takes changes when it is back', async () => {
  const proxy = fleet.proxies[0];
  assert.ok(proxy);
  const away = `${fleet.store}.away`;
  renameSync(fleet.store, away);
  await proxy.running?.stop('SIGKILL');
  fleet.startProxy(proxy);
  await fleet.allReady();
  assert.equal((await request(proxy.port, 'web.example')).body, 'one');
  assert.match(proxy.running?.stderr() ?? '', /starting from the disk copy/);
  renameSync(away, fleet.store);
  fleet.apply('web.yaml', routeTo(next.address));
  fleet.startOperator();
  await until('the change is served', async () => (await request(proxy.port, 'web.example')).body === 'two', 40_000);
  fleet.apply('web.yaml', routeTo(upstream.address));
  await until('and its reversal', async () => (await request(proxy.port, 'web.example')).body === 'one', 40_000);
});

test('a head that is replaced or deleted by hand is put right by the operator', async () => {
  fleet.startOperator();
  await until('the operator runs', () => fleet.operator?.stderr().includes('operating'));
  const { head, version, store } = await currentHead();
  const foreign = await signHead({ ...head, generation: head.generation + 1 }, generateSigningKey());
  assert.ok((await store.putHead(FLEET, foreign, version)).ok);
  await until('it is ours again', async () => (await currentHead()).head.generation > head.generation + 1, 30_000);
  rmSync(join(fleet.store, FLEET, 'heads'), { recursive: true });
  await until('it is there again', async () => (await new FolderStore(fleet.store).getHead(FLEET)).ok, 30_000);
  assert.equal((await request(fleet.proxies[0]?.port ?? 0, 'web.example')).body, 'one');
});

test('a flipped byte in the disk copy is never served', async () => {
  const proxy = fleet.proxies[0];
  assert.ok(proxy);
  await proxy.running?.stop('SIGKILL');
  const folder = join(fleet.folder, proxy.podUid);
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.gz')) continue;
    const bytes = readFileSync(join(folder, name));
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
    writeFileSync(join(folder, name), bytes);
  }
  const away = `${fleet.store}.away`;
  renameSync(fleet.store, away);
  fleet.startProxy(proxy);
  await until('it runs', async () => (await ask(proxy.port)).status > 0);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  assert.equal((await ask(proxy.port)).error, 'no_snapshot');
  renameSync(away, fleet.store);
  await fleet.allReady();
  assert.equal((await request(proxy.port, 'web.example')).body, 'one');
});

test('a store that is full is said, serves on, and is caught up with when there is room', async (t) => {
  if (process.getuid?.() !== 0) {
    t.diagnostic('needs root to mount a small file system');
    assert.notEqual(process.env['CI'], 'true');
    return;
  }
  const small = mkdtempSync(join(tmpdir(), 'mrp-small-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', small]);
  let full: TestFleet | undefined;
  try {
    full = await TestFleet.start({
      proxies: 1,
      storeFolder: join(small, 'store'),
      manifests: { 'fleet.yaml': rollout('{}'), 'web.yaml': routeTo(upstream.address) },
    });
    const running = full;
    const port = running.proxies[0]?.port ?? 0;
    await until('it serves', async () => (await request(port, 'web.example')).body === 'one');
    fill(join(small, 'ballast'));
    running.apply('web.yaml', routeTo(next.address));
    await until('it is said', () => /Full|ENOSPC|no space/i.test(running.operator?.stderr() ?? ''), 30_000);
    assert.equal((await request(port, 'web.example')).body, 'one');
    rmSync(join(small, 'ballast'));
    await until('the change is served', async () => (await request(port, 'web.example')).body === 'two', 40_000);
  } finally {
    await full?.stop();
    execFileSync('umount', [small]);
    rmSync(small, { recursive: true });
  }
});

test('a store made read-only is said, serves on, and is caught up with when it can be written', async (t) => {
  if (process.getuid?.() !== 0) {
    t.diagnostic('needs root to mount a file system');
    assert.notEqual(process.env['CI'], 'true');
    return;
  }
  const mounted = mkdtempSync(join(tmpdir(), 'mrp-ro-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', mounted]);
  let locked: TestFleet | undefined;
  try {
    locked = await TestFleet.start({
      proxies: 1,
      storeFolder: join(mounted, 'store'),
      manifests: { 'fleet.yaml': rollout('{}'), 'web.yaml': routeTo(upstream.address) },
    });
    const running = locked;
    const port = running.proxies[0]?.port ?? 0;
    await until('it serves', async () => (await request(port, 'web.example')).body === 'one');
    execFileSync('mount', ['-o', 'remount,ro', mounted]);
    running.apply('web.yaml', routeTo(next.address));
    await until('it is said', () => /ReadOnly/.test(running.operator?.stderr() ?? ''), 30_000);
    assert.equal((await request(port, 'web.example')).body, 'one');
    execFileSync('mount', ['-o', 'remount,rw', mounted]);
    await until('the change is served', async () => (await request(port, 'web.example')).body === 'two', 40_000);
  } finally {
    await locked?.stop();
    execFileSync('umount', [mounted]);
    rmSync(mounted, { recursive: true });
  }
});

function fill(file: string): void {
  mkdirSync(join(file, '..'), { recursive: true });
  for (const size of [64 * 1024, 4096, 512]) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size), { flag: 'a' });
    } catch {
      continue;
    }
  }
}
