/**
 * `make run`: the whole product on one machine. An operator reads a folder of manifests, three proxies take what it signs
 * through a folder store, and demo upstreams answer.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Children } from './run/children.ts';
import { writeEndpointSlices } from './run/endpoints.ts';
import { lockState, noteChildren } from './run/lock.ts';
import { readOptions } from './run/options.ts';
import { portProblem } from './run/ports.ts';
import { followRollout } from './run/table.ts';
import { waitUntil } from './run/wait.ts';

const ROOT = join(import.meta.dirname, '..');
process.chdir(ROOT);
const options = readOptions(process.argv.slice(2));
const say = (line: string) => process.stdout.write(`${line}\n`);
const [namespace = 'default'] = options.fleet.split('/');
const folders = {
  certs: '.state/certs',
  keys: join(options.state, 'keys'),
  store: join(options.state, 'store'),
  endpoints: join(options.state, 'endpoints'),
  status: join(options.state, 'status'),
  logs: join(options.state, 'logs'),
};
const publicKeys = join(folders.keys, 'public.json');
const ADMIN_TOKEN = 'devtoken';
const RESTART_MS = 1_000;

mkdirSync(options.state, { recursive: true });
const locked = lockState(options.state);
if (locked !== undefined) {
  process.stderr.write(`${locked}\n`);
  process.exit(1);
}
await checkPorts();
rmSync(folders.status, { recursive: true, force: true });
for (const folder of [folders.logs, folders.status, folders.endpoints]) mkdirSync(folder, { recursive: true });
execFileSync('sh', ['hack/gen-certs.sh', '--out', folders.certs], { stdio: ['ignore', 'ignore', 'inherit'] });

const [v1a = 0, v1b = 0, v2a = 0, v2b = 0] = options.demoPorts;
const services = [
  { name: 'hello-v1', ports: [v1a, v1b] },
  { name: 'hello-v2', ports: [v2a, v2b] },
];
await writeEndpointSlices(folders.endpoints, namespace, services);

const children = new Children(
  (name, how) => {
    const proxy = /^proxy-([0-9]+)$/.exec(name)?.[1];
    if (proxy === undefined) {
      say(`${name} ended by itself (${how}); its log is in ${folders.logs}`);
      process.exitCode = 1;
      void shutDown('SIGTERM');
      return;
    }
    // As a kubelet would: the fleet goes on without it, and has it back.
    say(`${name} ended by itself (${how}); it is started again in ${RESTART_MS / 1000} s`);
    setTimeout(() => !ending && startProxy(Number(proxy)), RESTART_MS);
  },
  (pids) => noteChildren(options.state, pids),
);
let ending = false;
let table: { stop(): void } | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void shutDown(signal));

startAll();
// The operator makes the keys that proxies verify with.
if (await waitUntil(() => existsSync(publicKeys), 30_000)) startProxies();
const started = await waitUntil(() => proxiesReady(), 60_000);
if (!started && !ending) {
  say(`the proxies did not become ready in a minute; the last lines of the operator's log:`);
  say(readFileSync(join(folders.logs, 'operator.log'), 'utf8').split('\n').slice(-10).join('\n'));
  process.exitCode = 1;
  await shutDown('SIGTERM');
}
if (!ending) {
  printWelcome();
  table = followRollout({
    statusFolder: folders.status,
    fleet: options.fleet,
    logFile: join(folders.logs, 'operator.log'),
    isTerminal: process.stdout.isTTY,
    say,
  });
}

async function checkPorts(): Promise<void> {
  const wanted = [
    ...options.httpPorts.map((port) => ['--http-ports', port] as const),
    ...options.adminPorts.map((port) => ['--admin-ports', port] as const),
    ...options.demoPorts.map((port) => ['--demo-ports', port] as const),
  ];
  const problems: string[] = [];
  for (const [flag, port] of wanted) {
    const problem = await portProblem(options.bindHost, port);
    if (problem !== undefined) problems.push(`${problem}; choose others with ${flag}`);
  }
  if (problems.length === 0) return;
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exit(1);
}

function startAll(): void {
  const log = (name: string) => join(folders.logs, `${name}.log`);
  for (const { name, ports } of services) {
    for (const port of ports)
      children.start(
        `${name}:${port}`,
        ['proxy/demo/main.ts', '--host', '127.0.0.1', '--port', String(port), '--name', name],
        log('demo'),
      );
  }
  const proxies = options.adminPorts.map((port, i) => `proxy-${i}=https://127.0.0.1:${port}`);
  children.start(
    'operator',
    [
      'operator/main.ts',
      ...['--manifests', options.manifests],
      ...['--store-dir', folders.store, '--keys-dir', folders.keys, '--status-dir', folders.status],
      ...['--audit-file', join(folders.logs, 'audit.jsonl'), '--default-fleet', options.fleet, '--log-json=false'],
      ...['--ack-ca-file', `${folders.certs}/admin-ca.pem`, '--ack-cert-file', `${folders.certs}/operator-cert.pem`],
      ...['--ack-key-file', `${folders.certs}/operator-key.pem`],
      ...proxies.flatMap((p) => ['--proxy', p]),
    ],
    log('operator'),
  );
}

function startProxies(): void {
  for (const i of options.httpPorts.keys()) startProxy(i);
}

function startProxy(i: number): void {
  const port = options.httpPorts[i];
  const args = [
    'proxy/main.ts',
    ...['-http-addr', `${options.bindHost}:${port}`, '-admin-addr', `${options.bindHost}:${options.adminPorts[i]}`],
    ...['-store-dir', folders.store, '-public-key-file', publicKeys, '-fleet', options.fleet],
    ...[
      '-pod-uid',
      `proxy-${i}`,
      '-endpoints-dir',
      `${options.manifests},${folders.endpoints}`,
      '-state-dir',
      join(options.state, `proxy-${i}`),
    ],
    ...['-threads', String(options.threads), '-access-log-file', join(folders.logs, `access-${i}.jsonl`)],
    // No load balancer needs time to notice that this machine's proxies leave.
    ...['-drain-wait-ms', '0', '-log-json=false'],
  ];
  children.start(`proxy-${i}`, args, join(folders.logs, `proxy-${i}.log`), {
    ADMIN_TOKEN,
    ADMIN_TLS_CERT_FILE: `${folders.certs}/admin-cert.pem`,
    ADMIN_TLS_KEY_FILE: `${folders.certs}/admin-key.pem`,
    ADMIN_CLIENT_CA_FILE: `${folders.certs}/admin-ca.pem`,
  });
}

async function proxiesReady(): Promise<boolean> {
  const answers = await Promise.all(
    options.httpPorts.map(async (port) => {
      try {
        const response = await fetch(`http://${options.bindHost}:${port}/`, { signal: AbortSignal.timeout(1000) });
        await response.arrayBuffer();
        return response.headers.get('x-proxy-error') !== 'no_snapshot';
      } catch {
        return false;
      }
    }),
  );
  return ending || answers.every(Boolean);
}

function printWelcome(): void {
  const manifests = relative(ROOT, options.manifests) || options.manifests;
  const [http = 0] = options.httpPorts;
  const [admin = 0] = options.adminPorts;
  const certs = folders.certs;
  say(`Serving ${manifests} on ${options.httpPorts.map((p) => `http://localhost:${p}`).join(', ')}. Try:`);
  say(`  curl http://localhost:${http}/`);
  say(`  curl -H 'X-Cohort: beta' http://localhost:${http}/`);
  say(`  curl --cacert ${certs}/admin-ca.pem https://localhost:${admin}/metrics`);
  say(`  curl --cacert ${certs}/admin-ca.pem --cert ${certs}/client-cert.pem --key ${certs}/client-key.pem \\`);
  say(`       -H 'Authorization: Bearer ${ADMIN_TOKEN}' https://localhost:${admin}/api/v2/config/current`);
  say(`Edit ${manifests}/10-hello.yaml and watch; Ctrl-C ends it. Logs, audit and status are in ${options.state}.`);
}

/** The first signal drains, a second one forces. */
async function shutDown(signal: NodeJS.Signals): Promise<void> {
  if (ending) {
    children.signal('SIGKILL');
    return;
  }
  ending = true;
  table?.stop();
  say(`${signal}: draining ${children.names.length} processes (again to force)`);
  children.signal('SIGTERM');
  await children.ended();
  say('all ended');
  process.exit();
}
