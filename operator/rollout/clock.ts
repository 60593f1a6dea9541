/**
 * Time of a stage, counted by the operator alone. Wall time may jump either way, and the operator may be away: between two
 * decisions no more counts than a few poll intervals, and never less than nothing. Missed time only makes a stage longer.
 */
import type { Candidate } from '../../proxy/contract/head.ts';
import type { FleetFacts } from './fleet.ts';
import { memoryOf } from './memory.ts';
import { pollIntervalMs, stageAt } from './share.ts';
import type { RolloutInput, RolloutSpec } from './types.ts';

/** Most that counts between two decisions, in poll intervals. */
const LONGEST_GAP_POLLS = 5;

export interface StageClock {
  /** Time in this stage with all of its proxies on the candidate; stops at the bake time. */
  readonly bakedMs: number;
  /** Other time in this stage, pauses aside. */
  readonly waitedMs: number;
  readonly sincePublishedMs: number;
}

export function longestGapMs(input: RolloutInput): number {
  return LONGEST_GAP_POLLS * pollIntervalMs(input.members);
}

/** Whether time stands still: `paused` does that to every candidate but a pinned one, which is a person's own decision. */
export function isFrozen(spec: RolloutSpec, candidate: Candidate): boolean {
  return spec.paused && candidate.cause !== 'Pin';
}

/** The time up to now. An interval counts as baked when the stage was healthy at its beginning and its end. */
export function readClock(input: RolloutInput, spec: RolloutSpec, candidate: Candidate, fleet: FleetFacts): StageClock {
  const memory = memoryOf(input, candidate);
  if (memory === null) return { bakedMs: candidate.bakedMs, waitedMs: candidate.waitedMs, sincePublishedMs: 0 };
  const passedMs = Math.min(Math.max(0, input.nowMs - memory.atMs), longestGapMs(input));
  const { bakedMs, waitedMs } = memory;
  const sincePublishedMs = memory.sincePublishedMs + passedMs;
  // With no proxy at all there is nobody to bake on, and nobody to wait for.
  if (isFrozen(spec, candidate) || fleet.serving === 0) return { bakedMs, waitedMs, sincePublishedMs };
  const bakeTimeMs = stageAt(spec, candidate.stage).bakeTimeMs;
  if (memory.healthy && fleet.healthy && bakedMs < bakeTimeMs) {
    return { bakedMs: Math.min(bakedMs + passedMs, bakeTimeMs), waitedMs, sincePublishedMs };
  }
  return { bakedMs, waitedMs: waitedMs + passedMs, sincePublishedMs };
}
