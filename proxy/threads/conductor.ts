/** Joins a source to the activator: what was verified is taken, what came of it is said to source, acks and metrics. */
import type { ProxyState } from './proxyState.ts';
import type { Refusal } from '../contract/ack.ts';
import type { Digest } from '../contract/canonical.ts';
import { formatFinding, type Finding } from '../contract/finding.ts';
import type { Head } from '../contract/head.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Candidate, Source, SourceEvents } from '../source/types.ts';
import { Activator, type ActivatorOptions } from './activator.ts';
import type { EndpointFeed } from './endpointFeed.ts';

export interface ConductorOptions {
  readonly source: Source;
  readonly feed: EndpointFeed;
  readonly swap: ActivatorOptions['swap'];
  readonly state: ProxyState;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

export class Conductor implements SourceEvents {
  readonly #options: ConductorOptions;
  readonly activator: Activator;
  /** How the first configuration ended: undefined when it runs, else why not. */
  readonly firstOutcome: Promise<Refusal | undefined>;
  #tellFirst: (refusal: Refusal | undefined) => void = () => undefined;

  constructor(options: ConductorOptions) {
    this.#options = options;
    const { feed, swap, metrics, logger } = options;
    this.firstOutcome = new Promise((resolve) => (this.#tellFirst = resolve));
    this.activator = new Activator({
      swap,
      provideData: (plan) => feed.provide(plan),
      onSettled: (candidate, refusal) => this.#settled(candidate, refusal),
      metrics,
      logger,
      now: () => performance.now(),
    });
  }

  onCandidate(candidate: Candidate): void {
    if (candidate.head !== null) this.#options.state.sawHead(candidate.head.generation);
    this.activator.offer(candidate);
  }

  onHead(head: Head, role: 'stable' | 'candidate'): void {
    const { state } = this.#options;
    state.sawHead(head.generation);
    this.activator.relabel({ head, role });
    if (state.running !== null) state.runs(state.running, role, false);
  }

  onUnchanged(digest: Digest): void {
    const { state } = this.#options;
    if (state.running === digest) state.runs(digest, state.role, false);
  }

  onRefused(refusal: Refusal, findings: readonly Finding[]): void {
    for (const finding of findings) this.#options.logger.error({}, formatFinding(finding));
    this.#refuse(refusal);
  }

  /** Endpoints of Services changed. */
  endpointsChanged(): void {
    const running = this.activator.running;
    if (running === undefined) return;
    this.#options.feed.update(running.plan);
    this.#showEndpoints();
  }

  #settled(candidate: Candidate, refusal: Refusal | undefined): void {
    const { state, feed, metrics, logger, source } = this.#options;
    const running = this.activator.running;
    if (refusal !== undefined) {
      logger.error({ ...refusal }, 'configuration refused; what ran before runs on');
      this.#refuse(refusal);
    } else if (running !== undefined) {
      state.runs(candidate.digest, candidate.role, true);
      feed.settled(running.plan);
      metrics.gauge('proxy_snapshot_routes', {}, running.plan.routes.size);
      this.#showEndpoints();
      this.#tellFirst(undefined);
    }
    const outcome = refusal?.reason === 'PrepareFailed' ? 'failed' : 'refused';
    void source.settled(candidate.digest, refusal === undefined ? 'running' : outcome);
  }

  #refuse(refusal: Refusal): void {
    this.#options.state.refused(refusal);
    this.#tellFirst(refusal);
  }

  #showEndpoints(): void {
    const { feed, metrics } = this.#options;
    const running = this.activator.running;
    if (running === undefined) return;
    metrics.clearGauge('proxy_pool_total_endpoints');
    for (const [pool, count] of feed.counts(running.plan)) metrics.gauge('proxy_pool_total_endpoints', { pool }, count);
  }
}
