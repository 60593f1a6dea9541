/**
 * Takes verified configurations one at a time and makes each the running snapshot of all threads, or refuses it and
 * leaves everything as it was.
 */
import { compileEntries, diffPlans, type CompileResult } from '../compiler/compile.ts';
import type { Plan, PlanDelta } from '../compiler/plan.ts';
import type { Refusal, RefusalReason } from '../contract/ack.ts';
import { formatFinding, hasErrors, type Finding } from '../contract/finding.ts';
import { limit } from '../contract/limits.ts';
import type { Result } from '../contract/result.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Candidate } from '../source/types.ts';

export interface ActivatorOptions {
  readonly swap: (
    version: string,
    delta: PlanDelta,
    full: () => PlanDelta,
  ) => Promise<Result<{ readonly prepareMs: number }>>;
  /** Waits a bounded time for data the plan names, and hands what there is to the threads. */
  readonly provideData: (plan: Plan) => Promise<void>;
  readonly onSettled: (candidate: Candidate, refusal: Refusal | undefined) => void;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

export interface Running {
  readonly candidate: Candidate;
  readonly compiled: CompileResult;
  readonly plan: Plan;
}

export class Activator {
  readonly #options: ActivatorOptions;
  #running: Running | undefined;
  #waiting: Candidate | undefined;
  #busy = false;

  constructor(options: ActivatorOptions) {
    this.#options = options;
  }

  get running(): Running | undefined {
    return this.#running;
  }

  /** Takes a configuration; while one is being taken, only the newest waits. */
  offer(candidate: Candidate): void {
    this.#waiting = candidate;
    if (!this.#busy) void this.#work();
  }

  /** The digest that runs has another role now (a candidate became stable, or stable’s content is tried again). */
  relabel(update: Pick<Candidate, 'role' | 'head'>): void {
    if (this.#running !== undefined)
      this.#running = { ...this.#running, candidate: { ...this.#running.candidate, ...update } };
  }

  async #work(): Promise<void> {
    this.#busy = true;
    try {
      for (let next = this.#waiting; next !== undefined; next = this.#waiting) {
        this.#waiting = undefined;
        await this.#activateSafely(next);
      }
    } finally {
      this.#busy = false;
    }
  }

  /** A mistake of ours must not end a process that serves: what runs goes on. */
  async #activateSafely(candidate: Candidate): Promise<void> {
    try {
      await this.#activate(candidate);
    } catch (error) {
      this.#options.logger.error({ err: error, digest: candidate.digest }, 'activation failed');
      this.#refuse(candidate, 'PrepareFailed', error instanceof Error ? error.message : String(error));
    }
  }

  async #activate(candidate: Candidate): Promise<void> {
    const { now, logger, metrics } = this.#options;
    const startedMs = now();
    const compiled = compileEntries(candidate.entries, this.#running?.compiled);
    const compiledMs = now();
    for (const finding of compiled.findings)
      if (finding.severity === 'warning') logger.warn({ finding }, 'configuration warning');
    const plan = compiled.plan;
    if (plan === undefined || hasErrors(compiled.findings)) {
      this.#refuse(candidate, 'CompileFailed', describe(compiled.findings));
      return;
    }
    const delta = diffPlans(this.#running?.plan, plan);
    await this.#options.provideData(plan);
    const outcome = await this.#options.swap(candidate.digest, delta, () => diffPlans(undefined, plan));
    if (!outcome.ok) {
      this.#refuse(candidate, 'PrepareFailed', outcome.error);
      return;
    }
    this.#running = { candidate, compiled, plan };
    metrics.count('proxy_snapshot_swaps_total');
    metrics.gauge('proxy_snapshot_swap_seconds', { step: 'compile' }, (compiledMs - startedMs) / 1000);
    metrics.gauge('proxy_snapshot_swap_seconds', { step: 'prepare' }, outcome.value.prepareMs / 1000);
    metrics.gauge('proxy_snapshot_swap_seconds', { step: 'total' }, (now() - startedMs) / 1000);
    const changed =
      delta.setRoutes.length + delta.deleteRoutes.length + delta.setPools.length + delta.deletePools.length;
    logger.info(
      { digest: candidate.digest, role: candidate.role, changed, totalMs: Math.round(now() - startedMs) },
      'snapshot runs',
    );
    this.#options.onSettled(candidate, undefined);
  }

  #refuse(candidate: Candidate, reason: RefusalReason, message: string): void {
    const refusal: Refusal = {
      digest: candidate.digest,
      reason,
      message: message.slice(0, 2048),
      generation: candidate.head?.generation ?? 0,
    };
    this.#options.onSettled(candidate, refusal);
  }
}

function describe(findings: readonly Finding[]): string {
  const errors = findings.filter((f) => f.severity === 'error');
  const listed = errors.slice(0, limit('findingsInRefusal')).map((f) => formatFinding(f));
  return errors.length > listed.length
    ? `${listed.join('; ')}; and ${errors.length - listed.length} more`
    : listed.join('; ');
}
