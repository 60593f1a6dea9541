/** The status of a ProxyRollout: what its head, its proxies and the last decision say, for people and for `kubectl wait`. */
import { ROLLOUT_CONDITIONS } from '../../crds/conditions.ts';
import type { ProxyRolloutStatus, RolloutPhase } from '../../crds/proxyRollout.ts';
import { shortDigest } from '../../proxy/contract/canonical.ts';
import { formatFinding, type Finding } from '../../proxy/contract/finding.ts';
import type { Head, HistoryEntry } from '../../proxy/contract/head.ts';
import { limit } from '../../proxy/contract/limits.ts';
import type { RolloutSpec, RolloutView } from '../rollout/types.ts';

export interface RolloutStatusInput {
  readonly head: Head | null;
  readonly view: RolloutView;
  /** The accepted spec that was decided by; null when there is none. */
  readonly spec: RolloutSpec | null;
  /** Findings about the object itself. Errors mean that an earlier spec is in force, or none. */
  readonly findings: readonly Finding[];
  /** metadata.generation, where there is one. */
  readonly generation?: number;
  /** The status written last: conditions keep the time of their last transition. */
  readonly previous: ProxyRolloutStatus | null;
  readonly nowMs: number;
}

type Condition = NonNullable<ProxyRolloutStatus['conditions']>[number];
type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>;

/** Equal inputs give equal bytes, so that status is written only when it changes. */
export function rolloutStatus(input: RolloutStatusInput): ProxyRolloutStatus {
  const { head, view, generation } = input;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase: phaseOf(input),
    ...(view.stage === null ? {} : { stage: view.stage.name }),
    ...(head === null ? {} : digestsOf(head)),
    heldObjects: view.held
      .slice(0, limit('headListEntries'))
      .map(({ object, digest, state, reason, since }) => ({
        object,
        ...(digest === null ? {} : { fragmentDigest: digest }),
        state,
        message: reason,
        since: timeOf(since),
      })),
    proxies: { ...view.proxies },
    gateResults: [...view.gates],
    history: (head?.history ?? [])
      .slice(0, limit('rolloutHistory'))
      .map(({ digest, outcome, at }) => ({ digest, outcome, time: timeOf(at) })),
    summary: summaryOf(input),
    conditions: ROLLOUT_CONDITIONS.map(({ type }) => conditionOf(type, input)),
  };
}

function digestsOf({ stable, candidate, rejected }: Head) {
  const [last] = rejected;
  return {
    stableDigest: stable.digest,
    ...(candidate === undefined ? {} : { candidateDigest: candidate.digest }),
    ...(last === undefined ? {} : { rejectedDigest: last.digest }),
  };
}

function summaryOf({ head, view }: RolloutStatusInput) {
  const { stage, proxies } = view;
  return {
    stage: stage === null ? '' : `${stage.name} ${stage.number}/${stage.of}`,
    candidate: head?.candidate === undefined ? '' : shortDigest(head.candidate.digest),
    stable: head === null ? '' : shortDigest(head.stable.digest),
    proxies: `${proxies.acked}/${proxies.total}`,
  };
}

function phaseOf({ head, view, spec, findings }: RolloutStatusInput): RolloutPhase {
  if (head === null) return view.blocked?.reason === 'HeadDamaged' ? 'Degraded' : 'Pending';
  if (spec?.paused === true) return 'Paused';
  if (head.candidate !== undefined) return 'Progressing';
  const { held, blocked, proxies } = view;
  // What was taken back a moment ago goes on by itself.
  const isBlocked = blocked !== null && blocked.reason !== 'Returning';
  const isAsked = errorsOf(findings, view).length === 0 && !isBlocked && held.length === 0;
  if (!isAsked || proxies.rejected > 0 || proxies.unknown > 0) return 'Degraded';
  return view.upToDate ? 'Healthy' : 'Progressing';
}

function conditionOf(type: string, input: RolloutStatusInput): Condition {
  const verdict = VERDICTS[type]?.(input);
  if (verdict === undefined) throw new TypeError(`nobody tells the condition ${type}`);
  const before = input.previous?.conditions?.find((condition) => condition.type === type);
  return {
    type,
    ...verdict,
    ...(input.generation === undefined ? {} : { observedGeneration: input.generation }),
    lastTransitionTime: before?.status === verdict.status ? before.lastTransitionTime : timeOf(input.nowMs),
  };
}

const isTrue = (reason: string, message: string): Verdict => ({ status: 'True', reason, message });
const isFalse = (reason: string, message: string): Verdict => ({ status: 'False', reason, message });

