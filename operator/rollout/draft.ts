/** The head in the making. Policies take one and return the next; nothing is changed in place. */
import { shortDigest, type Digest } from '../../proxy/contract/canonical.ts';
import type { Finding } from '../../proxy/contract/finding.ts';
import type { Candidate, Head, HistoryEntry, Rejection } from '../../proxy/contract/head.ts';
import { limit } from '../../proxy/contract/limits.ts';
import type { Facts } from './facts.ts';
import { missingOn } from './fleet.ts';
import { NOBODY, stageAt } from './share.ts';
import { brief } from './text.ts';
import type { AuditRecord, Blocked, Cause, FragmentDigests, HeadState, HoldSet, RolloutSpec } from './types.ts';

export interface Draft {
  readonly state: HeadState;
  readonly audit: readonly AuditRecord[];
  readonly findings: readonly Finding[];
  readonly blocked: Blocked | null;
  readonly upToDate: boolean;
  /** A person asked to try again in this very decision: what stalled need not wait for better times. */
  readonly retried: boolean;
  /** The head is to be published, changed or not. */
  readonly publish: boolean;
}

/** What a policy answers: go on to the next one, publish (or wait) with this draft, or bring an assembly first. */
export type Step =
  | { readonly kind: 'Next'; readonly draft: Draft }
  | { readonly kind: 'Done'; readonly draft: Draft }
  | { readonly kind: 'Assemble'; readonly holds: HoldSet };

export type Policy = (facts: Facts, draft: Draft) => Step;

export const next = (draft: Draft): Step => ({ kind: 'Next', draft });
export const done = (draft: Draft): Step => ({ kind: 'Done', draft });
export const assemble = (holds: HoldSet): Step => ({ kind: 'Assemble', holds });

export function draftOf(head: Head): Draft {
  const { format: _f, clusterUid: _c, fleet: _l, generation: _g, ...state } = head;
  return { state, audit: [], findings: [], blocked: null, upToDate: false, retried: false, publish: false };
}

/** A draft with another state, which is then published. */
export function change(draft: Draft, state: HeadState): Draft {
  return { ...draft, state, publish: true };
}

export function block(draft: Draft, reason: Blocked['reason'], message: string): Draft {
  return { ...draft, blocked: { reason, message } };
}

type Event = Pick<AuditRecord, 'action' | 'reason' | 'message'> &
  Partial<Pick<AuditRecord, 'actor' | 'digest' | 'stage'>> & { readonly objects?: readonly string[] };

/** Adds an audit record; a long list of objects is cut, and counted. */
export function record(facts: Facts, draft: Draft, { objects, ...event }: Event): Draft {
  const named =
    objects === undefined
      ? {}
      : { objects: objects.slice(0, limit('rolloutObjectsShown')), objectCount: objects.length };
  const record: AuditRecord = {
    time: new Date(facts.nowMs).toISOString(),
    fleet: facts.input.fleet,
    actor: 'operator',
    ...event,
    ...named,
  };
  return { ...draft, audit: [...draft.audit, record] };
}

/** Adds an entry to the history, which keeps the last stable digests and, apart from them, the last other outcomes. */
function remember(state: HeadState, entry: HistoryEntry, spec: RolloutSpec): HeadState {
  const most = limit('rolloutHistory');
  // At least one other: what stalled last is read from it.
  const others = Math.max(1, Math.min(spec.revisionHistoryLimit, most - spec.revisionHistoryLimit));
  const entries = [entry, ...state.history];
  const kept = new Set([
    ...entries.filter(({ outcome }) => wasStable(outcome)).slice(0, Math.min(spec.revisionHistoryLimit, most - others)),
    ...entries.filter(({ outcome }) => !wasStable(outcome)).slice(0, others),
  ]);
  return { ...state, history: entries.filter((candidate) => kept.has(candidate)) };
}

function wasStable(outcome: HistoryEntry['outcome']): boolean {
  return outcome === 'Initial' || outcome === 'Promoted';
}

/** Digests that were stable, newest first, back to the last revocation: what was revoked must not come back by a pin. */
export function knownStable(state: Pick<HeadState, 'stable' | 'history' | 'recentStable'>): ReadonlySet<Digest> {
  const known = new Set<Digest>([state.stable.digest, ...state.recentStable.map(({ digest }) => digest)]);
  for (const { outcome, digest, cause } of state.history) {
    if (wasStable(outcome)) known.add(digest);
    if (cause === 'Revocation') break;
  }
  return known;
}

export function rejectionOf(state: HeadState, digest: Digest): Rejection | undefined {
  return state.rejected.find((rejection) => rejection.digest === digest);
}

