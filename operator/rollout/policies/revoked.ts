import { endCandidate, change, done, makeStable, next, record, type Draft, type Step } from '../draft.ts';
import type { Facts } from '../facts.ts';

/**
 * A revoked grant or a lost host acts at once: stable becomes itself without what is no longer permitted. The candidate was
 * made on the stable before, so it goes; older digests may hold what was revoked, so none of them comes back unstaged.
 */
export function revoked(facts: Facts, draft: Draft): Step {
  const digest = facts.input.permittedStable?.digest ?? null;
  if (digest === null || digest === draft.state.stable.digest) return next(draft);
  const reason = 'Revoked';
  const message = 'what is no longer permitted was taken out of stable';
  const ended = endCandidate(facts, draft, { outcome: 'Superseded', reason, message });
  const recorded = record(facts, ended, { action: 'Revoke', reason, message, digest });
  const state = makeStable(facts, ended.state, { digest, cause: 'Revocation', reason, message });
  return done(change(recorded, { ...state, recentStable: [] }));
}
