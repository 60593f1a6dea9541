import { endCandidate, next, type Draft, type Step } from '../draft.ts';
import type { Facts } from '../facts.ts';

/** A candidate whose bundle the store lost cannot be fetched by proxies that restart, nor compared: it begins again. */
export function lost(facts: Facts, draft: Draft): Step {
  const { candidate } = draft.state;
  if (candidate === undefined || (facts.input.bundles.get(candidate.digest) ?? null) !== null) {
    return next(draft);
  }
  const message = 'the candidate’s bundle is no longer in the store';
  return next(endCandidate(facts, draft, { outcome: 'Superseded', reason: 'BundleLost', message }));
}
