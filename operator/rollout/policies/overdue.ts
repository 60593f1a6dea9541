import { isFrozen } from '../clock.ts';
import { done, endCandidate, next, type Draft, type Step } from '../draft.ts';
import type { Facts } from '../facts.ts';
import { stageAt } from '../share.ts';

/**
 * A stage that takes longer than its bake time and the deadline together: usually proxies that do not answer. Nobody knows of
 * anything wrong with the candidate, so the fleet returns to stable and nothing is rejected.
 */
export function overdue(facts: Facts, draft: Draft): Step {
  const { candidate } = draft.state;
  if (candidate === undefined || candidate !== facts.head.candidate || isFrozen(facts.spec, candidate))
    return next(draft);
  if (facts.clock.waitedMs < facts.spec.progressDeadlineMs) return next(draft);
  const message = `stage ${stageAt(facts.spec, candidate.stage).name} did not end before the progress deadline`;
  return done(endCandidate(facts, draft, { outcome: 'Stalled', reason: 'DeadlineExceeded', message }));
}
