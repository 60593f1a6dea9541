/**
 * Smooth weighted round robin (as nginx): of weights 5, 1, 1 the picks are a a b a c a a, never a burst of one target.
 * Where all weights are equal it is plain round robin, which takes the same order without looking at every target.
 */

/** What outlives a change of targets: how much a target is owed. Kept with the endpoint, so that swaps keep the order. */
export interface Credit {
  credit: number;
}

export interface WeightedTarget {
  /** Share of picks; targets of weight 0 get none. */
  readonly weight: number;
  readonly endpoint: Credit;
}

/** Where plain round robin stands. Kept with the pool. */
export interface Cursor {
  position: number;
}

export class WeightedRoundRobin<T extends WeightedTarget> {
  readonly targets: readonly T[];
  readonly #cursor: Cursor;
  readonly #equal: boolean;

  constructor(targets: readonly T[], cursor: Cursor) {
    this.targets = targets.filter((target) => target.weight > 0);
    this.#cursor = cursor;
    this.#equal = this.targets.every((target) => target.weight === this.targets[0]?.weight);
  }

  /** The next target that is not among `tried`; undefined when none is left. */
  pick(tried?: readonly T['endpoint'][]): T | undefined {
    return this.#equal ? this.#pickInTurn(tried) : this.#pickByCredit(tried);
  }

  #pickInTurn(tried: readonly T['endpoint'][] | undefined): T | undefined {
    const { length } = this.targets;
    for (let steps = 0; steps < length; steps += 1) {
      const position = this.#cursor.position % length;
      this.#cursor.position = position + 1;
      const target = this.targets[position];
      if (target !== undefined && (tried === undefined || !tried.includes(target.endpoint))) return target;
    }
    return undefined;
  }

  /** Every target earns its weight; the richest is picked and pays for the round. */
  #pickByCredit(tried: readonly T['endpoint'][] | undefined): T | undefined {
    let best: T | undefined;
    let earned = 0;
    for (const target of this.targets) {
      if (tried?.includes(target.endpoint) === true) continue;
      target.endpoint.credit += target.weight;
      earned += target.weight;
      if (best === undefined || target.endpoint.credit > best.endpoint.credit) best = target;
    }
    if (best !== undefined) best.endpoint.credit -= earned;
    return best;
  }
}
