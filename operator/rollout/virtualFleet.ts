/**
 * A fleet in memory, for tests: objects, a store, proxies that follow the candidate rule, and an operator that carries out what
 * `decide` says. Time is virtual, and everything can go wrong on demand.
 */
import type { Ack, Refusal, RefusalReason } from '../../proxy/contract/ack.ts';
import { digestOfJson, type Digest } from '../../proxy/contract/canonical.ts';
import { fragmentOf } from '../../proxy/contract/fragment.ts';
import { digestToRun, HEAD_FORMAT, type Head } from '../../proxy/contract/head.ts';
import { bundlesNamed, decide } from './decide.ts';
import type {
  AssembledBundle,
  AuditRecord,
  FragmentDigests,
  GateResult,
  HeadState,
  HoldSet,
  Member,
  RolloutDecision,
  RolloutInput,
  RolloutMemory,
  RolloutSpec,
} from './types.ts';

/** What a fragment does to the proxies that run it. */
export type Fault = 'Refused' | 'Crash' | 'Missing';

/** A version of an object. */
export interface Version {
  readonly text: string;
  readonly fault?: Fault;
  /** It contributes nothing, and leaves no trace in a bundle. */
  readonly empty?: boolean;
  /** Objects that must be there, or the object keeps its stable version. */
  readonly refs?: readonly string[];
}

export interface Proxy {
  readonly podUid: string;
  boot: number;
  startGeneration: number;
  generation: number;
  running: Digest | null;
  refused: Refusal | undefined;
  reachable: boolean;
  ready: boolean;
  draining: boolean;
  missing: string[];
}

const NOTHING = fragmentOf('', []).digest;
const NO_FRAGMENTS: FragmentDigests = new Map();
const NONE: string[] = [];
const GONE: string[] = ['Secret/shop/gone'];

const DEFAULT_SPEC: RolloutSpec = {
  stages: [],
  progressDeadlineMs: 600_000,
  rollbackWindow: 3,
  revisionHistoryLimit: 10,
  paused: false,
  pin: null,
  request: null,
};

/** When an operator dies: before a head is written, or right after. */
export type CrashPoint = 'BeforeWrite' | 'AfterWrite';

export class VirtualFleet {
  spec: RolloutSpec | null;
  head: Head | null = null;
  readonly objects = new Map<string, Version>();
  readonly proxies = new Map<string, Proxy>();
  readonly audit: AuditRecord[] = [];
  /** The reason that proxies give for a fragment of fault Refused. */
  refusal: RefusalReason = 'CompileFailed';
  gates: readonly GateResult[] = [];
  permittedStable: AssembledBundle | null = null;
  membersKnown = true;
  /** True time, and what the operator's clock says on top of it. */
  nowMs = 1_700_000_000_000;
  skewMs = 0;
  /** Called before each head is written; says whether the operator dies there. */
  crashAt: (state: HeadState) => CrashPoint | null = () => null;
  onPublish: (head: Head, before: Head | null) => void = () => undefined;
  last: Exclude<RolloutDecision, { kind: 'Assemble' }> | null = null;
  publications = 0;
  readonly store = new Map<Digest, FragmentDigests>();
  #versions = new Map<Digest, Version>();
  #assemblies = new Map<string, AssembledBundle>();
  #assembledFor = '';
  #memory: RolloutMemory | null = null;
  #acks = new Map<string, { readonly ack: Ack; readonly seenMs: number }>();
  #pods = 0;
  #edits = 0;
  #current: FragmentDigests = new Map();
  #currentEdit = -1;

  constructor(spec: Partial<RolloutSpec> = {}, proxies = 3) {
    this.spec = { ...DEFAULT_SPEC, ...spec };
    for (let i = 0; i < proxies; i++) this.join();
  }

  // What people do.

  apply(object: string, version: Version | string | null): this {
    const next = typeof version === 'string' ? { text: version } : version;
    if (next === null) this.objects.delete(object);
    else this.objects.set(object, next);
    this.#edits++;
    return this;
  }

  change(spec: Partial<RolloutSpec>): this {
    this.spec = { ...(this.spec ?? DEFAULT_SPEC), ...spec };
    return this;
  }

  // What proxies do.

  join(podUid = `pod-${this.#pods++}`): Proxy {
    const proxy: Proxy = {
      podUid,
      boot: 0,
      startGeneration: 0,
      generation: 0,
      running: null,
      refused: undefined,
      reachable: true,
      ready: false,
      draining: false,
      missing: NONE,
    };
    this.proxies.set(podUid, proxy);
    this.start(proxy);
    return proxy;
  }

