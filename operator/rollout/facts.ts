/** Gathers once, before anything is decided, what all policies look at. */
import type { Head } from '../../proxy/contract/head.ts';
import { readClock, type StageClock } from './clock.ts';
import { readFleet, type FleetFacts } from './fleet.ts';
import type { World } from './holds.ts';
import type { FragmentDigests, RolloutInput, RolloutSpec } from './types.ts';

export interface Facts {
  readonly input: RolloutInput;
  readonly nowMs: number;
  readonly spec: RolloutSpec;
  readonly head: Head;
  /** Null when the stable bundle is lost, and the objects do not give it back. Then nothing can be compared with it. */
  readonly stable: FragmentDigests | null;
  /** As it is without stable: everything differs, and nothing is held. */
  readonly world: World;
  readonly fleet: FleetFacts;
  /** Of the head's candidate. */
  readonly clock: StageClock;
}

const NO_TIME: StageClock = { bakedMs: 0, waitedMs: 0, sincePublishedMs: 0 };
const NOTHING: FragmentDigests = new Map();

export function gather(input: RolloutInput, head: Head, spec: RolloutSpec): Facts {
  const fleet = readFleet(input, head, spec);
  const stable = stableFragments(input, head);
  return {
    input,
    nowMs: input.nowMs,
    spec,
    head,
    stable,
    world: { bundles: knownBundles(input, head, stable), current: input.current, stable: stable ?? NOTHING },
    fleet,
    clock: head.candidate === undefined ? NO_TIME : readClock(input, spec, head.candidate, fleet),
  };
}

/** From the store, else from an assembly that gives the very same digest. */
function stableFragments(input: RolloutInput, head: Head): FragmentDigests | null {
  const stored = input.bundles.get(head.stable.digest) ?? null;
  if (stored !== null) return stored;
  for (const { digest, fragments } of input.assemblies.values()) if (digest === head.stable.digest) return fragments;
  return null;
}

/** What the store holds and what was just assembled, which a hold may name before it is stored. */
function knownBundles(input: RolloutInput, head: Head, stable: FragmentDigests | null): RolloutInput['bundles'] {
  const known = new Map(input.bundles);
  for (const { digest, fragments } of input.assemblies.values()) {
    if (digest !== null && (known.get(digest) ?? null) === null) known.set(digest, fragments);
  }
  return known.set(head.stable.digest, stable);
}
