import { limit } from '../../../proxy/contract/limits.ts';
import { longestGapMs } from '../clock.ts';
import { done, next, type Draft, type Step } from '../draft.ts';
import type { Facts } from '../facts.ts';
import { memoryOf } from '../memory.ts';

/**
 * Publishes the same candidate once more, with the threshold taken from the members of now. A new operator does so at once:
 * it cannot know who restarted while nobody looked, and after it every process counts as there. Later it is done now and
 * then, to save the time that the stage has baked, and to take in proxies that joined where too few take part.
 */
export function refreshed(facts: Facts, draft: Draft): Step {
  const { candidate } = draft.state;
  // Another candidate than the head's is published anyway.
  if (candidate === undefined || candidate !== facts.head.candidate || facts.input.members === null) return next(draft);
  const { sincePublishedMs, bakedMs, waitedMs } = facts.clock;
  const unsavedMs = bakedMs + waitedMs - candidate.bakedMs - candidate.waitedMs;
  const due =
    memoryOf(facts.input, candidate) === null ||
    unsavedMs >= limit('rolloutSaveMs') ||
    (facts.fleet.short && sincePublishedMs >= longestGapMs(facts.input));
  return due ? done({ ...draft, publish: true }) : next(draft);
}
