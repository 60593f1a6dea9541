/** Entry of a serving thread: wires its listener, engine, registries and snapshots, and does what the main thread says. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import type { PlanDelta } from '../compiler/plan.ts';
import { limit } from '../contract/limits.ts';
import { createEngine } from '../engine/engine.ts';
import { createRequestIds } from '../engine/requestId.ts';
import { HttpListener } from '../listeners/httpListener.ts';
import { ACCESS_LOG_FLUSH_MS, BatchingAccessLog } from '../observability/accessLog.ts';
import { ColumnWriter } from '../observability/columns.ts';
import { RefusedConnections } from '../observability/refusedConnections.ts';
import { ThreadStats } from '../observability/stats.ts';
import { ownAddressCheck } from '../registries/ownAddress.ts';
import { PoolRegistry } from '../registries/pools.ts';
import { TimerWheel } from '../registries/wheel.ts';
import { SnapshotBuilder } from '../snapshot/builder.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { CONTROL, joinParts, type DrainStep, type FromThread, type ThreadOptions, type ToThread } from './messages.ts';
import { runSliced } from './slices.ts';

/** How often the event loop is looked at. */
const STALL_RESOLUTION_MS = 10;

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread');
const options = workerData as ThreadOptions;
const control = new Int32Array(options.control);
const send = (message: FromThread) => port.postMessage(message);
const now = () => performance.now();
const reportError = (error: unknown) => {
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
  send({ type: 'error', message, stack });
};

const columns = new ColumnWriter({
  onBlock: (index, buffer) => send({ type: 'block', index, buffer }),
  onSeries: (series) => send({ type: 'series', series }),
  onRelease: (id) => send({ type: 'seriesReleased', id }),
});
const stats = new ThreadStats(columns, options.maxSeries);
const refusedConnections = new RefusedConnections(columns, now, (message) =>
  send({ type: 'error', message, stack: '' }),
);
const wheel = new TimerWheel(now);
const registry = new PoolRegistry({ stats, wheel, isOwn: ownAddressCheck(options.adminPorts) });
const builder = new SnapshotBuilder(registry, stats);
const accessLog = new BatchingAccessLog({
  send: (lines) => send({ type: 'log', lines }),
  pendingBytes: control.subarray(CONTROL.pendingLogBytes, CONTROL.pendingLogBytes + 1),
  random: Math.random,
});
const stalls = monitorEventLoopDelay({ resolution: STALL_RESOLUTION_MS });

/** Read once per request: a plain comparison while nothing changed. */
function currentSnapshot(): Snapshot | undefined {
  const epoch = Atomics.load(control, CONTROL.epoch);
  const current = builder.current;
  if (current?.epoch === epoch) return current;
  return builder.preparedEpoch === epoch ? adopt() : current;
}

function adopt(): Snapshot {
  const snapshot = builder.commit();
  const { accessLog: log, metrics } = snapshot.fleet;
  accessLog.configure(log.samplingRatio, log.redact);
  stats.setMaxSeries(metrics.maxSeries);
  return snapshot;
}

const engine = createEngine({
  currentSnapshot,
  accessLog,
  now,
  wallNow: Date.now,
  wheel,
  nextRequestId: createRequestIds(),
  onInternalError: reportError,
});
const listener = new HttpListener({
  engine,
  host: options.host,
  port: options.port,
  reusePort: options.reusePort,
  maxConnections: () => currentSnapshot()?.fleet.http.maxConnections ?? limit('connectionsPerThread'),
  onRefused: (reason, detail) => refusedConnections.count(reason, detail),
});

/** Parts of the delta that is on its way. */
let parts: PlanDelta[] = [];
/** Builds take turns; an abort in between is seen by the next. */
let building: Promise<void> = Promise.resolve();
/** Epochs up to this one were given up (or are over). */
let abortedUpTo = 0;

async function prepare(epoch: number, version: string, delta: PlanDelta): Promise<void> {
  const startedMs = now();
  try {
    // Whatever still waits here belongs to a swap that was given up: one that was not has been adopted before this.
    if (builder.preparedEpoch !== undefined && currentSnapshot()?.epoch !== builder.preparedEpoch) builder.abort();
    const done = await runSliced(
      builder.prepare(epoch, version, delta),
      now,
      limit('compileSliceMs'),
      () => abortedUpTo >= epoch,
    );
    if (done && abortedUpTo < epoch) send({ type: 'prepared', epoch, prepareMs: now() - startedMs });
    else builder.abort();
  } catch (error) {
    reportError(error);
    send({ type: 'prepareFailed', epoch, message: error instanceof Error ? error.message : String(error) });
  }
}

async function settle(): Promise<void> {
  await runSliced(builder.settle(), now, limit('compileSliceMs'), () => false);
}

function drain(step: DrainStep): void {
  if (step === 'stopAccepting') listener.stopAccepting();
  else if (step === 'closeIdle') {
    listener.closeIdle();
    registry.closeIdle();
  } else listener.forceClose();
}

function answerAsk(): void {
  send({
    type: 'active',
    requests: listener.active,
    connections: listener.connections,
    missing: registry.missingServices(),
    // The histogram holds whole intervals between two looks, of which one resolution is no stall.
    stallMs: Math.max(0, stalls.max / 1e6 - STALL_RESOLUTION_MS),
    droppedLines: accessLog.takeDropped(),
  });
  stalls.reset();
}

async function listen(): Promise<void> {
  try {
    send({ type: 'listening', port: await listener.listen() });
    // From here on a stall is somebody's wait.
    stalls.enable();
  } catch (error) {
    send({ type: 'listenFailed', message: error instanceof Error ? error.message : String(error) });
  }
}

port.on('message', (message: ToThread) => {
  switch (message.type) {
    case 'prepare': {
      parts.push(message.part);
      if (!message.last) {
        send({ type: 'partTaken', epoch: message.epoch });
        return;
      }
      const delta = joinParts(parts);
      parts = [];
      building = building.then(() => prepare(message.epoch, message.version, delta));
      return;
    }
    case 'committed':
      currentSnapshot();
      building = building.then(settle).catch(reportError);
      return;
    case 'listen':
      void listen();
      return;
    case 'abort':
      parts = [];
      abortedUpTo = Math.max(abortedUpTo, message.epoch);
      if (builder.preparedEpoch === message.epoch) builder.abort();
      return;
    case 'endpoints':
      for (const { namespace, name, port: servicePort, endpoints } of message.list) {
        registry.setServiceEndpoints(namespace, name, servicePort, endpoints ?? undefined);
      }
      return;
    case 'drain':
      drain(message.step);
      return;
    case 'ask':
      answerAsk();
      return;
    case 'stop':
      accessLog.flush();
      send({ type: 'stopped' });
  }
});

setInterval(() => accessLog.flush(), ACCESS_LOG_FLUSH_MS).unref();
wheel.start();
