/**
 * CPU per proxied HTTP/1.1 request: proxy, upstream and load generator are processes of their own on 127.0.0.1; measured is
 * the proxy's CPU time alone (user and system, all its threads). One thread serves 1,000 routes with access log lines,
 * metric columns and request ids, 64 keep-alive connections with one request each, 1 kB bodies.
 * Usage: node test/bench/proxy-h1.ts [requests] [connections] [body bytes]
 * The same load then goes through a bare pipe of bytes and, where NGINX names its binary, through nginx.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { BatchingAccessLog } from '../../proxy/observability/accessLog.ts';
import { ColumnWriter } from '../../proxy/observability/columns.ts';
import { ThreadStats } from '../../proxy/observability/stats.ts';
import { startProxy } from '../support/proxyHarness.ts';
import { processCpu, runPipe, startNginx } from './peers.ts';

/** Enough for the compiler to have settled; as many again are measured. */
const REQUESTS = 60_000;
const MAX_MS = 30_000;
const ROUTES = 1_000;
const HEAD_END = Buffer.from('\r\n\r\n');

interface LoadResult {
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

function send(message: unknown): void {
  process.send?.(message);
}

/** Answers every head with the same bytes. */
async function runUpstream(bodyBytes: number): Promise<void> {
  const body = 'x'.repeat(bodyBytes);
  const response = Buffer.from(
    `HTTP/1.1 200 OK\r\nDate: Mon, 03 Nov 2025 10:00:00 GMT\r\nContent-Type: text/plain\r\nContent-Length: ${bodyBytes}\r\n\r\n${body}`,
  );
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      for (let at = chunk.indexOf(HEAD_END); at !== -1; at = chunk.indexOf(HEAD_END, at + 4)) socket.write(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  send((server.address() as AddressInfo).port);
}

async function runProxy(upstreamPort: number): Promise<void> {
  const writer = new ColumnWriter({ onBlock: () => undefined, onSeries: () => undefined, onRelease: () => undefined });
  const accessLog = new BatchingAccessLog({
    send: () => undefined,
    pendingBytes: new Int32Array(1),
    random: Math.random,
  });
  const routes = Array.from({ length: ROUTES }, (_, i) => ({
    id: `team-${i % 20}/route-${i}`,
    match: {
      hosts: [{ kind: 'exact' as const, host: `host-${i % 100}.example.com` }],
      path: { kind: 'prefix' as const, prefix: `/service-${i}` },
    },
    pool: 'pool',
  }));
  const pools = [{ id: 'pool', endpoints: [`127.0.0.1:${upstreamPort}`] }];
  const proxy = await startProxy({ routes, pools }, { stats: new ThreadStats(writer, 10_000), accessLog });
  send(proxy.port);
}

/** One request after the other on each connection, until there are enough or the time is over. */
async function runLoad(port: number, connections: number, requests: number): Promise<void> {
  const latencies: number[] = [];
  let left = requests;
  const finished: Promise<void>[] = [];
  for (let i = 0; i < connections; i += 1) {
    const route = (i * 37) % ROUTES;
    const request = Buffer.from(
      `GET /service-${route}/items/4711?page=2 HTTP/1.1\r\nHost: host-${route % 100}.example.com\r\n` +
        'User-Agent: bench/1.0\r\nAccept: */*\r\n\r\n',
    );
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    finished.push(
      new Promise((resolve, reject) => {
        let sentAt = 0;
        let expected = 0;
        let received = 0;
        const next = () => {
          if (left <= 0) {
            socket.end(() => resolve());
            return;
          }
          left -= 1;
          sentAt = performance.now();
          expected = 0;
          received = 0;
          socket.write(request);
        };
        socket.on('connect', next);
        socket.on('error', reject);
        socket.on('data', (chunk: Buffer) => {
          if (expected === 0) expected = responseLength(chunk);
          received += chunk.length;
          if (received < expected) return;
          latencies.push(performance.now() - sentAt);
          next();
        });
      }),
    );
  }
  const timer = setTimeout(() => (left = 0), MAX_MS);
  await Promise.all(finished);
  clearTimeout(timer);
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => latencies[Math.floor(q * (latencies.length - 1))] ?? 0;
  send({ requests: latencies.length, p50Ms: quantile(0.5), p99Ms: quantile(0.99) } satisfies LoadResult);
}

/** Bytes of head and body; every answer must be a 200 with its head in one piece. */
function responseLength(chunk: Buffer): number {
  const headEnd = chunk.indexOf(HEAD_END);
  const head = chunk.toString('latin1', 0, headEnd);
  const length = /\r\ncontent-length: (\d+)/i.exec(head);
  if (!head.startsWith('HTTP/1.1 200') || length === null) throw new Error(`unexpected answer: ${head}`);
  return headEnd + HEAD_END.length + Number(length[1]);
}

async function answer<T>(child: ChildProcess): Promise<T> {
  const [message] = (await once(child, 'message')) as [T];
  return message;
}

function start(role: string, args: readonly number[], execArgv: readonly string[] = []): ChildProcess {
  return fork(import.meta.filename, [role, ...args.map(String)], { execArgv: [...execArgv] });
}

async function measure(
  name: string,
  pid: number,
  port: number,
  options: { requests: number; connections: number },
): Promise<void> {
  await answer(start('load', [port, options.connections, options.requests]));
  const before = processCpu(pid);
  const startedAt = performance.now();
  const result = await answer<LoadResult>(start('load', [port, options.connections, options.requests]));
  const elapsedMs = performance.now() - startedAt;
  const after = processCpu(pid);
  const userUs = (after.user - before.user) / result.requests;
  const systemUs = (after.system - before.system) / result.requests;
  console.log(
    `${name}: ${(userUs + systemUs).toFixed(1)} µs CPU per request (user ${userUs.toFixed(1)}, ` +
      `system ${systemUs.toFixed(1)}); ${result.requests} requests, ` +
      `${Math.round((result.requests / elapsedMs) * 1000)}/s, p50 ${result.p50Ms.toFixed(2)} ms, ` +
      `p99 ${result.p99Ms.toFixed(2)} ms`,
  );
}

async function main(requests: number, connections: number, bodyBytes: number): Promise<void> {
  const upstream = start('upstream', [bodyBytes]);
  const upstreamPort = await answer<number>(upstream);
  const profile = process.execArgv.filter((arg) => arg.startsWith('--cpu-prof'));
  try {
    for (const role of ['proxy', 'pipe']) {
      const child = start(role, [upstreamPort], role === 'proxy' ? profile : []);
      const port = await answer<number>(child);
      await measure(role, child.pid ?? 0, port, { requests, connections });
      child.kill('SIGINT');
    }
    const { NGINX } = process.env;
    if (NGINX === undefined) return;
    const nginx = await startNginx(NGINX, upstreamPort, 18_099);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await measure('nginx', nginx.pid ?? 0, 18_099, { requests, connections });
    nginx.kill();
  } finally {
    upstream.kill();
  }
}

// An orderly exit, so that --cpu-prof writes its profile.
process.on('SIGINT', () => process.exit(0));
if (process.send !== undefined) process.on('disconnect', () => process.exit(0));

const [role, ...args] = process.argv.slice(2);
const numbers = args.map(Number);
if (role === 'upstream') await runUpstream(numbers[0] ?? 1024);
else if (role === 'proxy') await runProxy(numbers[0] ?? 0);
else if (role === 'pipe') send(await runPipe(numbers[0] ?? 0));
else if (role === 'load') {
  await runLoad(numbers[0] ?? 0, numbers[1] ?? 64, numbers[2] ?? REQUESTS);
  process.disconnect();
} else await main(Number(role ?? REQUESTS), numbers[0] ?? 64, numbers[1] ?? 1024);
