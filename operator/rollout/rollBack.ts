/** A candidate that failed: its digest is rejected, and what it would have changed is held and split. */
import type { Digest } from '../../proxy/contract/canonical.ts';
import type { Candidate, HeldRange } from '../../proxy/contract/head.ts';
import { candidateFragments, change, endCandidate, record, reject, type Draft, type Ending } from './draft.ts';
import type { Facts } from './facts.ts';
import type { Failure } from './fleet.ts';
import { bundleOf, holdCulprits, holdFailed, membersOf, rangesOf, withoutRange, type Blame } from './holds.ts';
import { changedObjects } from './objectOrder.ts';
import { brief } from './text.ts';
import type { FragmentDigests } from './types.ts';

/** Rejects the head's candidate because it failed. */
export function rollBack(facts: Facts, draft: Draft, { reason, message }: Failure): Draft {
  return endRejected(facts, draft, { outcome: 'RolledBack', reason, message });
}

/** Rejects the head's candidate because a person said so. Nobody knows of a culprit, so all of it waits. */
export function abort(facts: Facts, draft: Draft): Draft {
  return endRejected(facts, draft, {
    outcome: 'Aborted',
    reason: 'AbortedByRequest',
    message: 'aborted by spec.request',
    actor: 'spec.request',
  });
}

function endRejected(facts: Facts, draft: Draft, ending: Ending): Draft {
  const { candidate } = draft.state;
  if (candidate === undefined) return draft;
  const reason = `${ending.reason}: ${ending.message}`;
  const ended = endCandidate(facts, draft, ending);
  const rejected = change(ended, reject(ended.state, candidate.digest, reason, facts.nowMs));
  const blame = blameOf(facts, rejected, candidate, reason);
  if (blame === null) return rejected;
  return hold(facts, rejected, blame, candidate.trial, ending.outcome === 'Aborted');
}

/** Null where no object is to blame: a pinned digest, or a bundle that is lost. */
function blameOf(facts: Facts, draft: Draft, candidate: Candidate, reason: string): Blame | null {
  if (candidate.cause === 'Pin') return null;
  if (candidate.trial !== undefined) {
    const range = rangesOf(draft.state).find(({ group }) => group === candidate.trial);
    return range === undefined ? null : blameRange(facts, range, candidate.digest, reason);
  }
  const fragments = candidateFragments(facts, candidate);
  if (fragments === null || facts.stable === null) return null;
  return blameChange(facts, facts.stable, { digest: candidate.digest, fragments }, reason);
}

/** Everything in which a bundle differs from stable. */
export function blameChange(
  facts: Facts,
  stable: FragmentDigests,
  { digest, fragments }: { readonly digest: Digest; readonly fragments: FragmentDigests },
  reason: string,
): Blame {
  return {
    objects: changedObjects(stable, fragments),
    from: facts.head.stable.digest,
    to: digest,
    fragments,
    failedIn: digest,
    reason: brief(reason),
    nowMs: facts.nowMs,
  };
}

/** A trial is about the objects of its range; whatever else came along with them was not new. */
export function blameRange(facts: Facts, range: HeldRange, failedIn: Digest, reason: string): Blame {
  return {
    objects: membersOf(range, facts.world.bundles),
    from: range.from,
    to: range.to,
    fragments: bundleOf(facts.world.bundles, range.to) ?? new Map<string, Digest>(),
    failedIn,
    reason: brief(reason),
    nowMs: facts.nowMs,
  };
}

/** Holds what is blamed, in place of the range that was tried. */
export function hold(facts: Facts, draft: Draft, blame: Blame, trial: number | undefined, asCulprits = false): Draft {
  const state = trial === undefined ? draft.state : withoutRange(draft.state, trial);
  const held = asCulprits ? holdCulprits(state, blame) : holdFailed(state, blame);
  const alone = asCulprits || blame.objects.length === 1;
  const recorded = record(facts, draft, {
    action: 'Hold',
    reason: alone ? 'Culprit' : 'Suspect',
    message: blame.reason,
    digest: blame.failedIn,
    objects: blame.objects,
  });
  return change(recorded, held);
}
