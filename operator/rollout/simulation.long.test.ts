/** Seeded simulations: fleets under random edits, faults and operator deaths. Each step checks what must always hold. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkHead } from '../../proxy/bundle/schemas.ts';
import { canonicalBytes } from '../../proxy/contract/canonical.ts';
import { FULL_THRESHOLD, type Head } from '../../proxy/contract/head.ts';
import { isServing, shareOf, stageAt } from './share.ts';
import { VirtualFleet, type Fault, type Proxy } from './virtualFleet.ts';

/** Small, fast and seeded (mulberry32): the same seed is the same story. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const STAGES = [
  { name: 'canary', fleetPercent: 10, bakeTimeMs: 5_000 },
  { name: 'half', fleetPercent: 50, bakeTimeMs: 8_000 },
];
/** Far above what a head with a few holds and a full history takes. */
const HEAD_BYTES = 64 * 1024;

interface Plan {
  readonly seed: number;
  readonly proxies: number;
  readonly stepMs: number;
  readonly stormSteps: number;
  readonly objects: number;
  /** Steps without a publication after which it counts as settled. */
  readonly quiet: number;
  /** Odds per step. */
  readonly edit: number;
  readonly churn: number;
  readonly crash: number;
  readonly interfere: number;
}

class Story {
  readonly fleet: VirtualFleet;
  readonly #plan: Plan;
  readonly #random: () => number;
  readonly #objects: readonly string[];
  #storm = true;
  #version = 1;
  /** Proxies that the threshold published last may take. */
  #share = Infinity;
  /** For how many steps a proxy has run what was rejected. */
  readonly #strayed = new Map<string, number>();

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#random = chance(plan.seed);
    this.fleet = new VirtualFleet({ stages: STAGES, progressDeadlineMs: 60 * plan.stepMs }, plan.proxies);
    this.#objects = Array.from({ length: plan.objects }, (_, i) =>
      i % 3 === 0 ? `UpstreamPool/ns${i % 4}/app${i}` : `ProxyRoute/ns${i % 4}/app${i}`,
    );
    for (const object of this.#objects) this.fleet.apply(object, 'first');
    this.fleet.onPublish = (head, before) => this.#checkPublished(head, before);
    this.fleet.crashAt = () => {
      if (!this.#storm || this.#random() >= plan.crash) return null;
      return this.#random() < 0.5 ? 'BeforeWrite' : 'AfterWrite';
    };
  }

  tell(): void {
    this.#steps(3);
    const first = this.fleet.stable;
    for (let i = 0; i < this.#plan.stormSteps; i++) {
      this.#edit();
      this.#disturb();
      this.#interfere();
      this.#step();
    }
    this.#calm();
    this.#checkSettled();
    for (const object of this.#objects) this.fleet.apply(object, 'first');
    this.#calm();
    assert.equal(this.fleet.stable, first, 'the old content has the old digest');
    assert.deepEqual(this.fleet.held(), []);
  }

  /** Whatever befell innocent objects (proxies restart by themselves, too), a retry by name sets right. */
  #calm(): void {
    this.#storm = false;
    this.fleet.change({ paused: false, pin: null, request: null });
    for (const proxy of this.fleet.proxies.values()) {
      proxy.reachable = true;
      if (proxy.draining && this.fleet.proxies.size > 1) this.fleet.leave(proxy.podUid);
      proxy.draining = false;
    }
    this.#settle();
    const held = this.fleet.held();
    if (held.length === 0) return;
    this.fleet.change({ request: { action: 'Retry', digest: null, objects: held } });
    this.#settle();
    this.fleet.change({ request: null });
    this.#settle();
  }

  /** Runs until nothing has been published for a while, in which nothing may be published without end. */
  #settle(): void {
    for (let quiet = 0, steps = 0; quiet < this.#plan.quiet; steps++) {
      const before = this.fleet.publications;
      this.#step();
      quiet = this.fleet.publications === before && this.fleet.candidate === undefined ? quiet + 1 : 0;
      assert.ok(steps < 4_000, 'it settles');
    }
  }

  #checkSettled(): void {
    const held = new Set(this.fleet.held());
    for (const object of this.#objects) {
      const version = this.fleet.objects.get(object);
      // One that refers to what is not there keeps its stable version, held or not.
      if (version?.refs?.some((ref) => this.fleet.stableText(ref) === undefined) === true) continue;
      assert.equal(held.has(object), version?.fault !== undefined, `${object} is held only as a culprit`);
      if (!held.has(object)) assert.equal(this.fleet.stableText(object), version?.text, `${object} is stable`);
    }
  }

  #steps(count: number): void {
    for (let i = 0; i < count; i++) this.#step();
  }

  #step(): void {
    this.fleet.step(this.#plan.stepMs);
    this.#checkShare();
    this.#checkStrays();
  }

  #edit(): void {
    while (this.#random() < this.#plan.edit) {
      const object = this.#pick(this.#objects);
      const version = { text: `v${this.#version++}`, refs: this.#random() < 0.5 ? this.#refsOf(object) : [] };
      if (this.#random() < 0.1) this.fleet.apply(object, null);
      else if (this.#random() < 0.5) this.fleet.apply(object, version);
      else this.fleet.apply(object, { ...version, fault: this.#pick<Fault>(['Refused', 'Crash', 'Missing']) });
    }
  }

  /** A route refers to the pool before it. */
  #refsOf(object: string): string[] {
    const index = this.#objects.indexOf(object);
    const pool = this.#objects[index - (index % 3)];
    return pool === undefined || pool === object ? [] : [pool];
  }

  /** People pause, pin, promote and abort. */
  #interfere(): void {
    const { fleet } = this;
    const { head } = fleet;
    if (head === null || this.#random() >= this.#plan.interfere) return;
    const digest = head.candidate?.digest ?? head.stable.digest;
    const action = this.#pick(['Promote', 'PromoteFull', 'Abort', 'Retry'] as const);
    this.#pick([
      () => fleet.change({ paused: this.#random() < 0.3 }),
      () => fleet.change({ pin: this.#random() < 0.3 ? this.#pick(head.history).digest : null }),
      () => fleet.change({ request: { action, digest, objects: [] } }),
      () => fleet.change({ request: null }),
    ])();
  }

  #disturb(): void {
    const { fleet } = this;
    if (this.#random() < this.#plan.churn) fleet.join();
    if (this.#random() < this.#plan.churn && fleet.proxies.size > 1) fleet.leave(this.#proxy().podUid);
    if (this.#random() < this.#plan.churn / 2) fleet.start(this.#proxy());
    if (this.#random() < this.#plan.churn) this.#proxy().reachable = this.#random() < 0.7;
    if (this.#random() < this.#plan.churn / 4) this.#proxy().draining = true;
    if (this.#random() < this.#plan.crash / 4) fleet.restartOperator();
    if (this.#random() < 0.02) fleet.skewMs += (this.#random() < 0.5 ? -1 : 1) * 3_600_000;
  }

  #proxy(): Proxy {
    return this.#pick([...this.fleet.proxies.values()]);
  }

  #pick<T>(list: readonly T[]): T {
    const item = list[Math.floor(this.#random() * list.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  #checkPublished(head: Head, before: Head | null): void {
    const checked = checkHead(head);
    assert.ok(checked.ok, checked.ok ? '' : checked.error.message);
    assert.ok(canonicalBytes(head).length < HEAD_BYTES, 'the head stays small');
    assert.ok(head.generation > (before?.generation ?? 0), 'generations only grow');
    assert.equal(this.fleet.faultOf(head.stable.digest), undefined, 'no bad fragment in stable');
    const { candidate } = head;
    if (candidate !== undefined) {
      const isRejected = head.rejected.some(({ digest }) => digest === candidate.digest);
      assert.ok(!isRejected, 'what was rejected is not tried again by itself');
      const percent = stageAt({ ...this.#spec() }, candidate.stage).fleetPercent;
      const serving = this.fleet.members().filter(isServing).length;
      this.#share = candidate.threshold === FULL_THRESHOLD ? Infinity : shareOf(serving, percent);
    }
    if (before !== null && before.stable.digest !== head.stable.digest) this.#checkPromoted(before, head);
  }

  #spec() {
    const { spec } = this.fleet;
    if (spec === null) throw new Error('there is a spec');
    return spec;
  }

  /** Every proxy that was there when the last head of the candidate was published has acked it. */
  #checkPromoted(before: Head, head: Head): void {
    assert.equal(before.candidate?.digest, head.stable.digest, 'only a candidate becomes stable');
    for (const { podUid, ack } of this.fleet.members()) {
      if (ack === null || ack.draining || ack.startGeneration >= before.generation) continue;
      assert.equal(ack.running, head.stable.digest, `${podUid} runs it`);
    }
  }

  /** Never more than the stage's share runs the candidate, of those that know the head. */
  #checkShare(): void {
    const { head } = this.fleet;
    if (head?.candidate === undefined) return;
    const digest = head.candidate.digest;
    const running = [...this.fleet.proxies.values()].filter(
      (proxy) => !proxy.draining && proxy.running === digest && proxy.generation === head.generation,
    );
    assert.ok(running.length <= this.#share, `${running.length} run the candidate, ${this.#share} may`);
  }

  /** What was rejected does not go on running. */
  #checkStrays(): void {
    const { head } = this.fleet;
    if (head === null) return;
    const rejected = new Set(head.rejected.map(({ digest }) => digest));
    if (head.candidate !== undefined) rejected.delete(head.candidate.digest);
    for (const { podUid, running } of this.fleet.proxies.values()) {
      const steps = running !== null && rejected.has(running) ? (this.#strayed.get(podUid) ?? 0) + 1 : 0;
      this.#strayed.set(podUid, steps);
      if (steps > 2) assert.fail(`${podUid} still runs what was rejected`);
    }
  }
}

const STORM = {
  quiet: 20,
  stepMs: 1_000,
  stormSteps: 400,
  objects: 12,
  edit: 0.08,
  churn: 0.08,
  crash: 0.1,
  interfere: 0.04,
};

describe('simulated fleets keep their promises', () => {
  for (const [proxies, seeds] of [
    [1, 8],
    [3, 10],
    [100, 3],
  ] as const) {
    for (let seed = 1; seed <= seeds; seed++) {
      it(`${proxies} proxies, seed ${seed}`, () => new Story({ ...STORM, seed, proxies }).tell());
    }
  }

  it('10000 proxies', () => {
    new Story({
      ...STORM,
      seed: 1,
      proxies: 10_000,
      stepMs: 20_000,
      stormSteps: 25,
      quiet: 6,
      edit: 0.15,
      crash: 0.05,
    }).tell();
  });
});
