import type { Candidate } from '../../../proxy/contract/head.ts';
import { holdKey } from '../assemblies.ts';
import { isFrozen } from '../clock.ts';
import { assemble, candidateFragments, endCandidate, next, type Draft, type Step } from '../draft.ts';
import type { Facts } from '../facts.ts';
import { heldObjects, holdSetOf, holdsOfTrial, holdsWithout, rangesOf } from '../holds.ts';
import { changedObjects } from '../objectOrder.ts';
import type { FragmentDigests, HoldSet } from '../types.ts';

/**
 * Whether the candidate is still what the objects ask for. Equal to stable: it goes at once. One of its own objects changed:
 * it is replaced. Any other change waits for the next candidate.
 */
export function outdated(facts: Facts, draft: Draft): Step {
  const { candidate } = draft.state;
  // While it is pinned, changes wait.
  if (candidate === undefined || candidate.cause === 'Pin' || candidate.digest === facts.spec.pin) return next(draft);
  const holds = holdsBehind(facts, draft, candidate);
  if (holds === null) return next(superseded(facts, draft, 'Released', 'the objects it tried are no longer held'));
  const wanted = facts.input.assemblies.get(holdKey(holds));
  if (wanted === undefined) return assemble(holds);
  if (wanted.digest === draft.state.stable.digest) {
    return next(superseded(facts, draft, 'Reverted', 'the objects ask for what is stable'));
  }
  const unchanged = wanted.digest === null || wanted.digest === candidate.digest;
  if (unchanged || isFrozen(facts.spec, candidate) || !ownObjectChanged(facts, candidate, wanted.fragments))
    return next(draft);
  return next(superseded(facts, draft, 'Replaced', 'an object that it changes has changed again'));
}

/** What was kept out when the candidate was assembled; null when its range is gone. */
function holdsBehind(facts: Facts, draft: Draft, { cause, trial }: Candidate): HoldSet | null {
  const { state } = draft;
  if (trial === undefined) return holdSetOf(heldObjects(state, facts.world));
  const range = rangesOf(state).find(({ group }) => group === trial);
  if (range === undefined) return null;
  return cause === 'Trial' ? holdsOfTrial(range, facts.world) : holdsWithout(trial, state, facts.world);
}

function ownObjectChanged(facts: Facts, candidate: Candidate, wanted: FragmentDigests): boolean {
  const fragments = candidateFragments(facts, candidate);
  if (fragments === null || facts.stable === null) return false;
  return changedObjects(facts.stable, fragments).some((object) => wanted.get(object) !== fragments.get(object));
}

function superseded(facts: Facts, draft: Draft, reason: string, message: string): Draft {
  return endCandidate(facts, draft, { outcome: 'Superseded', reason, message });
}
