/** What belongs to one stage of one candidate, and to no other. */
import type { Candidate } from '../../proxy/contract/head.ts';
import type { RolloutInput, RolloutMemory } from './types.ts';

export function stageKey(candidate: Candidate): string {
  return `${candidate.digest} ${candidate.seed} ${candidate.stage}`;
}

/** The memory, if it is about this candidate in this stage. */
export function memoryOf(input: RolloutInput, candidate: Candidate | undefined): RolloutMemory | null {
  if (candidate === undefined || input.memory?.stageKey !== stageKey(candidate)) return null;
  return input.memory;
}
