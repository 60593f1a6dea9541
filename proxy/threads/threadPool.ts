/**
 * The serving threads, as the main thread sees them: starts and replaces them, swaps all of them in two phases, and
 * takes them through the stages of the drain.
 */
import { Worker } from 'node:worker_threads';
import type { PlanDelta } from '../compiler/plan.ts';
import { limit } from '../contract/limits.ts';
import { fail, ok, type Result } from '../contract/result.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import {
  CONTROL,
  CONTROL_SLOTS,
  deltaParts,
  type DrainStep,
  type FromThread,
  type ServiceEndpoints,
  type ThreadOptions,
  type ToThread,
} from './messages.ts';

export interface ThreadPoolOptions {
  readonly threads: number;
  readonly host: string | undefined;
  readonly port: number;
  readonly reusePort: boolean;
  readonly maxSeries: number;
  readonly adminPorts: readonly number[];
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly onAccessLines: (lines: string) => void;
  readonly endpoints: () => readonly ServiceEndpoints[];
}

interface Member {
  readonly id: number;
  readonly index: number;
  readonly worker: Worker;
  active: Extract<FromThread, { type: 'active' }> | undefined;
}

type Waiter = (message: FromThread | { readonly type: 'gone' }) => void;

/** Pause before a crashed thread is replaced: doubled at each crash within a minute, up to the limit. */
const RESTART_PAUSE_MS = { first: 100, most: 5_000, calmAfter: 60_000 } as const;

export class ThreadPool {
  readonly #options: ThreadPoolOptions;
  readonly #buffer = new SharedArrayBuffer(CONTROL_SLOTS * Int32Array.BYTES_PER_ELEMENT);
  readonly control = new Int32Array(this.#buffer);
  readonly #members = new Map<number, Member>();
  readonly #waiters = new Map<number, Set<Waiter>>();
  readonly #stallsMs = new Map<number, number>();
  #nextId = 0;
  #lastEpoch = 0;
  #stopping = false;
  #crashes: number[] = [];
  /** Swaps and replacements take turns. */
  #turn: Promise<unknown> = Promise.resolve();
  /** What runs, and all of it, for a thread that starts from nothing. Set within the turn of its swap. */
  #running: { readonly version: string; readonly full: () => PlanDelta } | undefined;

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
  }

