/**
 * `make smoke`: starts what `make run` starts, on ports of its own and a copy of the example, and does what a newcomer
 * does: requests, an edit, its reversal, a broken file, Ctrl-C.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { portProblem } from './run/ports.ts';
import { waitUntil } from './run/wait.ts';

const ROOT = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'mrp-smoke-'));
const manifests = join(folder, 'manifests');
const helloFile = join(manifests, '10-hello.yaml');
const step = (text: string) => console.log(`smoke: ${text}`);

cpSync(join(ROOT, 'configs/examples/basic'), manifests, { recursive: true });
// The example bakes five seconds a stage; here one will do.
const fleetFile = join(manifests, '00-fleet.yaml');
writeFileSync(fleetFile, readFileSync(fleetFile, 'utf8').replaceAll('bakeTime: 5s', 'bakeTime: 1s'));
const original = readFileSync(helloFile, 'utf8');

const ports = await freePorts(10);
const [httpPorts, adminPorts, demoPorts] = [ports.slice(0, 3), ports.slice(3, 6), ports.slice(6, 10)];
const args = [
  'hack/run.ts',
  ...['--manifests', manifests, '--state', join(folder, 'state')],
  ...['--http-ports', httpPorts.join(), '--admin-ports', adminPorts.join(), '--demo-ports', demoPorts.join()],
];
let output = '';
const run = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
run.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));

try {
  await main();
  step('passed');
} catch (error) {
  console.error(error, `\n${output}`);
  console.error(readLog('operator').split('\n').slice(-20).join('\n'));
  process.exitCode = 1;
} finally {
  if (run.exitCode === null && run.signalCode === null) {
    run.kill('SIGINT');
    await ended(run);
  }
  rmSync(folder, { recursive: true, force: true });
}

async function main(): Promise<void> {
  step('starting an operator, three proxies and their upstreams');
  assert.ok(await waitUntil(() => output.includes('Serving'), 90_000), 'it starts');
  assert.ok(await everyProxy((body) => body.from === 'hello-v1'), 'every proxy serves hello-v1');
  const beta = await ask(httpPorts[0] ?? 0, { 'x-cohort': 'beta' });
  assert.equal(beta.from, 'hello-v2', 'a header condition routes to hello-v2');
  const first = await stableDigest();

  step('a second run in the same folder, or on the same ports, is refused');
  await refusesSecondRun();

  step('a change goes through the stages');
  writeFileSync(helloFile, original.replace('poolRef: { name: hello-v1 }', 'poolRef: { name: hello-v2 }'));
  const seen = new Set<number>();
  const spread = async () => {
    const answers = await Promise.all(httpPorts.map((port) => ask(port)));
    const changed = answers.filter((a) => a.from === 'hello-v2').length;
    seen.add(changed);
    return changed === 3;
  };
  assert.ok(await waitUntil(spread, 60_000, 50), 'every proxy serves hello-v2 in the end');
  assert.ok(seen.has(1) && seen.has(2), `one proxy, then two, then all: saw ${[...seen].join()}`);
  assert.ok(await waitUntil(async () => (await stableDigest()) !== first, 30_000), 'the candidate becomes stable');

  step('the reverted file gives the old digest back');
  writeFileSync(helloFile, original);
  assert.ok(await waitUntil(async () => (await stableDigest()) === first, 30_000), 'the digest is the first one again');
  assert.ok(await everyProxy((body) => body.from === 'hello-v1'), 'every proxy serves hello-v1 again');

  step('a broken file changes nothing that is served, and is named');
  writeFileSync(helloFile, original.replace('poolRef: { name: hello-v1 }', 'poolRef: { name: hello-v2'));
  assert.ok(
    await waitUntil(() => /10-hello\.yaml.*Malformed|Malformed.*10-hello\.yaml/.test(output), 20_000),
    'the file and reason are said',
  );
  writeFileSync(helloFile, original.replace('poolRef:', 'polRef:'));
  assert.ok(
    await waitUntil(() => /ProxyRoute\/demo\/hello spec\.polRef.*UnknownField/.test(output), 20_000),
    'object, field and reason are said',
  );
  assert.ok(await everyProxy((body) => body.from === 'hello-v1'), 'every proxy still serves hello-v1');
  assert.equal(await stableDigest(), first);

  step('Ctrl-C drains and leaves nothing behind');
  run.kill('SIGINT');
  assert.equal(await ended(run), 0);
  for (const port of ports) assert.equal(await portProblem('127.0.0.1', port), undefined, `port ${port} is free again`);
}

interface Answer {
  readonly from?: string;
}

async function ask(port: number, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`http://localhost:${port}/`, { headers, signal: AbortSignal.timeout(5000) });
  const body = (await response.json()) as Answer;
  assert.equal(response.status, 200, `port ${port} answers 200, not ${response.status} ${JSON.stringify(body)}`);
  return body;
}

async function everyProxy(accept: (body: Answer) => boolean): Promise<boolean> {
  return waitUntil(async () => (await Promise.all(httpPorts.map((port) => ask(port)))).every(accept), 20_000);
}

async function stableDigest(): Promise<string | undefined> {
  try {
    const text = readFileSync(join(folder, 'state/status/ProxyRollout/demo/edge.json'), 'utf8');
    return (JSON.parse(text) as { status: { stableDigest?: string } }).status.stableDigest;
  } catch {
    return undefined;
  }
}

async function refusesSecondRun(): Promise<void> {
  assert.match(await refusal(args), /is in use by another run \(pid [0-9]+\); choose another with --state/);
  const elsewhere = args.map((arg) => (arg === join(folder, 'state') ? join(folder, 'state-2') : arg));
  assert.match(await refusal(elsewhere), new RegExp(`port ${httpPorts[0]} is in use; choose others with --http-ports`));
}

async function refusal(secondArgs: readonly string[]): Promise<string> {
  const second = spawn(process.execPath, secondArgs, { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  second.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  assert.equal(await ended(second), 1);
  return text;
}

function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

function readLog(name: string): string {
  try {
    return readFileSync(join(folder, 'state/logs', `${name}.log`), 'utf8');
  } catch {
    return '';
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise<typeof server>((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
    }),
  );
  const found = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return found;
}
