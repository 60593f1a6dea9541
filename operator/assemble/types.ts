/** What goes into the assembly of a fleet's document, and what comes out. */
import type { Digest } from '../../proxy/contract/canonical.ts';
import type { Entry } from '../../proxy/contract/document/entries.ts';
import type { Finding } from '../../proxy/contract/finding.ts';
import type { Fragment } from '../../proxy/contract/fragment.ts';
import type { Hold } from '../../proxy/contract/head.ts';
import type { ObjectSet } from '../objects/objectSet.ts';
import type { OwnKind } from '../objects/objects.ts';
import type { Translation } from '../translate/types.ts';

export interface AssembleInput {
  /** The fleet, as `namespace/name` of its ProxyRollout. */
  readonly fleet: string;
  /** Fleet of routes without fleetRef, as `namespace/name`; null: such routes belong to no fleet. */
  readonly defaultFleet: string | null;
  readonly objects: ObjectSet;
  /** By object id, from `translateAll(objects)`. */
  readonly translations: ReadonlyMap<string, Translation>;
  /** Fragments of the stable bundle by object id: the versions accepted last, and who owned which host. */
  readonly stable: ReadonlyMap<string, Fragment>;
  readonly holds: readonly Pick<Hold, 'object' | 'digest'>[];
}

/** Which version of an object is in the document. `held`: stable's (or none), because the current one failed in a rollout. */
export type UsedVersion = 'current' | 'stable' | 'held' | 'none';

/** One aspect of an object's state, as a condition will say it. */
export interface Aspect {
  readonly ok: boolean;
  /** CamelCase. */
  readonly reason: string;
  readonly message: string;
}

/** All that the status of one object needs, but for what the fleet runs. */
export interface ObjectVerdict {
  readonly object: string;
  readonly kind: OwnKind;
  readonly namespace: string;
  readonly name: string;
  /** `file:line`, or '' from the API server (and for objects that are gone). */
  readonly source: string;
  /** metadata.generation, where there is one. */
  readonly generation?: number;
  readonly used: UsedVersion;
  /** What the current spec would contribute here; null when it is invalid or gone. */
  readonly desiredDigest: Digest | null;
  /** What it does contribute; null when nothing. */
  readonly usedDigest: Digest | null;
  readonly accepted: Aspect;
  readonly resolvedRefs: Aspect;
  /** Routes: `ok` when every host and match is its own. */
  readonly conflicted: Aspect;
  readonly findings: readonly Finding[];
}

export interface Assembly {
  /** The next document, in order of their keys; compiles without errors. */
  readonly entries: readonly Entry[];
  /** By object id. */
  readonly objects: ReadonlyMap<string, ObjectVerdict>;
  /** Findings of all objects, with their sources. */
  readonly findings: readonly Finding[];
  /**
   * Objects whose part in stable is no longer permitted (a revoked grant, a lost host or namespace). That acts at once:
   * `permittedStable` is stable without it, to be published ahead of any stage. Null when nothing was revoked.
   */
  readonly revoked: readonly string[];
  readonly permittedStable: readonly Entry[] | null;
}
