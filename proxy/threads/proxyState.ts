/** What this process is, runs and refused: the one place that readiness, acks and gauges are read from. */
import { randomUUID } from 'node:crypto';
import type { Ack, Refusal } from '../contract/ack.ts';
import { SUPPORTS } from '../contract/bundle.ts';
import type { Digest } from '../contract/canonical.ts';
import type { Metrics } from '../observability/metrics.ts';

export interface Identity {
  readonly podUid: string;
  readonly fleet: string;
  readonly version: string;
}

export class ProxyState {
  readonly #identity: Identity;
  readonly #metrics: Metrics;
  readonly #bootId = randomUUID();
  #generation = 0;
  #running: Digest | null = null;
  #role: 'stable' | 'candidate' = 'stable';
  #refused: Refusal | undefined;
  #swaps = 0;
  #refusals = 0;
  #draining = false;

  constructor(identity: Identity, metrics: Metrics) {
    this.#identity = identity;
    this.#metrics = metrics;
  }

  get running(): Digest | null {
    return this.#running;
  }

  get role(): 'stable' | 'candidate' {
    return this.#role;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Why this proxy should get no traffic; undefined when it may. */
  notReady(): string | undefined {
    if (this.#draining) return 'draining';
    return this.#running === null ? 'no verified configuration runs yet' : undefined;
  }

  /** A verified head was seen. */
  sawHead(generation: number): void {
    this.#generation = Math.max(this.#generation, generation);
    this.#metrics.gauge('proxy_snapshot_generation', {}, this.#generation);
  }

  /**
   * A digest came to run, or runs on. A refusal of the same digest, or of an older generation, is over; files have no
   * generations, and the one that runs is the newest.
   */
  runs(digest: Digest, role: 'stable' | 'candidate', isSwap: boolean): void {
    this.#running = digest;
    this.#role = role;
    if (isSwap) this.#swaps += 1;
    if (this.#refused !== undefined && this.#isOver(this.#refused, digest)) this.#refused = undefined;
    this.#metrics.clearGauge('proxy_snapshot_info');
    this.#metrics.gauge('proxy_snapshot_info', { digest, role }, 1);
  }

  #isOver(refused: Refusal, running: Digest): boolean {
    if (refused.digest === running || refused.generation < this.#generation) return true;
    return refused.generation === 0 && this.#generation === 0;
  }

  refused(refusal: Refusal): void {
    this.#refused = refusal;
    this.#refusals += 1;
    this.#metrics.count('proxy_config_refused_total', { reason: refusal.reason });
  }

  drains(): void {
    this.#draining = true;
  }

  ack(live: {
    readonly startGeneration: number;
    readonly missing: readonly string[];
    readonly knownKids: readonly string[];
    readonly requests: number;
    readonly errors5xx: number;
  }): Ack {
    const { podUid, fleet, version } = this.#identity;
    return {
      podUid,
      bootId: this.#bootId,
      version,
      fleet,
      generation: this.#generation,
      startGeneration: live.startGeneration,
      running: this.#running,
      role: this.#role,
      ready: this.notReady() === undefined,
      draining: this.#draining,
      ...(this.#refused === undefined ? {} : { refused: this.#refused }),
      missing: live.missing.slice(0, 256),
      knownKids: live.knownKids.slice(0, 16),
      supports: { documentVersions: [...SUPPORTS.documentVersions], features: [...SUPPORTS.features] },
      counters: { requests: live.requests, errors5xx: live.errors5xx, swaps: this.#swaps, refusals: this.#refusals },
    };
  }
}