/** One for each condition of the kind, by type. */
const VERDICTS: Readonly<Record<string, (input: RolloutStatusInput) => Verdict>> = {
  Accepted: accepted,
  Progressing: progressing,
  Paused: paused,
  Healthy: healthy,
  Promoted: promoted,
  RolledBack: rolledBack,
  Stalled: stalled,
};

function errorsOf(findings: readonly Finding[], view: RolloutView): Finding[] {
  return [...findings, ...view.findings].filter(({ severity }) => severity === 'error');
}

function accepted({ findings, view }: RolloutStatusInput): Verdict {
  const errors = errorsOf(findings, view);
  const [first] = errors;
  if (first === undefined) return isTrue('Accepted', '');
  return isFalse(first.reason, cut(errors.map(formatFinding).join('\n')));
}

function progressing({ head, view }: RolloutStatusInput): Verdict {
  const { stage, proxies, blocked } = view;
  const candidate = head?.candidate;
  if (candidate === undefined || stage === null) return isFalse('UpToDate', blocked?.message ?? '');
  const single = view.noCanary ? '; with one proxy no canary is possible' : '';
  const message = `stage ${stage.name}: ${proxies.candidate} of ${proxies.total} proxies are meant to run ${shortDigest(candidate.digest)}${single}`;
  if (view.baking) return isTrue('Baking', message);
  // The head saves waiting time once a minute, so that this changes at most that often.
  if (candidate.waitedMs > 0) return isTrue('WaitingForProxies', message);
  return isTrue(candidate.stage === 0 ? 'RolloutStarted' : 'StageStarted', message);
}

function paused({ spec }: RolloutStatusInput): Verdict {
  if (spec?.paused === true) return isTrue('SpecPaused', 'spec.paused is true');
  if (spec !== null && spec.pin !== null) return isTrue('Pinned', `spec.pin names ${shortDigest(spec.pin)}`);
  return isFalse('NotPaused', '');
}

function healthy({ view }: RolloutStatusInput): Verdict {
  const { total, acked, rejected, unknown } = view.proxies;
  if (rejected > 0) return isFalse('ProxiesRejected', `${rejected} of ${total} proxies; ${view.refusal ?? ''}`);
  if (unknown > 0) return isFalse('ProxiesUnknown', `${unknown} of ${total} proxies do not answer`);
  if (view.held.length > 0) return isFalse('ObjectsHeld', heldMessage(view));
  if (total === 0) return { status: 'Unknown', reason: 'NoProxies', message: '' };
  if (acked < total) return isFalse('ProxiesUnknown', `${total - acked} of ${total} proxies do not run it yet`);
  return isTrue('AllProxiesAcked', '');
}

function heldMessage({ held }: RolloutView): string {
  const most = limit('rolloutObjectsShown');
  const named = held.slice(0, most).map(({ object }) => object);
  const more = held.length > most ? ` and ${held.length - most} more` : '';
  return `held back: ${named.join(', ')}${more}`;
}

/** How the last rollout ended; one that a newer candidate replaced has not. */
function lastOf(head: Head | null): HistoryEntry | undefined {
  return head?.history.find(({ outcome }) => outcome !== 'Superseded');
}

function promoted({ head }: RolloutStatusInput): Verdict {
  const last = lastOf(head);
  if (last === undefined) return { status: 'Unknown', reason: 'InProgress', message: 'nothing was published yet' };
  if (head?.candidate !== undefined) return isFalse('InProgress', `on its way: ${shortDigest(head.candidate.digest)}`);
  if (last.outcome === 'Initial' || last.outcome === 'Promoted') return isTrue(last.reason, cut(last.message));
  return isFalse('NotPromoted', cut(`${last.outcome}: ${last.message}`));
}

function rolledBack({ head }: RolloutStatusInput): Verdict {
  const last = lastOf(head);
  if (last?.outcome !== 'RolledBack' && last?.outcome !== 'Aborted') return isFalse('NotRolledBack', '');
  return isTrue(last.reason, cut(`${shortDigest(last.digest)}: ${last.message}`));
}

function stalled({ head }: RolloutStatusInput): Verdict {
  const last = lastOf(head);
  return last?.outcome === 'Stalled' ? isTrue(last.reason, cut(last.message)) : isFalse('NotStalled', '');
}

/** Longest message of a condition. */
const MESSAGE_LENGTH = 32_768;

function cut(message: string): string {
  return message.slice(0, MESSAGE_LENGTH);
}

/** Status times have seconds, as all of Kubernetes’. */
function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
