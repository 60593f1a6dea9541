/** The proxy: one process that verifies, compiles and serves. Everything is wired here, in order. */
import { readFileSync } from 'node:fs';
import { adminPaths, metricsPaths, type AdminView } from './admin/paths.ts';
import { AdminServer, type AdminTls } from './admin/server.ts';
import { ProxyState } from './threads/proxyState.ts';
import { parseCommandLine } from './cli/commandLine.ts';
import { compileFiles, validateFiles } from './cli/documents.ts';
import { resolveOptions, type ProxyOptions } from './cli/options.ts';
import { compileEntries } from './compiler/compile.ts';
import { parseDocument } from './compiler/parse.ts';
import { SUPPORTS } from './contract/bundle.ts';
import { entriesDocument } from './contract/document/entries.ts';
import { limit } from './contract/limits.ts';
import { Secret } from './contract/secret.ts';
import { VERSION } from './contract/version.ts';
import { reservePort } from './listeners/reservePort.ts';
import { AccessLogWriter } from './observability/accessLogWriter.ts';
import { createLogger, type Logger } from './observability/logger.ts';
import { Metrics } from './observability/metrics.ts';
import { DiskCopy } from './source/diskCopy.ts';
import { EndpointFolder } from './source/endpointFolder.ts';
import { EndpointBook } from './source/endpointSlices.ts';
import { FileSource } from './source/fileSource.ts';
import { folderSource } from './source/folderSource.ts';
import { KeyFile } from './source/keyFile.ts';
import type { Source } from './source/types.ts';
import type { Activator, ActivatorOptions } from './threads/activator.ts';
import { Conductor } from './threads/conductor.ts';
import { drain } from './threads/drain.ts';
import { EndpointFeed } from './threads/endpointFeed.ts';
import { CONTROL } from './threads/messages.ts';
import { ThreadPool } from './threads/threadPool.ts';
import { Wakeup } from './threads/wakeup.ts';

// The compiled program may be started by any Node; an old one lacks shared ports and more.
if (Number(process.versions.node.split('.')[0]) < 24)
  fail([`Node.js 24 or newer is needed, this is ${process.version}`], 1);
await main();

async function main(): Promise<void> {
  const parsed = parseCommandLine(process.argv.slice(2), 'proxy');
  if (!parsed.ok) return fail([parsed.error, 'See -help.'], 2);
  const invocation = parsed.value;
  const print = (text: string) => process.stdout.write(text);
  if (invocation.command === 'help') print(invocation.text);
  else if (invocation.command === 'validate')
    process.exitCode = await validateFiles(invocation.files, invocation.json, print);
  else if (invocation.command === 'compile')
    process.exitCode = await compileFiles(invocation.files, invocation.json, print);
  else if (invocation.command === 'run') {
    const options = resolveOptions(invocation.flags, process.env);
    if (!options.ok) return fail(options.error, 2);
    await run(options.value);
  }
}

function fail(lines: readonly string[], code: number): never {
  process.stderr.write(lines.map((line) => `${line}\n`).join(''));
  process.exit(code);
}