export function reject(state: HeadState, digest: Digest, reason: string, nowMs: number): HeadState {
  const others = state.rejected.filter((rejection) => rejection.digest !== digest);
  const rejected = [{ digest, reason: brief(reason), at: nowMs }, ...others].slice(0, limit('rejectedDigests'));
  return { ...state, rejected };
}

export function withoutRejection(state: HeadState, digests: ReadonlySet<Digest>): HeadState {
  if (!state.rejected.some(({ digest }) => digests.has(digest))) return state;
  return { ...state, rejected: state.rejected.filter(({ digest }) => !digests.has(digest)) };
}

/** How a candidate ended without becoming stable. */
export interface Ending {
  readonly outcome: Exclude<HistoryEntry['outcome'], 'Initial' | 'Promoted'>;
  readonly reason: string;
  readonly message: string;
  readonly actor?: AuditRecord['actor'];
}

const ENDING_ACTIONS = {
  RolledBack: 'RollBack',
  Aborted: 'Abort',
  Stalled: 'Stall',
  Superseded: 'Supersede',
} as const satisfies Record<Ending['outcome'], AuditRecord['action']>;

/** Takes the candidate back: every proxy returns to stable. Without a candidate nothing happens. */
export function endCandidate(facts: Facts, draft: Draft, ending: Ending): Draft {
  const { candidate, ...rest } = draft.state;
  if (candidate === undefined) return draft;
  const { outcome, reason, message, actor = 'operator' } = ending;
  const { digest, cause } = candidate;
  const entry: HistoryEntry = { digest, outcome, reason, message: brief(message), cause, at: facts.nowMs };
  const recorded = record(facts, draft, {
    action: ENDING_ACTIONS[outcome],
    reason,
    message: brief(message),
    actor,
    digest,
    stage: stageAt(facts.spec, candidate.stage).name,
    objects: candidate.objects,
  });
  return change(recorded, remember(rest, entry, facts.spec));
}

/** What a rollout begins with. */
export interface Start {
  readonly digest: Digest;
  readonly cause: Candidate['cause'];
  readonly trial?: number;
  /** In which it differs from stable. */
  readonly objects: readonly string[];
  /** Past the last stage at once: a digest that was stable not long ago. */
  readonly skipStages: boolean;
  readonly actor?: AuditRecord['actor'];
}

/** Begins a rollout. Its threshold is set when the head is concluded, from the members of that moment. */
export function startCandidate(facts: Facts, draft: Draft, start: Start): Draft {
  const { nowMs, spec, head, input } = facts;
  const { digest, cause, trial, objects } = start;
  const stage = start.skipStages ? spec.stages.length : 0;
  const candidate: Candidate = {
    digest,
    seed: `${shortDigest(digest)}-${nowMs}`,
    threshold: NOBODY,
    stage,
    stageStartedAt: nowMs,
    startedAt: nowMs,
    afterGeneration: head.generation,
    bakedMs: 0,
    waitedMs: 0,
    cause,
    ...(trial === undefined ? {} : { trial }),
    changes: objects.length,
    objects: objects.slice(0, limit('rolloutObjectsShown')),
    missingBefore: missingOn(head.stable.digest, input.members ?? []),
  };
  const recorded = record(facts, draft, {
    action: 'Start',
    reason: cause,
    message: `a rollout starts at stage ${stageAt(spec, stage).name}`,
    actor: start.actor ?? 'operator',
    digest,
    stage: stageAt(spec, stage).name,
    objects,
  });
  return change(recorded, { ...draft.state, candidate });
}

/** Makes a digest stable. The one before stays at hand for a fast return. */
export function makeStable(
  facts: Facts,
  state: HeadState,
  entry: { readonly digest: Digest; readonly cause: Cause; readonly reason: string; readonly message: string },
): HeadState {
  const { nowMs, spec } = facts;
  const { candidate: _, ...rest } = withoutRejection(state, new Set([entry.digest]));
  const kept = Math.min(Math.max(spec.rollbackWindow, spec.revisionHistoryLimit), limit('rolloutHistory'));
  const recentStable = [{ digest: state.stable.digest, until: nowMs }, ...state.recentStable]
    .filter(({ digest }) => digest !== entry.digest)
    .slice(0, kept);
  const promoted = { ...rest, stable: { digest: entry.digest, since: nowMs }, recentStable };
  return remember(promoted, { ...entry, outcome: 'Promoted', at: nowMs }, spec);
}

/** Whether a digest was stable so lately that it needs no stages. */
export function isRecent(state: HeadState, digest: Digest, spec: RolloutSpec): boolean {
  return state.recentStable.slice(0, spec.rollbackWindow).some((recent) => recent.digest === digest);
}

/** The fragments of the head's candidate; null when its bundle is lost. */
export function candidateFragments(facts: Facts, candidate: Candidate): FragmentDigests | null {
  return facts.world.bundles.get(candidate.digest) ?? null;
}
