/** What is known about one object while a document is being assembled. */
import type { Digest } from '../../proxy/contract/canonical.ts';
import type { Finding, FindingReason } from '../../proxy/contract/finding.ts';
import type { Fragment } from '../../proxy/contract/fragment.ts';
import { splitObjectId } from '../objects/objects.ts';
import type { Reference, Translation } from '../translate/types.ts';
import type { UsedVersion } from './types.ts';

/** A reference that leads nowhere, and why. */
export interface Unresolved {
  readonly reference: Reference;
  readonly reason: Extract<FindingReason, 'RefNotFound' | 'RefNotPermitted'>;
  readonly message: string;
}

/** Something of a route that is not its own. */
export interface Loss {
  readonly reason: Extract<FindingReason, 'HostConflict' | 'HostNotClaimed' | 'NamespaceNotAllowed' | 'Overlapped'>;
  readonly path: string;
  readonly message: string;
}

export interface Draft {
  readonly id: string;
  readonly kind: string;
  readonly namespace: string;
  /** Undefined for objects that are gone. */
  readonly translation: Translation | undefined;
  readonly stable: Fragment | undefined;
  used: UsedVersion;
  /** What the object contributes; narrowed or dropped by what is not permitted. Null: nothing. */
  fragment: Fragment | null;
  readonly losses: Loss[];
  /** Of the current version. */
  unresolved: readonly Unresolved[];
}

/** Why the current version of an object is not taken, though its spec is valid. */
export interface Forced {
  readonly why: 'Held' | 'Unresolved' | 'Compile';
  /** What the current version would have contributed. */
  readonly desired: Digest | null;
  readonly findings: readonly Finding[];
  /** Stable's version does not do either. */
  readonly drop: boolean;
}
export type ForcedObjects = ReadonlyMap<string, Forced>;

export type Drafts = ReadonlyMap<string, Draft>;

/** A draft of which nothing is lost yet. */
export function draftOf(
  id: string,
  translation: Translation | undefined,
  stable: Fragment | undefined,
  used: UsedVersion,
  fragment: Fragment | null,
): Draft {
  const { kind, namespace } =
    translation === undefined
      ? splitObjectId(id)
      : { kind: translation.kind, namespace: translation.object.metadata.namespace };
  return { id, kind, namespace, translation, stable, used, fragment, losses: [], unresolved: NO_REFERENCES };
}

const NO_REFERENCES: readonly Unresolved[] = [];