async function run(options: ProxyOptions): Promise<void> {
  const logger = createLogger({ json: options.logJson, level: options.logLevel, name: 'proxy' });
  const metrics = new Metrics();
  const state = new ProxyState({ podUid: options.podUid, fleet: options.fleet, version: VERSION }, metrics);
  const keys = await openKeys(options, logger);
  const port = await reservePort(options.http.host, options.http.port);
  if (!port.ok) return fail([`-http-addr: ${port.error}`], 1);

  // Data beside the configuration: endpoints of Services.
  const changed = new Wakeup();
  const book = new EndpointBook();
  const feed = new EndpointFeed({
    resolve: (namespace, name, servicePort) => book.resolve(namespace, name, servicePort),
    send: (list) => threads.setEndpoints(list),
    nextChange: (ms) => changed.wait(ms),
    now: () => performance.now(),
  });
  const onEndpoints = () => {
    conductor.endpointsChanged();
    changed.wake();
  };
  const endpoints = new EndpointFolder(options.endpointsDirs, book, onEndpoints, logger);

  // Configuration: from the source, through the compiler, to the threads.
  const source = createSource(options, keys, logger);
  const swap: ActivatorOptions['swap'] = (version, delta, full) => threads.swap(version, delta, full);
  const conductor = new Conductor({ source, feed, swap, state, metrics, logger });
  const { activator } = conductor;
  const { threads, log } = createThreads(options, port.value, { metrics, logger, feed });
  const view = adminView({ state, threads, activator, metrics, keys, source });
  const admin = await openAdmin(options, view, logger);

  onSignals(
    () => {
      void source.reload();
      log.reopen();
    },
    async (sleep, forced) => {
      await drainAll(options, { state, threads, logger }, sleep, forced);
      endpoints.stop();
      keys?.stop();
      await source.stop();
      await threads.stop();
      await log.close();
      await Promise.all(admin.map((server) => server.close()));
    },
  );

  const started = await threads.start();
  if (!started.ok) return fail([`-http-addr: ${started.error}`], 1);
  await endpoints.start();
  await source.start(conductor);
  // A file that is wrong from the start ends the process; a store may come to have something better, and is waited for.
  const refusal = options.configFile === undefined ? undefined : await conductor.firstOutcome;
  if (refusal !== undefined) return fail([`-config-file: ${refusal.reason}: ${refusal.message}`], 1);
  logger.info({ http: port.value, admin: options.admin?.port, threads: threads.size, version: VERSION }, 'serving');
}

type Sleep = (ms: number) => Promise<void>;

async function drainAll(
  { drainWaitMs, drainTimeoutMs }: ProxyOptions,
  { state, threads, logger }: { readonly state: ProxyState; readonly threads: ThreadPool; readonly logger: Logger },
  sleep: Sleep,
  forced: () => boolean,
): Promise<void> {
  await drain({
    markDraining: () => state.drains(),
    step: (step) => threads.drain(step),
    activeRequests: async () => (await threads.ask()).requests,
    waitMs: drainWaitMs,
    timeoutMs: drainTimeoutMs,
    sleep,
    forced,
    now: () => performance.now(),
    logger,
  });
}

async function openKeys(options: ProxyOptions, logger: Logger): Promise<KeyFile | undefined> {
  if (options.publicKeyFile === undefined) return undefined;
  const keys = await KeyFile.open(options.publicKeyFile, logger);
  return keys.ok ? keys.value : fail([`-public-key-file: ${keys.error.message}`], 1);
}

function createSource(options: ProxyOptions, keys: KeyFile | undefined, log: Logger): Source {
  const current = keys === undefined ? null : () => keys.current();
  if (options.configFile !== undefined)
    return new FileSource({ path: options.configFile, parse: parseDocument, keys: current, supports: SUPPORTS, log });
  const { storeDir = '', fleet, clusterUid, podUid, stateDir } = options;
  const disk = stateDir === undefined ? null : new DiskCopy(stateDir, fleet, log);
  return folderSource({
    folder: storeDir,
    fleet,
    clusterUid,
    podUid,
    keys: current ?? (() => new Map()),
    supports: SUPPORTS,
    disk,
    log,
  });
}

function createThreads(
  options: ProxyOptions,
  port: number,
  { metrics, logger, feed }: { readonly metrics: Metrics; readonly logger: Logger; readonly feed: EndpointFeed },
): { readonly threads: ThreadPool; readonly log: AccessLogWriter } {
  // Only some systems spread connections over listeners of one port.
  const reusePort = process.platform === 'linux' || process.platform === 'freebsd';
  const threads = new ThreadPool({
    threads: reusePort ? options.threads : 1,
    host: options.http.host,
    port,
    reusePort,
    maxSeries: limit('metricSeries'),
    adminPorts: [options.admin?.port, options.metrics?.port].flatMap((adminPort) => adminPort ?? []),
    metrics,
    logger,
    onAccessLines: (lines) => log.write(lines),
    endpoints: () => feed.current,
  });
  const pending = threads.control.subarray(CONTROL.pendingLogBytes, CONTROL.pendingLogBytes + 1);
  const log = new AccessLogWriter({
    file: options.accessLogFile,
    pendingBytes: pending,
    onError: (error) => logger.error({ err: error }, 'access log cannot be written; its lines are lost'),
    onDropped: (lines) => metrics.count('proxy_access_log_dropped_total', {}, lines),
  });
  return { threads, log };
}

