/** A whole fleet as processes: an operator on a folder of manifests, and proxies that take what it signs. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProxyRolloutStatus } from '../../crds/proxyRollout.ts';
import type { FragmentStatus } from '../../crds/shared.ts';
import { ask, freePort, start, until, type Running } from './processes.ts';

export interface FleetOptions {
  readonly proxies: number;
  /** YAML by file name, as `kubectl apply` would take it. */
  readonly manifests: Readonly<Record<string, string>>;
  /** Default demo/edge. */
  readonly fleet?: string;
  readonly proxyFlags?: readonly string[];
  /** Where the store is; default: below the fleet’s folder. */
  readonly storeFolder?: string;
}

export interface Proxy {
  readonly podUid: string;
  readonly port: number;
  readonly admin: number;
  running: Running | undefined;
}

let certificates: string | undefined;

/** Development certificates, made once for the test process. */
function testCertificates(): string {
  if (certificates === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'mrp-certs-'));
    execFileSync('sh', [join(import.meta.dirname, '../../hack/gen-certs.sh'), '--out', folder], { stdio: 'ignore' });
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    certificates = folder;
  }
  return certificates;
}

/** A fleet’s manifest: stages that bake briefly, so that tests see them all. */
export function rollout(strategy: string, fleet = ''): string {
  return `
apiVersion: modernproxy.io/v1alpha1
kind: ProxyRollout
metadata: { name: edge, namespace: demo }
spec:
  fleet: { allowedNamespaces: { from: All }${fleet === '' ? '' : `, ${fleet}`} }
  strategy: ${strategy}
`;
}

export const STAGES = `
    stages:
    - { name: canary, fleetPercent: 10, bakeTime: 1s }
    - { name: half, fleetPercent: 50, bakeTime: 1s }
    - { name: all, fleetPercent: 100 }
    progressDeadline: 1m`;

/** A route and its pool, in a namespace. */
export function routeTo(
  address: string,
  options: { name?: string; namespace?: string; host?: string; path?: string } = {},
): string {
  const { name = 'web', namespace = 'demo', host = 'web.example', path = '/' } = options;
  return `
apiVersion: modernproxy.io/v1alpha1
kind: ProxyRoute
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  hosts: [${host}]
  matches: [{ path: { type: PathPrefix, value: ${path} } }]
  poolRef: { name: ${name} }
---
apiVersion: modernproxy.io/v1alpha1
kind: UpstreamPool
metadata: { name: ${name}, namespace: ${namespace} }
spec: { endpoints: [{ address: '${address}' }] }
`;
}

export class TestFleet {
  readonly folder: string;
  readonly store: string;
  readonly proxies: Proxy[] = [];
  readonly #options: FleetOptions;
  operator: Running | undefined;

  private constructor(options: FleetOptions) {
    this.#options = options;
    this.folder = mkdtempSync(join(tmpdir(), 'mrp-fleet-'));
    this.store = options.storeFolder ?? join(this.folder, 'store');
    mkdirSync(join(this.folder, 'manifests'));
    for (const [name, text] of Object.entries(options.manifests)) this.apply(name, text);
  }

  /** Starts everything, and waits until every proxy is ready. */
  static async start(options: FleetOptions): Promise<TestFleet> {
    const fleet = new TestFleet(options);
    for (let i = 0; i < options.proxies; i += 1) {
      const [port, admin] = [await freePort(), await freePort()];
      fleet.proxies.push({ podUid: `proxy-${i}`, port, admin, running: undefined });
    }
    try {
      fleet.startOperator();
      await until('the keys are there', () => readFileSync(join(fleet.folder, 'keys/public.json')).length > 0);
      for (const proxy of fleet.proxies) fleet.startProxy(proxy);
      await fleet.allReady();
      return fleet;
    } catch (error) {
      await fleet.stop();
      throw error;
    }
  }

  /** What `kubectl apply -f` would do. */
  apply(file: string, text: string): void {
    writeFileSync(join(this.folder, 'manifests', file), text);
  }

  remove(file: string): void {
    rmSync(join(this.folder, 'manifests', file));
  }