  leave(podUid: string): void {
    this.proxies.delete(podUid);
  }

  /** A new process: it starts on stable, whatever the head tries. */
  start(proxy: Proxy): void {
    proxy.boot++;
    proxy.startGeneration = this.head?.generation ?? 0;
    proxy.refused = undefined;
    proxy.generation = 0;
    proxy.running = null;
    proxy.ready = false;
    this.readHead(proxy);
  }

  readHead(proxy: Proxy): void {
    const { head } = this;
    if (head === null || head.generation === proxy.generation) return;
    proxy.generation = head.generation;
    const { digest, role } = digestToRun(head, proxy.podUid, proxy.startGeneration);
    if (proxy.running === digest) return;
    const fault = this.faultOf(digest);
    if (fault === 'Refused') {
      proxy.refused = { digest, reason: this.refusal, message: 'no', generation: head.generation };
      return;
    }
    if (fault === 'Crash' && role === 'candidate') {
      this.start(proxy);
      return;
    }
    proxy.running = digest;
    proxy.ready = true;
    proxy.refused = undefined;
    proxy.missing = fault === 'Missing' ? GONE : NONE;
  }

  // What can be asked.

  faultOf(digest: Digest): Fault | undefined {
    for (const fragment of this.store.get(digest)?.values() ?? []) {
      const fault = this.#versions.get(fragment)?.fault;
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  /** Text of an object's version in stable; undefined when it is not there. */
  stableText(object: string): string | undefined {
    return this.textIn(this.head?.stable.digest, object);
  }

  /** The same in the candidate. */
  triedText(object: string): string | undefined {
    return this.textIn(this.candidate?.digest, object);
  }

  textIn(digest: Digest | undefined, object: string): string | undefined {
    const fragment = digest === undefined ? undefined : this.store.get(digest)?.get(object);
    return fragment === undefined ? undefined : this.#versions.get(fragment)?.text;
  }

  get stable(): Digest | undefined {
    return this.head?.stable.digest;
  }

  get candidate(): Head['candidate'] {
    return this.head?.candidate;
  }

  onCandidate(): Proxy[] {
    const digest = this.candidate?.digest;
    return [...this.proxies.values()].filter(({ running }) => digest !== undefined && running === digest);
  }

  held(): string[] {
    return (this.last?.view.held ?? []).map(({ object }) => object).sort();
  }

  // Time.

  /** Lets time pass in steps: proxies read the head, the operator polls and decides. */
  run(seconds: number, stepMs = 1_000): this {
    for (let passed = 0; passed < seconds * 1_000; passed += stepMs) this.step(stepMs);
    return this;
  }

  step(stepMs = 1_000): void {
    for (const proxy of this.proxies.values()) this.readHead(proxy);
    this.poll();
    this.operate();
    this.nowMs += stepMs;
  }

  poll(): void {
    for (const proxy of this.proxies.values()) {
      if (!proxy.reachable) continue;
      const ack = ackOf(proxy, this.#acks.get(proxy.podUid)?.ack);
      this.#acks.set(proxy.podUid, { ack, seenMs: this.wallMs });
    }
  }

  get wallMs(): number {
    return this.nowMs + this.skewMs;
  }

  /** A new operator knows the head, the objects and the store, and nothing else. */
  restartOperator(): void {
    this.#memory = null;
    this.#acks.clear();
    this.#assemblies.clear();
    this.#assembledFor = '';
  }

  /** Decides until there is nothing more to do now. */
  operate(): void {
    for (let round = 0; round < 200; round++) {
      const decision = this.#decide();
      this.last = decision;
      if (decision.kind === 'Wait') {
        this.#memory = decision.memory;
        return;
      }
      if (!this.#publish(decision)) return;
    }
    throw new Error('the operator never stops publishing');
  }

  /** What `decide` would be given now. */
  input(): RolloutInput {
    const { head, spec } = this;
    const key = `${this.#edits} ${head?.stable.digest ?? ''}`;
    if (key !== this.#assembledFor) {
      this.#assemblies = new Map();
      this.#assembledFor = key;
    }
    if (this.#currentEdit !== this.#edits) {
      this.#current = this.#fragments();
      this.#currentEdit = this.#edits;
    }
    return {
      nowMs: this.wallMs,
      fleet: 'default/edge',
      spec,
      head,
      bundles: new Map(bundlesNamed(head, spec).map((digest) => [digest, this.store.get(digest) ?? null])),
      current: this.#current,
      assemblies: this.#assemblies,
      permittedStable: this.permittedStable,
      members: this.membersKnown ? this.members() : null,
      gates: this.gates,
      memory: this.#memory,
    };
  }

  #decide(): Exclude<RolloutDecision, { kind: 'Assemble' }> {
    for (let asked = 0; asked < 8; asked++) {
      const decision = decide(this.input());
      if (decision.kind !== 'Assemble') return decision;
      this.#assemblies.set(decision.key, this.assemble(decision.holds));
    }
    throw new Error('the decision never stops asking for assemblies');
  }

  /** What the operator knows of the proxies that are there. */
  members(): Member[] {
    return [...this.proxies.keys()].map((podUid) => {
      const known = this.#acks.get(podUid);
      return { podUid, ack: known?.ack ?? null, lastSeenMs: known?.seenMs ?? null };
    });
  }

  #publish(decision: Extract<RolloutDecision, { kind: 'Publish' }>): boolean {
    const crash = this.crashAt(decision.state);
    if (crash === 'BeforeWrite') {
      this.restartOperator();
      return false;
    }
    for (const digest of decision.bundles) this.#putBundle(digest);
    const generation = Math.max((this.head?.generation ?? 0) + 1, this.wallMs);
    const before = this.head;
    this.head = { format: HEAD_FORMAT, clusterUid: 'virtual', fleet: 'default/edge', generation, ...decision.state };
    this.publications++;
    this.onPublish(this.head, before);
    if (crash === 'AfterWrite') {
      this.restartOperator();
      return false;
    }
    this.#memory = decision.memory;
    this.audit.push(...decision.audit);
    return true;
  }

  #putBundle(digest: Digest): void {
    const made = [...this.#assemblies.values(), ...(this.permittedStable === null ? [] : [this.permittedStable])];
    const bundle = made.find((assembled) => assembled.digest === digest);
    if (bundle === undefined && !this.store.has(digest)) throw new Error(`nobody assembled ${digest}`);
    if (bundle !== undefined) this.store.set(digest, bundle.fragments);
  }

  #fragments(): FragmentDigests {
    const fragments = new Map<string, Digest>();
    for (const [object, version] of this.objects) fragments.set(object, this.#fragment(object, version));
    return fragments;
  }

  #fragment(object: string, version: Version): Digest {
    if (version.empty === true) return NOTHING;
    const digest = digestOfJson({ object, ...version, refs: [...(version.refs ?? [])] });
    this.#versions.set(digest, version);
    return digest;
  }

  /** The rules of assembly that matter here: holds, and changed objects with unresolved references keep stable's version. */
  assemble(holds: HoldSet): AssembledBundle {
    const { current } = this.input();
    const stable = (this.stable === undefined ? undefined : this.store.get(this.stable)) ?? NO_FRAGMENTS;
    const fragments = new Map<string, Digest>();
    const keepStable = (object: string) => {
      const kept = stable.get(object);
      if (kept === undefined) fragments.delete(object);
      else fragments.set(object, kept);
    };
    for (const object of new Set([...current.keys(), ...stable.keys()])) {
      const wanted = current.get(object) ?? null;
      if (holds.has(object) && holds.get(object) === wanted) keepStable(object);
      else if (wanted !== null && wanted !== NOTHING) fragments.set(object, wanted);
    }
    for (let settled = false; !settled;) {
      settled = true;
      for (const [object, digest] of fragments) {
        const refs = this.#versions.get(digest)?.refs ?? [];
        if (digest === stable.get(object) || refs.every((ref) => fragments.has(ref))) continue;
        keepStable(object);
        settled = false;
      }
    }
    return { digest: digestOfJson(Object.fromEntries(fragments)), fragments };
  }
}

/** A proxy says the same until something changes: ten thousand acks need not be made anew at every poll. */
function ackOf(proxy: Proxy, before: Ack | undefined): Ack {
  const { podUid, boot, startGeneration, generation, running, refused, ready, draining, missing } = proxy;
  const same =
    before?.bootId === `${podUid}-${boot}` &&
    before.startGeneration === startGeneration &&
    before.generation === generation &&
    before.running === running &&
    before.refused === refused &&
    before.ready === ready &&
    before.draining === draining &&
    before.missing === missing;
  if (same) return before;
  return {
    podUid,
    bootId: `${podUid}-${boot}`,
    version: '1',
    fleet: 'default/edge',
    generation,
    startGeneration,
    running,
    role: 'stable',
    ready,
    draining,
    ...(refused === undefined ? {} : { refused }),
    missing,
    knownKids: [],
    supports: { documentVersions: [1], features: [] },
    counters: { requests: 0, errors5xx: 0, swaps: 0, refusals: 0 },
  };
}