interface ViewParts {
  readonly state: ProxyState;
  readonly threads: ThreadPool;
  readonly activator: Activator;
  readonly metrics: Metrics;
  readonly keys: KeyFile | undefined;
  readonly source: Source;
}

function adminView({ state, threads, activator, metrics, keys, source }: ViewParts): AdminView {
  const defaults = compileEntries([]).plan?.fleet.metrics;
  if (defaults === undefined) throw new Error('an empty document must compile');
  const ask = async () => {
    const live = await threads.ask();
    metrics.gauge('proxy_config_missing', {}, live.missing.length);
    return live;
  };
  return {
    env: process.env,
    notReady: () => state.notReady(),
    ack: async () => {
      const live = await ask();
      const requests = metrics.total('proxy_responses_total');
      const errors5xx = metrics.total('proxy_responses_total', (labels) => labels['class'] === '5xx');
      return state.ack({
        missing: live.missing,
        startGeneration: source.startGeneration,
        knownKids: keys?.kids() ?? [],
        requests,
        errors5xx,
      });
    },
    metrics: async () => {
      await ask();
      threads.showStalls();
      return { contentType: metrics.contentType, body: await metrics.render() };
    },
    metricsSettings: () => activator.running?.plan.fleet.metrics ?? defaults,
    current: () => {
      const running = activator.running;
      if (running === undefined) return undefined;
      const { digest, role, entries } = running.candidate;
      return { digest, role, generation: state.generation, document: entriesDocument(entries) };
    },
  };
}

/** Files that are no certificate or key are the user’s mistake, not ours. */
function makeOr<T>(flag: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    return fail([`${flag}: ${error instanceof Error ? error.message : String(error)}`], 1);
  }
}

function readAdminTls({ adminTls }: ProxyOptions): AdminTls | undefined {
  if (adminTls === undefined) return undefined;
  const read = (flag: string, file: string) => {
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      return fail([`${flag}: ${error instanceof Error ? error.message : String(error)}`], 1);
    }
  };
  return {
    cert: read('-admin-tls-cert-file', adminTls.certFile),
    key: new Secret(read('-admin-tls-key-file', adminTls.keyFile)),
    clientCa: adminTls.clientCaFile === undefined ? undefined : read('-admin-client-ca-file', adminTls.clientCaFile),
  };
}

async function openAdmin(options: ProxyOptions, view: AdminView, logger: Logger): Promise<AdminServer[]> {
  const servers: AdminServer[] = [];
  const open = async (flag: string, address: ProxyOptions['admin'], server: () => AdminServer) => {
    if (address === undefined) return;
    const made = makeOr(flag, server);
    const listening = await made.listen(address);
    if (!listening.ok) fail([`${flag}: ${listening.error}`], 1);
    servers.push(made);
  };
  const token = options.adminToken;
  await open(
    '-admin-addr',
    options.admin,
    () => new AdminServer({ tls: readAdminTls(options), token, paths: () => adminPaths(view), logger }),
  );
  await open(
    '-metrics-addr',
    options.metrics,
    () => new AdminServer({ tls: undefined, token: undefined, paths: () => metricsPaths(view), logger }),
  );
  return servers;
}

const FORCED_END_MS = 3_000;

/** SIGHUP reloads, and opens the access log anew; the first SIGTERM or SIGINT ends in order, the second at once. */
function onSignals(
  reload: () => void,
  end: (sleep: (ms: number) => Promise<void>, forced: () => boolean) => Promise<void>,
): void {
  const force = new Wakeup();
  let signals = 0;
  const stop = () => {
    signals += 1;
    if (signals > 1) {
      force.wake();
      // Whatever hangs after the drain gets no longer than this.
      setTimeout(() => process.exit(1), FORCED_END_MS).unref();
      return;
    }
    void end(
      (ms) => (signals > 1 ? Promise.resolve() : force.wait(ms)),
      () => signals > 1,
    ).then(
      () => process.exit(0),
      (error: unknown) =>
        fail([`ending failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`], 1),
    );
  };
  process.on('SIGHUP', reload);
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
