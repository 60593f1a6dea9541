/** What goes into the assembly of a fleet's document, and what comes out. */
import type { CompileResult } from '../../proxy/compiler/compile.ts';
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
  /** Fragments of the stable bundle by object id: the versions accepted last, and who answers for which host. */
  readonly stable: ReadonlyMap<string, Fragment>;
  readonly holds: readonly Pick<Hold, 'object' | 'digest'>[];
}

/** Which version of an object is in the document. `held`: stable's (or none), because the current one failed in a rollout. */
export type UsedVersion = 'current' | 'stable' | 'held' | 'none';

/** One aspect of an object's state, as a condition says it. */
export interface Aspect {
  readonly status: 'True' | 'False' | 'Unknown';
  /** CamelCase; a reason of findings, or one listed in crds/conditions.ts. */
  readonly reason: string;
  readonly message: string;
}

/** All that the status of one object needs, but for what the fleet runs. */
export interface ObjectVerdict {
  readonly object: string;
  readonly kind: OwnKind;
  readonly namespace: string;
  readonly name: string;
  /** `file:line`, or '' from the API server and for objects that are gone. */
  readonly source: string;
  /** False: gone from the cluster or folder, and kept; there is no status to write. */
  readonly exists: boolean;
  /** metadata.generation, where there is one. */
  readonly generation?: number;
  readonly used: UsedVersion;
  /** False: no route of the fleet leads to this pool or policy, so it is not in the document. */
  readonly referenced: boolean;
  /** What the current spec would contribute; null when it is invalid, not permitted, or gone. */
  readonly desiredDigest: Digest | null;
  /** What the object does contribute; null when nothing. */
  readonly usedDigest: Digest | null;
  readonly accepted: Aspect;
  readonly resolvedRefs: Aspect;
  /** Of interest for routes only: a host or match is another's. */
  readonly conflicted: Aspect;
  readonly findings: readonly Finding[];
}

export interface Assembly {
  /** The next document, in order of their keys; compiles without errors. */
  readonly entries: readonly Entry[];
  /** What the proxies' compiler makes of them; has a plan unless `findings` has an error without an object. */
  readonly compiled: CompileResult;
  /** By object id, in order. */
  readonly objects: ReadonlyMap<string, ObjectVerdict>;
  /** Findings of all objects, with their sources. */
  readonly findings: readonly Finding[];
  /** Objects whose part in stable is no longer permitted: a revoked grant, a host or a namespace that was lost. */
  readonly revoked: readonly string[];
  /** Stable without what was revoked, since that acts at once, ahead of any stage. Null when nothing was. */
  readonly permittedStable: readonly Entry[] | null;
}
