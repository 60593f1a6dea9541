import type { Candidate } from '../../../proxy/contract/head.ts';
import { isFrozen } from '../clock.ts';
import { change, done, makeStable, next, record, type Draft, type Step } from '../draft.ts';
import type { Facts } from '../facts.ts';
import { withoutRange } from '../holds.ts';
import { stageAt } from '../share.ts';
import { requestKey } from './requested.ts';

/**
 * A stage is over when all of its proxies run the candidate, the bake time has passed in that state, and every gate passes.
 * A stage with less than the whole fleet is followed by the next one, and the last by the whole fleet: stable only ever
 * follows the acks of all known proxies.
 */
export function advanced(facts: Facts, draft: Draft): Step {
  const { candidate } = draft.state;
  if (candidate === undefined || candidate !== facts.head.candidate || isFrozen(facts.spec, candidate))
    return next(draft);
  const stage = stageAt(facts.spec, candidate.stage);
  const baked = facts.fleet.healthy && facts.clock.bakedMs >= stage.bakeTimeMs;
  if (!baked || facts.input.gates.some(({ verdict }) => verdict !== 'Pass')) return next(draft);
  return done(stage.fleetPercent >= 100 ? promote(facts, draft, candidate) : advance(facts, draft, candidate));
}

function advance(facts: Facts, draft: Draft, candidate: Candidate): Draft {
  const stage = Math.min(candidate.stage + 1, facts.spec.stages.length);
  const { name } = stageAt(facts.spec, stage);
  const recorded = record(facts, draft, {
    action: 'Advance',
    reason: 'StagePassed',
    message: `stage ${stageAt(facts.spec, candidate.stage).name} passed, on to ${name}`,
    digest: candidate.digest,
    stage: name,
  });
  const advanced = { ...candidate, stage, stageStartedAt: facts.nowMs, bakedMs: 0, waitedMs: 0 };
  return change(recorded, { ...draft.state, candidate: advanced });
}

function promote(facts: Facts, draft: Draft, candidate: Candidate): Draft {
  const { digest, cause, objects, trial } = candidate;
  const reason = promotionReason(draft, candidate);
  const message = 'every known proxy runs it';
  const recorded = record(facts, draft, { action: 'Promote', reason, message, digest, objects });
  const stable = makeStable(facts, draft.state, { digest, cause, reason, message });
  return change(recorded, trial === undefined ? stable : withoutRange(stable, trial));
}

function promotionReason(draft: Draft, { cause, digest }: Candidate): string {
  if (cause === 'Rollback') return 'FastRollback';
  const full = requestKey({ action: 'PromoteFull', digest, objects: [] });
  return draft.state.handledRequest === full ? 'PromotedByRequest' : 'StagesPassed';
}
