import { errorAt } from '../../../proxy/contract/finding.ts';
import { endCandidate, knownStable, next, type Draft, type Step } from '../draft.ts';
import type { Facts } from '../facts.ts';

/**
 * `spec.pin` keeps the fleet on one digest; any other candidate goes. A pin that nobody knows is a finding, and moves
 * nothing: neither what runs, nor what is on its way.
 */
export function pinned(facts: Facts, draft: Draft): Step {
  const { pin } = facts.spec;
  const { candidate } = draft.state;
  if (pin === null) {
    if (candidate?.cause !== 'Pin') return next(draft);
    const message = 'spec.pin is gone';
    return next(endCandidate(facts, draft, { outcome: 'Superseded', reason: 'Unpinned', message, actor: 'spec.pin' }));
  }
  if (candidate?.digest === pin) return next(draft);
  if (!isPinnable(facts, draft)) return next({ ...draft, findings: [...draft.findings, unknownPin(facts)] });
  const message = 'spec.pin names another digest';
  return next(endCandidate(facts, draft, { outcome: 'Superseded', reason: 'Pinned', message, actor: 'spec.pin' }));
}

/** A pin names a digest that was stable, and whose bundle is still there. */
export function isPinnable(facts: Facts, draft: Draft): boolean {
  const { pin } = facts.spec;
  if (pin === null || !knownStable(draft.state).has(pin)) return false;
  return pin === draft.state.stable.digest || (facts.world.bundles.get(pin) ?? null) !== null;
}

function unknownPin(facts: Facts) {
  const message = 'the fleet has no stable digest of this name in its history (or not since something was revoked)';
  return errorAt(`ProxyRollout/${facts.input.fleet}`, 'spec.pin.digest', 'RefNotFound', message);
}