  /** Starts all threads; fails with the listen error of the first that cannot. */
  async start(): Promise<Result<number>> {
    const outcomes = await Promise.all(
      Array.from({ length: this.#options.threads }, (_, index) => this.#startThread(index)),
    );
    this.#options.metrics.gauge('proxy_threads', {}, this.#members.size);
    const failed = outcomes.find((o) => !o.ok);
    // The process will end: nothing is started again.
    if (failed !== undefined) this.#stopping = true;
    return failed ?? outcomes[0] ?? fail('no threads');
  }

  get size(): number {
    return this.#members.size;
  }

  get epoch(): number {
    return Atomics.load(this.control, CONTROL.epoch);
  }

  /**
   * Two-phase swap: every thread prepares, then one store makes the new epoch current for all. A thread that cannot
   * prepare (or takes longer than the limit) gives the swap up for all of them.
   *
   * @param full the delta from nothing, for threads that start later
   */
  swap(version: string, delta: PlanDelta, full: () => PlanDelta): Promise<Result<{ readonly prepareMs: number }>> {
    return this.#inTurn(async () => {
      // Never used twice, so that an answer to a swap that was given up is no answer to the next.
      this.#lastEpoch += 1;
      const epoch = this.#lastEpoch;
      const members = [...this.#members.values()];
      const outcomes = await Promise.all(members.map((m) => this.#prepare(m, epoch, version, delta)));
      const failed = outcomes.find((o) => !o.ok);
      if (failed !== undefined && !failed.ok) {
        this.#send(members, { type: 'abort', epoch });
        return fail(failed.error);
      }
      Atomics.store(this.control, CONTROL.epoch, epoch);
      this.#running = { version, full };
      this.#send(members, { type: 'committed', epoch });
      return ok({ prepareMs: Math.max(0, ...outcomes.map((o) => (o.ok ? o.value : 0))) });
    });
  }

  setEndpoints(list: readonly ServiceEndpoints[]): void {
    this.#send([...this.#members.values()], { type: 'endpoints', list });
  }

  drain(step: DrainStep): void {
    this.#send([...this.#members.values()], { type: 'drain', step });
  }

  /** Requests and connections in flight over all threads, and what their snapshots miss. */
  async ask(): Promise<{
    readonly requests: number;
    readonly connections: number;
    readonly missing: readonly string[];
  }> {
    const members = [...this.#members.values()];
    await Promise.all(
      members.map((m) => this.#request(m, { type: 'ask' }, (r) => r.type === 'active', limit('ackTimeoutMs'))),
    );
    return {
      requests: members.reduce((n, m) => n + (m.active?.requests ?? 0), 0),
      connections: members.reduce((n, m) => n + (m.active?.connections ?? 0), 0),
      missing: [...new Set(members.flatMap((m) => m.active?.missing ?? []))].sort(),
    };
  }

  /** Shows the longest stall of each thread since the last time. */
  showStalls(): void {
    for (const [thread, stallMs] of this.#stallsMs) {
      this.#options.metrics.gauge('proxy_thread_stall_max_seconds', { thread: String(thread) }, stallMs / 1000);
    }
    this.#stallsMs.clear();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(
      [...this.#members.values()].map(async (m) => {
        await this.#request(m, { type: 'stop' }, (r) => r.type === 'stopped', limit('ackTimeoutMs'));
        await m.worker.terminate();
      }),
    );
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(task);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  #send(members: readonly Member[], message: ToThread): void {
    for (const m of members) m.worker.postMessage(message);
  }

  async #prepare(member: Member, epoch: number, version: string, delta: PlanDelta): Promise<Result<number>> {
    const parts = deltaParts(delta);
    const deadlineMs = performance.now() + limit('prepareTimeoutMs');
    const leftMs = () => Math.max(0, deadlineMs - performance.now());
    for (const part of parts.slice(0, -1)) {
      const message: ToThread = { type: 'prepare', epoch, version, part, last: false };
      const taken = await this.#request(member, message, (m) => m.type === 'partTaken' && m.epoch === epoch, leftMs());
      if (taken?.type === 'gone') return ok(0);
      if (taken === undefined) return fail(lateMessage(member));
    }
    const isAnswer = (m: FromThread) => (m.type === 'prepared' || m.type === 'prepareFailed') && m.epoch === epoch;
    const last: ToThread = { type: 'prepare', epoch, version, part: parts.at(-1) ?? delta, last: true };
    const answer = await this.#request(member, last, isAnswer, leftMs());
    if (answer?.type === 'prepared') return ok(answer.prepareMs);
    // A thread that died has no say: its replacement starts on whatever runs then.
    if (answer?.type === 'gone') return ok(0);
    return fail(answer?.type === 'prepareFailed' ? answer.message : lateMessage(member));
  }

  /** Sends and waits for the answer that `accept` takes; undefined after the time limit. */
  #request(
    member: Member,
    message: ToThread,
    accept: (m: FromThread) => boolean,
    timeoutMs: number,
  ): Promise<FromThread | { readonly type: 'gone' } | undefined> {
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(member.id);
      if (waiters === undefined) {
        resolve({ type: 'gone' });
        return;
      }
      const done = (m: FromThread | { readonly type: 'gone' } | undefined) => {
        clearTimeout(timer);
        waiters.delete(waiter);
        resolve(m);
      };
      const waiter: Waiter = (m) => {
        if (m.type === 'gone' || accept(m)) done(m);
      };
      const timer = setTimeout(done, timeoutMs, undefined);
      waiters.add(waiter);
      member.worker.postMessage(message);
    });
  }

  async #startThread(index: number): Promise<Result<number>> {
    const id = this.#nextId;
    this.#nextId += 1;
    const { host, port, reusePort } = this.#options;
    const workerData: ThreadOptions = {
      thread: id,
      control: this.#buffer,
      host,
      port,
      reusePort,
      maxSeries: this.#options.maxSeries,
      adminPorts: this.#options.adminPorts,
    };
    const worker = new Worker(
      new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url),
      { workerData, name: `serve-${index}` },
    );
    const member: Member = { id, index, worker, active: undefined };
    const waiters = new Set<Waiter>();
    this.#members.set(id, member);
    this.#waiters.set(id, waiters);
    worker.on('message', (message: FromThread) => this.#receive(member, message));
    worker.on('error', (error: Error) => this.#options.logger.error({ thread: index, err: error }, 'thread crashed'));
    worker.on('exit', () => this.#gone(member));
    const outcome = await this.#bringUp(member);
    // A thread without listener or snapshot is worse than none: it would hold up, or garble, every later swap.
    if (!outcome.ok) await worker.terminate();
    return outcome;
  }

  /** Gives a thread all that runs before it takes its first connection. */
  async #bringUp(member: Member): Promise<Result<number>> {
    member.worker.postMessage({ type: 'endpoints', list: this.#options.endpoints() } satisfies ToThread);
    const running = this.#running;
    if (running !== undefined) {
      const epoch = this.epoch;
      const prepared = await this.#prepare(member, epoch, running.version, running.full());
      if (!prepared.ok) return prepared;
      this.#send([member], { type: 'committed', epoch });
    }
    const isAnswer = (m: FromThread) => m.type === 'listening' || m.type === 'listenFailed';
    const answer = await this.#request(member, { type: 'listen' }, isAnswer, limit('prepareTimeoutMs'));
    if (answer?.type === 'listening') return ok(answer.port);
    if (answer?.type === 'listenFailed') return fail(answer.message);
    return fail(
      answer === undefined
        ? `thread ${member.index} did not listen in time`
        : `thread ${member.index} ended while starting`,
    );
  }

  #receive(member: Member, message: FromThread): void {
    const { metrics, logger, onAccessLines } = this.#options;
    if (message.type === 'log') onAccessLines(message.lines);
    else if (message.type === 'block') metrics.addBlock(member.id, message.index, message.buffer);
    else if (message.type === 'series') metrics.addSeries(member.id, message.series);
    else if (message.type === 'seriesReleased') metrics.releaseSeries(member.id, message.id);
    else if (message.type === 'error') logger.error({ thread: member.index, stack: message.stack }, message.message);
    else if (message.type === 'active') {
      member.active = message;
      this.#stallsMs.set(member.index, Math.max(message.stallMs, this.#stallsMs.get(member.index) ?? 0));
      if (message.droppedLines > 0) metrics.count('proxy_access_log_dropped_total', {}, message.droppedLines);
    }
    for (const waiter of [...(this.#waiters.get(member.id) ?? [])]) waiter(message);
  }

  #gone(member: Member): void {
    this.#members.delete(member.id);
    for (const waiter of [...(this.#waiters.get(member.id) ?? [])]) waiter({ type: 'gone' });
    this.#waiters.delete(member.id);
    this.#options.metrics.gauge('proxy_threads', {}, this.#members.size);
    if (this.#stopping) return;
    const now = Date.now();
    this.#crashes = [...this.#crashes.filter((at) => now - at < RESTART_PAUSE_MS.calmAfter), now];
    const pauseMs = Math.min(RESTART_PAUSE_MS.most, RESTART_PAUSE_MS.first * 2 ** (this.#crashes.length - 1));
    this.#options.metrics.count('proxy_thread_restarts_total');
    this.#options.logger.error({ thread: member.index, pauseMs }, 'thread ended; it will be replaced');
    setTimeout(() => void this.#inTurn(() => this.#replace(member.index)), pauseMs);
  }

  async #replace(index: number): Promise<void> {
    if (this.#stopping) return;
    const outcome = await this.#startThread(index);
    this.#options.metrics.gauge('proxy_threads', {}, this.#members.size);
    if (!outcome.ok)
      this.#options.logger.error({ thread: index, reason: outcome.error }, 'thread could not be replaced');
  }
}

function lateMessage({ index }: Member): string {
  return `thread ${index} did not prepare in ${limit('prepareTimeoutMs')} ms`;
}
