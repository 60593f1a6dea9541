/** A proxy alone with a document written by hand. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { ask, freePort, start, startUpstream, until, type Running } from '../support/processes.ts';

let folder = '';
let file = '';
let port = 0;
let admin = 0;
let proxy: Running | undefined;
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
  folder = mkdtempSync(join(tmpdir(), 'mrp-standalone-'));
  file = join(folder, 'config.yaml');
  [port, admin] = [await freePort(), await freePort()];
});
afterEach(async () => {
  await proxy?.stop('SIGKILL');
  proxy = undefined;
  rmSync(folder, { recursive: true });
});

const to = (address: string) => `
routes:
  - { id: all, path_prefix: /, pool: backend }
pools:
  - { id: backend, endpoints: [{ address: '${address}' }] }
`;

async function serve(...flags: string[]): Promise<Running> {
  proxy = start('proxy/main.ts', [
    ...['-config-file', file, '-http-addr', `127.0.0.1:${port}`, '-admin-addr', `127.0.0.1:${admin}`],
    ...['-threads', '2', '-drain-wait-ms', '0', ...flags],
  ]);
  const running = proxy;
  await until('ready', async () => (await ask(admin, '/ready')).status === 200);
  return running;
}

test('a document is served, and an edited one is taken without a restart', async () => {
  writeFileSync(file, to(one.address));
  await serve();
  assert.deepEqual(await ask(port), { status: 200, body: 'one', error: null });
  writeFileSync(file, to(two.address));
  await until('the new upstream answers', async () => (await ask(port)).body === 'two');
  writeFileSync(file, to(one.address));
  await until('the old upstream answers again', async () => (await ask(port)).body === 'one');
});

test('a file replaced by rename, as editors and ConfigMaps do, is taken', async () => {
  writeFileSync(file, to(one.address));
  await serve();
  writeFileSync(join(folder, 'next'), to(two.address));
  renameSync(join(folder, 'next'), file);
  await until('the new upstream answers', async () => (await ask(port)).body === 'two');
});

test('an invalid document changes nothing that is served, and log and metric name the reason', async () => {
  writeFileSync(file, to(one.address));
  const running = await serve();
  for (const [broken, reason] of [
    ['routes: [', 'Malformed'],
    [to(one.address).replace('path_prefix', 'path_prefx'), 'UnknownField'],
    [to(one.address).replace('pool: backend', 'pool: nowhere'), 'RefNotFound'],
    [to('169.254.169.254:80'), 'AddressNotAllowed'],
    [to(one.address).replace('path_prefix: /', "path_regex: '(a+)+('"), 'UnsafeRegex'],
  ] as const) {
    writeFileSync(file, broken);
    await until(`${reason} is logged`, () => running.stderr().includes(reason));
    assert.equal((await ask(port)).body, 'one', reason);
  }
  assert.match((await ask(admin, '/metrics')).body, /proxy_config_refused_total\{reason="CompileFailed"\} [5-9]/);
  writeFileSync(file, to(two.address));
  await until('a good document is taken again', async () => (await ask(port)).body === 'two');
});

test('a route to the proxy’s own admin listener finds no endpoint', async () => {
  writeFileSync(file, to(`127.0.0.1:${admin}`));
  await serve();
  assert.deepEqual(await ask(port, '/metrics').then(({ status, error }) => [status, error]), [503, 'no_endpoints']);
});

test('SIGHUP reads the file again', async () => {
  writeFileSync(file, to(one.address));
  const running = await serve();
  const swaps = async () => /proxy_snapshot_swaps_total ([0-9]+)/.exec((await ask(admin, '/metrics')).body)?.[1];
  assert.equal(await swaps(), '1');
  running.child.kill('SIGHUP');
  await until('it was read again', async () => (await swaps()) === '2');
});

test('a file that is invalid from the start ends the process with its findings', async () => {
  writeFileSync(file, to(one.address).replace('pool: backend', 'pool: nowhere'));
  proxy = start('proxy/main.ts', [
    '-config-file',
    file,
    '-http-addr',
    `127.0.0.1:${port}`,
    '-admin-addr',
    `127.0.0.1:${admin}`,
  ]);
  assert.equal(await proxy.ended, 1);
  assert.match(proxy.stderr(), /-config-file: CompileFailed: .*nowhere/);
});

test('a port in use is a clear error, though another proxy shares its own among threads', async () => {
  writeFileSync(file, to(one.address));
  await serve();
  const second = start('proxy/main.ts', [
    '-config-file',
    file,
    '-http-addr',
    `127.0.0.1:${port}`,
    '-enable-admin=false',
  ]);
  assert.equal(await second.ended, 1);
  assert.match(second.stderr(), new RegExp(`-http-addr: 127.0.0.1:${port} is in use`));
});

test('SIGTERM drains: the request in flight ends well, new connections are refused, the process ends with 0', async () => {
  writeFileSync(file, to(one.address));
  const running = await serve('-drain-timeout-ms', '5000');
  assert.equal((await ask(port)).status, 200);
  assert.equal(await running.stop('SIGTERM'), 0);
  await assert.rejects(ask(port));
});

test('an access log on a full disk loses lines, never requests', async () => {
  writeFileSync(file, to(one.address));
  const running = await serve('-access-log-file', '/dev/full');
  for (let i = 0; i < 20; i += 1) assert.equal((await ask(port)).status, 200);
  await until('it is said', () => running.stderr().includes('access log cannot be written'));
  assert.equal((await ask(port)).status, 200);
});

test('validate and compile tell findings and exit codes, for people and for machines', async () => {
  writeFileSync(file, to(one.address));
  const bad = join(folder, 'bad.json');
  copyFileSync(file, join(folder, 'copy.yaml'));
  writeFileSync(bad, '{"routes": [{"id": "x", "path": "relative", "pool": "p"}]}');
  const good = start('proxy/main.ts', ['validate', file]);
  assert.equal(await good.ended, 0);
  assert.match(good.stdout(), /valid, sha256:[0-9a-f]{64}/);
  const mixed = start('proxy/main.ts', ['validate', '--json', file, bad]);
  assert.equal(await mixed.ended, 1);
  const report = JSON.parse(mixed.stdout()) as {
    files: { valid: boolean; findings: { path: string; reason: string }[] }[];
  };
  assert.deepEqual(
    report.files.map((f) => f.valid),
    [true, false],
  );
  assert.equal(report.files[1]?.findings[0]?.path, 'routes[0].path');
  const missing = start('proxy/main.ts', ['validate', join(folder, 'nowhere.yaml')]);
  assert.equal(await missing.ended, 2);
  const compiled = start('proxy/main.ts', ['compile', '--json', file]);
  assert.equal(await compiled.ended, 0);
  assert.match(compiled.stdout(), /"digest": "sha256:[0-9a-f]{64}"/);
});
