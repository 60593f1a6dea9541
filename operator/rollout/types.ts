/** What a rollout decision is made from, and what comes of it. */
import type { ProxyRolloutStatus } from '../../crds/proxyRollout.ts';
import type { Ack } from '../../proxy/contract/ack.ts';
import type { Digest } from '../../proxy/contract/canonical.ts';
import type { Finding } from '../../proxy/contract/finding.ts';
import type { Candidate, Head } from '../../proxy/contract/head.ts';

/** Digests of fragments by object id (`Kind/namespace/name`). */
export type FragmentDigests = ReadonlyMap<string, Digest>;

/** What an assembly keeps out: by object id the digest of the fragment, null for a deletion. */
export type HoldSet = ReadonlyMap<string, Digest | null>;

/** A document assembled with one hold set, and the bundle made of it. */
export interface AssembledBundle {
  /** Of the bundle; null when there can be none, and `problem` says why. */
  readonly digest: Digest | null;
  readonly problem?: string;
  /** What each object contributes to it. */
  readonly fragments: FragmentDigests;
}

/** A proxy of the fleet that should be there: one whose pod runs, whether or not it answers. */
export interface Member {
  readonly podUid: string;
  /** Its last ack, null when it never answered. */
  readonly ack: Ack | null;
  /** When that ack came, by the same clock as `nowMs`. An old one counts as unknown. */
  readonly lastSeenMs: number | null;
}

export interface Stage {
  readonly name: string;
  /** 1–100. */
  readonly fleetPercent: number;
  readonly bakeTimeMs: number;
}

export type RequestAction = 'Promote' | 'PromoteFull' | 'Abort' | 'Retry';

export interface RolloutRequest {
  readonly action: RequestAction;
  /** The candidate that is meant; for Retry, the rejected digest. */
  readonly digest: Digest | null;
  /** Retry only: the held objects instead of a digest. */
  readonly objects: readonly string[];
}

/** How a fleet wants its changes, with defaults applied (`rolloutSpecOf`). */
export interface RolloutSpec {
  /** In rising order of fleetPercent. Empty: the whole fleet at once. */
  readonly stages: readonly Stage[];
  /** Time that a stage may take beyond its bake time. */
  readonly progressDeadlineMs: number;
  /** How many of the last stable digests may come back without stages. */
  readonly rollbackWindow: number;
  readonly revisionHistoryLimit: number;
  readonly paused: boolean;
  readonly pin: Digest | null;
  readonly request: RolloutRequest | null;
}

/** Verdict of a health gate, as status shows it. `Wait` lets the bake time pass, but not the stage. */
export type GateResult = NonNullable<ProxyRolloutStatus['gateResults']>[number];

export interface RolloutInput {
  /** Wall time. It may jump either way: no rule trusts it further than a few poll intervals (`clock.ts`). */
  readonly nowMs: number;
  /** `namespace/name` of the ProxyRollout. */
  readonly fleet: string;
  /** The last accepted spec; null when the ProxyRollout is gone. */
  readonly spec: RolloutSpec | null;
  /** The head published last; null when there is none yet. */
  readonly head: Head | null;
  /** Without a head: why nobody can tell whether there was one. Then nothing is published. */
  readonly headProblem?: string;
  /** Fragments of every bundle in `bundlesNamed(head, spec)`; null for one that the store lost (look again after a publication). */
  readonly bundles: ReadonlyMap<Digest, FragmentDigests | null>;
  /** What the present spec of each object contributes, holds aside; objects that are gone or invalid are absent. */
  readonly current: FragmentDigests;
  /** Assemblies made so far for this decision, by the key they were asked for with. Valid until objects or stable change. */
  readonly assemblies: ReadonlyMap<string, AssembledBundle>;
  /** Stable without what is no longer permitted (a revoked grant, a lost host); null when nothing was revoked. */
  readonly permittedStable: AssembledBundle | null;
  /** Null while the members are not known yet: nothing starts or advances then. */
  readonly members: readonly Member[] | null;
  readonly gates: readonly GateResult[];
  /** What the last decision returned, null at the start of an operator. Forgetting it costs time, never safety. */
  readonly memory: RolloutMemory | null;
}

