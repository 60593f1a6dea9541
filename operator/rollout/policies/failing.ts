import { done, next, type Draft, type Step } from '../draft.ts';
import type { Facts } from '../facts.ts';
import { rollBack } from '../rollBack.ts';

/**
 * What harms is taken back before anything else is looked at, paused or not, and without waiting for an assembly: one
 * refusal, one restart, one failed gate is enough.
 */
export function failing(facts: Facts, draft: Draft): Step {
  const { failure } = facts.fleet;
  if (draft.state.candidate === undefined || failure === null) return next(draft);
  return done(rollBack(facts, draft, failure));
}
