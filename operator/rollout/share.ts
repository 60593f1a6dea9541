/** How many proxies a stage takes, and which. */
import { hash } from 'node:crypto';
import { FULL_THRESHOLD, ringPosition, type Candidate } from '../../proxy/contract/head.ts';
import { limit } from '../../proxy/contract/limits.ts';
import type { Member, RolloutSpec, Stage } from './types.ts';

/** The stage past the last one: the whole fleet, without bake time. Only it, or a stage of 100 %, can make stable. */
const WHOLE_FLEET: Stage = { name: 'all', fleetPercent: 100, bakeTimeMs: 0 };

/** The stage of that index; past the last one it is the whole fleet. */
export function stageAt(spec: RolloutSpec, index: number): Stage {
  return spec.stages[index] ?? WHOLE_FLEET;
}

/** k of n proxies: rounded up, so that no stage is empty. */
export function shareOf(count: number, fleetPercent: number): number {
  // Percentages are whole numbers, so the product is exact and nothing is rounded up by an error of division.
  return Math.ceil((count * fleetPercent) / 100);
}

/** Members that requests may reach; those that drain are on their way out. */
export function isServing(member: Member): boolean {
  return member.ack?.draining !== true;
}

/** A threshold that takes no pod (but for one of 2⁶⁴ positions). */
export const NOBODY = '0'.repeat(16);

/** The k-th smallest ring position: exactly k of these members are within it. */
export function thresholdFor(candidate: Pick<Candidate, 'seed'>, stage: Stage, members: readonly Member[]): string {
  if (stage.fleetPercent >= 100) return FULL_THRESHOLD;
  const positions = members.filter(isServing).map(({ podUid }) => ringPosition(podUid, candidate.seed));
  positions.sort();
  return positions[shareOf(positions.length, stage.fleetPercent) - 1] ?? NOBODY;
}

/** Time between two polls of a proxy: a second, longer for fleets of more than 500. */
export function pollIntervalMs(members: readonly Member[] | null): number {
  const perSecond = 500;
  return Math.max(limit('ackIntervalMs'), Math.ceil(((members?.length ?? 0) * 1_000) / perSecond));
}

/** What a head remembers of the name of a missing Secret or service. */
export function missingKey(name: string): string {
  return hash('sha256', name, 'hex').slice(0, 16);
}
