import { digestOfJson } from '../../../proxy/contract/canonical.ts';
import type { Candidate } from '../../../proxy/contract/head.ts';
import { change, done, next, record, type Draft, type Step } from '../draft.ts';
import type { Facts } from '../facts.ts';
import { abort } from '../rollBack.ts';
import { retry } from '../retry.ts';
import { stageAt } from '../share.ts';
import type { RolloutRequest } from '../types.ts';

/**
 * `spec.request` is carried out once: the head remembers it for as long as it stands in the spec, and it names its target,
 * so that it never meets another candidate than the one that was meant.
 */
export function requested(facts: Facts, draft: Draft): Step {
  const { request } = facts.spec;
  const { handledRequest, ...rest } = draft.state;
  if (request === null) return next(handledRequest === undefined ? draft : change(draft, rest));
  const key = requestKey(request);
  if (key === handledRequest) return next(draft);
  const handled = change(draft, { ...draft.state, handledRequest: key });
  if (request.action === 'Retry') return next(retry(facts, handled, request));
  const { candidate } = draft.state;
  if (candidate === undefined || candidate.digest !== request.digest) {
    return next(ignored(facts, handled, request, 'it names no candidate that is on its way'));
  }
  if (request.action === 'Abort') return done(abort(facts, handled));
  return done(promoteTo(facts, handled, candidate, request));
}

/** What makes two requests the same one. */
export function requestKey({ action, digest, objects }: RolloutRequest): string {
  return `${action} ${digest ?? digestOfJson(objects)}`;
}

/**
 * Ends the stage now, whatever is missing: bake time, acks, gates. Past the last stage nothing is skipped any more: stable
 * follows the acks of all known proxies.
 */
function promoteTo(facts: Facts, draft: Draft, candidate: Candidate, request: RolloutRequest): Draft {
  const last = facts.spec.stages.length;
  if (candidate.stage >= last) return ignored(facts, draft, request, 'the whole fleet has it already');
  const stage = request.action === 'PromoteFull' ? last : candidate.stage + 1;
  const { name } = stageAt(facts.spec, stage);
  const recorded = record(facts, draft, {
    action: 'Advance',
    reason: request.action,
    message: `on to stage ${name} by spec.request`,
    actor: 'spec.request',
    digest: candidate.digest,
    stage: name,
  });
  const advanced = { ...candidate, stage, stageStartedAt: facts.nowMs, bakedMs: 0, waitedMs: 0 };
  return change(recorded, { ...draft.state, candidate: advanced });
}

function ignored(facts: Facts, draft: Draft, request: RolloutRequest, why: string): Draft {
  return record(facts, draft, {
    action: 'Request',
    reason: 'Ignored',
    message: `${request.action} has nothing to do: ${why}`,
    actor: 'spec.request',
    ...(request.digest === null ? {} : { digest: request.digest }),
  });
}
