import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'node:test';
import { parseCommandLine } from './commandLine.ts';
import { parseAddress, resolveOptions, type RawFlags } from './options.ts';

function run(args: string[], env: Record<string, string> = {}) {
  const parsed = parseCommandLine(args, 'proxy');
  assert.ok(parsed.ok && parsed.value.command === 'run', parsed.ok ? parsed.value.command : parsed.error);
  return resolveOptions(parsed.value.flags, env);
}

test('flags take one dash or two, with a space or an equals sign', () => {
  for (const args of [
    ['-config-file', 'a.yaml', '-http-addr', ':8081'],
    ['--config-file=a.yaml', '--http-addr=:8081'],
    ['-config-file=a.yaml', '--http-addr', ':8081'],
  ]) {
    const options = run(args);
    assert.ok(options.ok);
    assert.deepEqual([options.value.configFile, options.value.http], ['a.yaml', { host: undefined, port: 8081 }]);
  }
});

test('a flag beats its environment variable, which beats the default', () => {
  const env = { PROXY_CONFIG_FILE: 'env.yaml', PROXY_ADMIN_ADDRESS: ':9090', PROXY_LOG_LEVEL: 'debug' };
  const options = run(['-admin-addr', ':9001'], env);
  assert.ok(options.ok);
  const { configFile, admin, logLevel } = options.value;
  assert.deepEqual([configFile, admin?.port, logLevel], ['env.yaml', 9001, 'debug']);
});

test('booleans are switched off with =false and on with the bare flag', () => {
  const off = run(['-config-file', 'x', '-enable-admin=false', '-log-json=false']);
  assert.ok(off.ok && off.value.admin === undefined && !off.value.logJson);
  const on = run(['-config-file', 'x', '-enable-admin']);
  assert.ok(on.ok && on.value.admin?.port === 9000);
});

test('every problem is named by its flag or variable', () => {
  const flags: RawFlags = { 'http-addr': '8080', threads: '0', 'enable-admin': 'maybe', fleet: 'nope' };
  const outcome = resolveOptions(flags, { PROXY_LOG_LEVEL: 'loud' });
  assert.ok(!outcome.ok);
  assert.deepEqual(
    outcome.error.map((e) => e.split(':')[0]),
    ['-http-addr', '-threads', '-enable-admin', '-log-level', '-fleet', 'no configuration'],
  );
});

test('flags of features that are not there yet refuse to start, their defaults do not', () => {
  const outcome = run(['-config-file', 'x', '-tls-addr', ':8443', '-enable-pull=true'], {
    PROXY_TRACE_ENDPOINT: 'http://x',
  });
  assert.ok(!outcome.ok);
  assert.deepEqual(
    outcome.error.map((e) => e.split(':')[0]),
    ['-tls-addr', '-enable-pull', 'PROXY_TRACE_ENDPOINT'],
  );
  assert.ok(run(['-config-file', 'x', '-tls-addr', '', '-enable-pull=false']).ok);
});

test('unsigned configuration is refused inside a cluster', () => {
  const outcome = run(['-config-file', 'x'], { KUBERNETES_SERVICE_HOST: '10.96.0.1' });
  assert.ok(!outcome.ok && /unsigned/.test(outcome.error[0] ?? ''));
});

test('unknown flags and broken numbers are errors, not ignored', () => {
  assert.equal(parseCommandLine(['-htp-addr', ':1'], 'proxy').ok, false);
  assert.equal(run(['-config-file', 'x', '-threads', '2x']).ok, false);
});

test('the admin token never shows when options are printed', () => {
  const options = run(['-config-file', 'x', '-admin-token', 's3cret-token']);
  assert.ok(options.ok);
  assert.doesNotMatch(inspect(options.value) + JSON.stringify(options.value), /s3cret/);
});

test('addresses are host and port, the host in brackets if it is IPv6', () => {
  assert.deepEqual(parseAddress('[::1]:80'), { ok: true, value: { host: '::1', port: 80 } });
  assert.deepEqual(parseAddress('localhost:0'), { ok: true, value: { host: 'localhost', port: 0 } });
  for (const bad of ['80', ':99999', '::1:80', 'a b:80', '']) assert.equal(parseAddress(bad).ok, false, bad);
});
