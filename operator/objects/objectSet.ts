/** The set of all objects at one moment: what every later stage works on. Never changed; a change is a new set. */
import { objectKey, type AnyObject, type Kind, type ObjectKinds, type Stored } from './objects.ts';

/** By kind, then by `namespace/name` (`/name` where the kind has no namespace). */
export type ObjectSet = { readonly [K in Kind]: ReadonlyMap<string, Stored<ObjectKinds[K]>> } & {
  /**
   * False while some source could not be read even once: what is absent may merely be unreadable, so nothing counts as
   * deleted.
   */
  readonly complete: boolean;
};

type MutableSet = { [K in Kind]: Map<string, Stored<ObjectKinds[K]>> };

/** Builds a set. Keeps the first of objects that have kind, namespace and name in common, and hands the others back. */
export function buildObjectSet(
  objects: Iterable<Stored<AnyObject>>,
  complete: boolean,
): {
  readonly set: ObjectSet;
  readonly duplicates: readonly { kept: Stored<AnyObject>; dropped: Stored<AnyObject> }[];
} {
  const maps: MutableSet = {
    ProxyRoute: new Map(),
    UpstreamPool: new Map(),
    TrafficPolicy: new Map(),
    ProxyRollout: new Map(),
    Namespace: new Map(),
    Service: new Map(),
    EndpointSlice: new Map(),
    Secret: new Map(),
    ReferenceGrant: new Map(),
  };
  const duplicates: { kept: Stored<AnyObject>; dropped: Stored<AnyObject> }[] = [];
  for (const stored of objects) {
    const { kind, metadata } = stored.object;
    // The map of an object's own kind takes it; TypeScript cannot follow that through the union.
    const map = maps[kind] as Map<string, Stored<AnyObject>>;
    const key = objectKey(metadata.namespace, metadata.name);
    const kept = map.get(key);
    if (kept === undefined) map.set(key, stored);
    else duplicates.push({ kept, dropped: stored });
  }
  return { set: { ...maps, complete }, duplicates };
}

export function emptyObjectSet(): ObjectSet {
  return buildObjectSet([], true).set;
}
