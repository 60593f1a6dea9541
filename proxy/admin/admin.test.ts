import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request, type RequestOptions } from 'node:https';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Secret } from '../contract/secret.ts';
import type { Logger } from '../observability/logger.ts';
import { Metrics } from '../observability/metrics.ts';
import { adminPaths, type AdminView } from './paths.ts';
import { AdminServer } from './server.ts';
import { ProxyState } from '../threads/proxyState.ts';

const quiet: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const TOKEN = 'a-long-admin-token';
const DIGEST = `sha256:${'a'.repeat(64)}` as const;
let folder = '';
let server: AdminServer;
let port = 0;
let settings = {
  enabled: true,
  path: '/metrics',
  requireToken: false,
  tokenEnv: null as string | null,
  maxSeries: 1000,
};
const metrics = new Metrics();
const state = new ProxyState({ podUid: 'p', fleet: 'a/b', version: '1' }, metrics);

const file = (name: string) => readFileSync(join(folder, name), 'utf8');
const view: AdminView = {
  env: { METRICS_TOKEN: 'scrape-me' },
  notReady: () => state.notReady(),
  ack: async () => state.ack({ missing: [], startGeneration: 3, knownKids: ['k'], requests: 5, errors5xx: 1 }),
  metrics: async () => ({ contentType: metrics.contentType, body: await metrics.render() }),
  metricsSettings: () => settings,
  current: () => ({ digest: DIGEST, role: 'stable', generation: 1, document: { routes: [] } }),
};

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mrp-admin-'));
  execFileSync('sh', [join(import.meta.dirname, '../../hack/gen-certs.sh'), '--out', folder], { stdio: 'ignore' });
  const tls = { cert: file('admin-cert.pem'), key: new Secret(file('admin-key.pem')), clientCa: file('admin-ca.pem') };
  server = new AdminServer({ tls, token: new Secret(TOKEN), paths: () => adminPaths(view), logger: quiet });
  const listening = await server.listen({ host: '127.0.0.1', port: 0 });
  assert.ok(listening.ok);
  port = listening.value;
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

interface Reply {
  readonly status: number;
  readonly body: string;
}

function ask(path: string, options: RequestOptions & { client?: boolean; token?: string } = {}): Promise<Reply> {
  const { client = false, token, ...rest } = options;
  const identity = client ? { cert: file('client-cert.pem'), key: file('client-key.pem') } : {};
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, path, ca: file('admin-ca.pem'), agent: false, headers, ...identity, ...rest },
      (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

test('probes need neither certificate nor token, and ready tells why not', async () => {
  assert.equal((await ask('/healthz')).status, 200);
  assert.deepEqual(await ask('/ready'), { status: 503, body: 'not ready: no verified configuration runs yet\n' });
  state.runs(DIGEST, 'stable', true);
  assert.equal((await ask('/ready')).status, 200);
  state.drains();
  assert.deepEqual(await ask('/ready'), { status: 503, body: 'not ready: draining\n' });
});

test('the admin API wants a certificate and the token: either alone is 401', async () => {
  const path = '/api/v2/config/current';
  assert.equal((await ask(path)).status, 401);
  assert.equal((await ask(path, { token: TOKEN })).status, 401, 'token without certificate');
  assert.equal((await ask(path, { client: true })).status, 401, 'certificate without token');
  assert.equal((await ask(path, { client: true, token: `${TOKEN}x` })).status, 401);
  assert.equal((await ask(path, { client: true, token: TOKEN })).status, 200);
});

test('acks are for clients with a certificate of the CA', async () => {
  assert.equal((await ask('/api/v2/ack', { token: TOKEN })).status, 401);
  const { status, body } = await ask('/api/v2/ack', { client: true });
  assert.equal(status, 200);
  const ack = JSON.parse(body) as { running: string; startGeneration: number; counters: object };
  assert.deepEqual(
    [ack.running, ack.startGeneration, ack.counters],
    [DIGEST, 3, { requests: 5, errors5xx: 1, swaps: 1, refusals: 0 }],
  );
});

test('metrics are open unless a token is demanded, and closed when that token is not set', async () => {
  assert.equal((await ask('/metrics')).status, 200);
  settings = { ...settings, requireToken: true, tokenEnv: 'METRICS_TOKEN' };
  assert.equal((await ask('/metrics')).status, 401);
  assert.equal((await ask('/metrics', { token: 'scrape-me' })).status, 200);
  settings = { ...settings, tokenEnv: 'NOT_SET' };
  assert.equal((await ask('/metrics', { token: '' })).status, 401);
  settings = { ...settings, enabled: false };
  assert.equal((await ask('/metrics')).status, 404);
});

test('unknown paths are 404, other methods 405', async () => {
  assert.equal((await ask('/')).status, 404);
  assert.equal((await ask('/api/v2/config/current?x', { method: 'DELETE', client: true, token: TOKEN })).status, 405);
});

test('without TLS the probes answer and the API stays closed', async () => {
  const plain = new AdminServer({
    tls: undefined,
    token: new Secret(TOKEN),
    paths: () => adminPaths(view),
    logger: quiet,
  });
  const listening = await plain.listen({ host: '127.0.0.1', port: 0 });
  assert.ok(listening.ok);
  const status = (path: string) =>
    new Promise<number>((resolve) =>
      get(
        { host: '127.0.0.1', port: listening.value, path, agent: false, headers: { authorization: `Bearer ${TOKEN}` } },
        (r) => resolve(r.resume().statusCode ?? 0),
      ),
    );
  assert.deepEqual([await status('/healthz'), await status('/api/v2/ack')], [200, 401]);
  await plain.close();
});

test('a port in use is said, not thrown', async () => {
  const second = new AdminServer({ tls: undefined, token: undefined, paths: () => [], logger: quiet });
  const outcome = await second.listen({ host: '127.0.0.1', port });
  assert.ok(!outcome.ok && /EADDRINUSE/.test(outcome.error));
});

test('a refusal stays in the ack until what was refused, or something newer, runs', () => {
  const own = new ProxyState({ podUid: 'p', fleet: 'a/b', version: '1' }, new Metrics());
  const refusedBy = () =>
    own.ack({ missing: [], startGeneration: 0, knownKids: [], requests: 0, errors5xx: 0 }).refused?.reason;
  own.sawHead(5);
  own.refused({ digest: DIGEST, reason: 'CompileFailed', message: 'x', generation: 5 });
  own.runs(`sha256:${'b'.repeat(64)}`, 'stable', true);
  assert.equal(refusedBy(), 'CompileFailed');
  own.sawHead(6);
  own.runs(`sha256:${'c'.repeat(64)}`, 'stable', true);
  assert.equal(refusedBy(), undefined);
});
