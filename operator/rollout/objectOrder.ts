/** The order in which a failed set of objects is split: related ones stay together for as long as possible. */
import type { FragmentDigests } from './types.ts';

/** By namespace, then name, then kind: a namespace is one stretch, and in it a route stands beside the pool of its name. */
function sortKey(object: string): string {
  const [kind = '', namespace = '', name = ''] = object.split('/');
  return `${namespace}\0${name}\0${kind}`;
}

/** Differences already computed. Both maps are immutable once they were passed to a decision, and take theirs along when they go. */
const differences = new WeakMap<FragmentDigests, WeakMap<FragmentDigests, readonly string[]>>();

/** Objects whose fragments differ, those of only one side included, in the order of splitting. */
export function changedObjects(from: FragmentDigests, to: FragmentDigests): readonly string[] {
  let ofFrom = differences.get(from);
  if (ofFrom === undefined) differences.set(from, (ofFrom = new WeakMap()));
  let changed = ofFrom.get(to);
  if (changed === undefined) ofFrom.set(to, (changed = compare(from, to)));
  return changed;
}

function compare(from: FragmentDigests, to: FragmentDigests): readonly string[] {
  const keyed: { readonly key: string; readonly object: string }[] = [];
  for (const [object, digest] of to) {
    if (from.get(object) !== digest) keyed.push({ key: sortKey(object), object });
  }
  for (const object of from.keys()) {
    if (!to.has(object)) keyed.push({ key: sortKey(object), object });
  }
  keyed.sort((a, b) => (a.key < b.key ? -1 : 1));
  return keyed.map(({ object }) => object);
}

/**
 * Splits two or more objects in two: between namespaces, as near to the middle as that goes, else in the middle.
 *
 * @param objects in the order of splitting
 */
export function split(objects: readonly string[]): readonly [readonly string[], readonly string[]] {
  const middle = objects.length / 2;
  let cut = 0;
  for (let i = 1; i < objects.length; i++) {
    if (namespaceOf(objects[i - 1]) === namespaceOf(objects[i])) continue;
    if (cut === 0 || Math.abs(i - middle) < Math.abs(cut - middle)) cut = i;
  }
  if (cut === 0) cut = Math.ceil(middle);
  return [objects.slice(0, cut), objects.slice(cut)];
}

function namespaceOf(object: string | undefined): string {
  return object?.split('/')[1] ?? '';
}
