/** What a publisher remembers of a fleet between calls. All of it can be read from the store again. */
import type { BundleObject } from '../../proxy/contract/bundle.ts';
import type { Digest } from '../../proxy/contract/canonical.ts';
import type { Head } from '../../proxy/contract/head.ts';
import type { VerifiedHead } from '../../proxy/bundle/head.ts';

export interface FleetMemory {
  /** The newest head read or published. */
  head: VerifiedHead | null;
  /** Objects of the bundles that this head names as stable or candidate. */
  bundles: Map<Digest, readonly BundleObject[]>;
  /** Objects that are known to be in the store. */
  readonly present: Set<Digest>;
  /** Names of a bundle's objects, its manifest among them. */
  readonly contents: Map<Digest, readonly Digest[]>;
  /** Since when an object (in this version) is named by nothing, on the monotonic clock. */
  unnamedSince: Map<string, number>;
}

export function emptyMemory(): FleetMemory {
  return { head: null, bundles: new Map(), present: new Set(), contents: new Map(), unnamedSince: new Map() };
}

/** The bundles that proxies run, or are to run. */
export function servedDigests(head: Pick<Head, 'stable' | 'candidate'>): Digest[] {
  const digests = [head.stable.digest];
  if (head.candidate !== undefined && head.candidate.digest !== head.stable.digest) digests.push(head.candidate.digest);
  return digests;
}