/** What an operator remembers from one decision to the next, beside the head. */
export interface RolloutMemory {
  /** The candidate and stage that it belongs to. */
  readonly stageKey: string;
  readonly atMs: number;
  /** Totals of this stage, of which the head saves a part now and then. */
  readonly bakedMs: number;
  readonly waitedMs: number;
  readonly sincePublishedMs: number;
  /** Whether every proxy of the stage ran the candidate at that time. */
  readonly healthy: boolean;
  /** Proxies that were there when the head was published: whether they are within its threshold, and had acked. */
  readonly cohort: ReadonlyMap<string, { readonly covered: boolean; readonly acked: boolean }>;
}

/** A head but for what the publisher adds: format, cluster, fleet, generation. */
export type HeadState = Omit<Head, 'format' | 'clusterUid' | 'fleet' | 'generation'>;

/** How a finished rollout came about; a Revocation is the removal of what is no longer permitted. */
export type Cause = Candidate['cause'] | 'Initial' | 'Revocation';

export const AUDIT_ACTIONS = [
  'Resume',
  'Initialize',
  'Start',
  'Advance',
  'Promote',
  'RollBack',
  'Hold',
  'Release',
  'Stall',
  'Supersede',
  'Abort',
  'Revoke',
  'Request',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** One line of the audit log: who did what to which digest, and why. */
export interface AuditRecord {
  /** RFC 3339. */
  readonly time: string;
  readonly fleet: string;
  readonly action: AuditAction;
  /** CamelCase. */
  readonly reason: string;
  readonly message: string;
  /** Who wanted it: the operator by its rules, or a person through that field. */
  readonly actor: 'operator' | 'spec.request' | 'spec.pin';
  readonly digest?: Digest;
  readonly stage?: string;
  /** The first objects concerned, and how many there are. */
  readonly objects?: readonly string[];
  readonly objectCount?: number;
}

/** Why nothing starts although objects ask for something else than stable. */
export interface Blocked {
  readonly reason:
    | 'Paused'
    | 'Returning'
    | 'Pinned'
    | 'Stalled'
    | 'Rejected'
    | 'TooManyHolds'
    | 'Unpublishable'
    | 'StableLost'
    | 'MembersUnknown'
    | 'HeadDamaged';
  readonly message: string;
}

export interface HeldObject {
  readonly object: string;
  readonly digest: Digest | null;
  readonly state: 'Suspect' | 'Culprit';
  readonly reason: string;
  readonly since: number;
}

/** Counts as `status.proxies` shows them. */
export interface ProxyCounts {
  readonly total: number;
  readonly candidate: number;
  readonly acked: number;
  readonly rejected: number;
  readonly unknown: number;
}

/** What status says beside the head. */
export interface RolloutView {
  readonly proxies: ProxyCounts;
  /** Name, place and number of the candidate's stage; null without a candidate. */
  readonly stage: { readonly name: string; readonly number: number; readonly of: number } | null;
  /** The candidate's proxies all run it. */
  readonly baking: boolean;
  /** With one proxy there is no canary: a stage takes the whole fleet. */
  readonly noCanary: boolean;
  /** First refusal of what a proxy is meant to run. */
  readonly refusal: string | null;
  /** In the order of splitting; every one, however many. */
  readonly held: readonly HeldObject[];
  readonly blocked: Blocked | null;
  /** Everything that the objects ask for is in stable, and nothing is held. */
  readonly upToDate: boolean;
  readonly gates: readonly GateResult[];
  readonly findings: readonly Finding[];
}

/**
 * What to do next.
 *
 * - `Assemble`: put the assembly made with `holds` into `assemblies` under `key`, and ask again with everything else as it was.
 * - `Publish`: store the bundles `bundles`, then write the head with `state`. Once it is written, log `audit`, keep `memory`
 *   and ask again at once. When the write fails, forget the decision, read the head again and ask again.
 * - `Wait`: keep `memory`, and ask again when something changed, at `wakeAtMs` at the latest (null: no need).
 */
export type RolloutDecision =
  | { readonly kind: 'Assemble'; readonly key: string; readonly holds: HoldSet }
  | {
      readonly kind: 'Publish';
      readonly state: HeadState;
      /** Digests that the head names for the first time, or that the store lost; each is of one of `assemblies` or `permittedStable`. */
      readonly bundles: readonly Digest[];
      readonly audit: readonly AuditRecord[];
      readonly memory: RolloutMemory | null;
      readonly view: RolloutView;
    }
  | {
      readonly kind: 'Wait';
      readonly memory: RolloutMemory | null;
      readonly wakeAtMs: number | null;
      readonly view: RolloutView;
    };
