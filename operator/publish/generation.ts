/** The number of the next head. Generations only grow, also after the store was restored from an old copy. */

/** No honest generation is further ahead of the clock; a proxy that acks one is not followed, and hides no other. */
const MAX_AHEAD_MS = 366 * 24 * 3_600_000;

/** The highest of acked generations that can be honest; 0 when there is none. */
export function highestBelieved(acked: readonly number[], nowMs: number): number {
  return acked.reduce((highest, one) => (one <= nowMs + MAX_AHEAD_MS ? Math.max(highest, one) : highest), 0);
}

/**
 * Above everything seen, and at least the wall clock in ms: an operator whose store lost the last heads still numbers
 * above what proxies remember, unless its clock went back as well; then their acks tell.
 *
 * @param seen generations of heads that this operator read or published
 * @param acked highest generation that a proxy acked; 0 when none did
 */
export function nextGeneration(seen: readonly number[], acked: number, nowMs: number): number {
  return Math.max(Math.max(...seen, highestBelieved([acked], nowMs)) + 1, Math.trunc(nowMs));
}
