import { change, next, record, type Draft, type Step } from '../draft.ts';
import type { Facts } from '../facts.ts';
import { heldByRange, isEffective, rangesOf, replaceRanges } from '../holds.ts';

/**
 * A hold is lifted when its object changed, or when the fragment became stable another way. Between rollouts only: one that
 * is on its way keeps the holds it was made with.
 */
export function tidied(facts: Facts, draft: Draft): Step {
  const { state } = draft;
  // Without stable nothing can be told, so nothing is forgotten.
  if (state.candidate !== undefined || facts.stable === null) return next(draft);
  const holds = state.holds.filter((hold) => isEffective(hold, facts.world));
  const ranges = rangesOf(state).filter((range) => heldByRange(range, facts.world).length > 0);
  if (holds.length === state.holds.length && ranges.length === rangesOf(state).length) return next(draft);
  const lifted = state.holds.filter((hold) => !holds.includes(hold)).map(({ object }) => object);
  const recorded = record(facts, draft, {
    action: 'Release',
    reason: 'Changed',
    message: 'holds were lifted: their objects have changed, or became stable',
    objects: lifted,
  });
  return next(change(recorded, replaceRanges({ ...state, holds }, ranges)));
}