  startOperator(...flags: string[]): void {
    const certs = testCertificates();
    this.operator = start('operator/main.ts', [
      ...[
        '--manifests',
        join(this.folder, 'manifests'),
        '--store-dir',
        this.store,
        '--keys-dir',
        join(this.folder, 'keys'),
      ],
      ...['--status-dir', join(this.folder, 'status'), '--audit-file', join(this.folder, 'audit.jsonl')],
      ...['--default-fleet', this.#options.fleet ?? 'demo/edge', '--ack-ca-file', `${certs}/admin-ca.pem`],
      ...['--ack-cert-file', `${certs}/operator-cert.pem`, '--ack-key-file', `${certs}/operator-key.pem`],
      ...this.proxies.flatMap((p) => ['--proxy', `${p.podUid}=https://127.0.0.1:${p.admin}`]),
      ...flags,
    ]);
  }

  startProxy(proxy: Proxy, ...flags: string[]): void {
    const certs = testCertificates();
    proxy.running = start(
      'proxy/main.ts',
      [
        ...['-http-addr', `127.0.0.1:${proxy.port}`, '-admin-addr', `127.0.0.1:${proxy.admin}`, '-threads', '1'],
        ...['-store-dir', this.store, '-public-key-file', join(this.folder, 'keys/public.json')],
        ...['-fleet', this.#options.fleet ?? 'demo/edge', '-pod-uid', proxy.podUid, '-drain-wait-ms', '0'],
        ...['-state-dir', join(this.folder, proxy.podUid), '-endpoints-dir', join(this.folder, 'manifests')],
        ...(this.#options.proxyFlags ?? []),
        ...flags,
      ],
      {
        ADMIN_TLS_CERT_FILE: `${certs}/admin-cert.pem`,
        ADMIN_TLS_KEY_FILE: `${certs}/admin-key.pem`,
        ADMIN_CLIENT_CA_FILE: `${certs}/admin-ca.pem`,
      },
    );
  }

  async allReady(): Promise<void> {
    for (const proxy of this.proxies)
      await until(
        `${proxy.podUid} serves a snapshot`,
        async () => (await ask(proxy.port)).error !== 'no_snapshot',
        60_000,
      );
  }

  /** Answers of all proxies to one request. */
  async answers(host: string, path = '/'): Promise<string[]> {
    return Promise.all(this.proxies.map(async (p) => (await request(p.port, host, path)).body));
  }

  rollout(): ProxyRolloutStatus | undefined {
    return this.status<ProxyRolloutStatus>('ProxyRollout', 'demo', 'edge');
  }

  status<T = FragmentStatus>(kind: string, namespace: string, name: string): T | undefined {
    try {
      const text = readFileSync(join(this.folder, 'status', kind, namespace, `${name}.json`), 'utf8');
      return (JSON.parse(text) as { status: T }).status;
    } catch {
      return undefined;
    }
  }

  condition(kind: string, name: string, type: string, namespace = 'demo'): string | undefined {
    const found = this.status(kind, namespace, name)?.conditions?.find((c) => c.type === type);
    return found === undefined ? undefined : `${found.status} ${found.reason}`;
  }

  audit(): { action: string; reason: string; objects?: string[] }[] {
    const text = readFileSync(join(this.folder, 'audit.jsonl'), 'utf8');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { action: string; reason: string });
  }

  async stop(): Promise<void> {
    await Promise.all([this.operator?.stop('SIGKILL'), ...this.proxies.map((p) => p.running?.stop('SIGKILL'))]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** One request with a Host of its own (fetch does not let one set it). */
export async function request(
  port: number,
  host: string,
  path = '/',
): Promise<{ status: number; body: string; error: string | undefined }> {
  const { request: send } = await import('node:http');
  return new Promise((resolve, reject) => {
    const sent = send({ host: '127.0.0.1', port, path, headers: { host }, agent: false, timeout: 5000 }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => {
        const error = response.headers['x-proxy-error'];
        resolve({ status: response.statusCode ?? 0, body, error: typeof error === 'string' ? error : undefined });
      });
    });
    sent.on('error', reject);
    sent.on('timeout', () => sent.destroy(new Error('no answer in 5 s')));
    sent.end();
  });
}
