/** The next trial of held objects: one range of suspects at a time, with everything else as it is in stable. */
import type { HeldRange } from '../../proxy/contract/head.ts';
import { limit } from '../../proxy/contract/limits.ts';
import { holdKey } from './assemblies.ts';
import { assemble, block, change, done, isRecent, next, record, rejectionOf, startCandidate } from './draft.ts';
import type { Draft, Step } from './draft.ts';
import type { Facts } from './facts.ts';
import { holdsOfTrial, holdsWithout, membersOf, suspectsOf, withoutRange } from './holds.ts';
import { changedObjects } from './objectOrder.ts';
import { blameRange, hold } from './rollBack.ts';
import type { AssembledBundle } from './types.ts';

/**
 * Starts the trial of the range that is first. Where it has no effect by itself, it refers to something that is held (or to a
 * change that waits): then it is let go where that changes nothing, to follow later, and else tried amid everything else.
 *
 * @param base the assembly with everything held
 */
export function tryHeld(facts: Facts, draft: Draft, base: AssembledBundle): Step {
  const [range] = suspectsOf(draft.state);
  if (range === undefined) return next(draft);
  if (draft.state.holds.length >= limit('headListEntries')) {
    return next(block(draft, 'TooManyHolds', 'held objects are tried again when others were changed or retried'));
  }
  const alone = holdsOfTrial(range, facts.world);
  const trial = facts.input.assemblies.get(holdKey(alone));
  if (trial === undefined) return assemble(alone);
  if (trial.digest !== draft.state.stable.digest) return startTrial(facts, draft, range, trial, 'Trial');
  if (base.digest !== draft.state.stable.digest) return next(draft);
  const others = holdsWithout(range.group, draft.state, facts.world);
  const amid = facts.input.assemblies.get(holdKey(others));
  if (amid === undefined) return assemble(others);
  if (amid.digest !== base.digest) return startTrial(facts, draft, range, amid, 'Change');
  return done(letGo(facts, draft, range));
}

function startTrial(
  facts: Facts,
  draft: Draft,
  range: HeldRange,
  { digest, fragments, problem }: AssembledBundle,
  cause: 'Trial' | 'Change',
): Step {
  if (digest === null) return failed(facts, draft, range, range.to, problem ?? 'no bundle can be made of it');
  const rejection = rejectionOf(draft.state, digest);
  if (rejection !== undefined) return failed(facts, draft, range, digest, rejection.reason);
  const last = draft.state.history.find(({ outcome }) => outcome !== 'Superseded');
  // With proxies that do not answer, a trial would stall like the rollout before it.
  if (last?.outcome === 'Stalled' && !facts.fleet.everyoneKnown && !draft.retried) {
    return next(block(draft, 'Stalled', `${last.message}; trials wait until every proxy answers and is ready`));
  }
  const objects = facts.stable === null ? [] : changedObjects(facts.stable, fragments);
  const skipStages = isRecent(draft.state, digest, facts.spec);
  return done(startCandidate(facts, draft, { digest, cause, trial: range.group, objects, skipStages }));
}

/** What has failed before, or cannot be published at all, need not trouble a proxy. */
function failed(facts: Facts, draft: Draft, range: HeldRange, digest: HeldRange['to'], reason: string): Step {
  return done(hold(facts, draft, blameRange(facts, range, digest, reason), range.group));
}

function letGo(facts: Facts, draft: Draft, range: HeldRange): Draft {
  const recorded = record(facts, draft, {
    action: 'Release',
    reason: 'NoEffect',
    message: 'what they refer to is held, so they change nothing; they follow when that changes',
    objects: membersOf(range, facts.world.bundles),
  });
  return change(recorded, withoutRange(draft.state, range.group));
}
