/** A fragment: what one object contributes to the document. */
import { digestOfJson, type Digest } from './canonical.ts';
import { compareEntries, entryJson, type Entry } from './document/entries.ts';

export interface Fragment {
  /** `Kind/namespace/name`. */
  readonly object: string;
  /** Over the canonical entries: the same spec always gives the same digest, so a reverted object gives its old one. */
  readonly digest: Digest;
  readonly entries: readonly Entry[];
}

export function fragmentOf(object: string, entries: readonly Entry[]): Fragment {
  const sorted = [...entries].sort(compareEntries);
  return { object, digest: digestOfJson(sorted.map(entryJson)), entries: sorted };
}

/** Groups the entries of a document by the object they came from. */
export function fragmentsOf(entries: Iterable<Entry>): Map<string, Fragment> {
  const byObject = new Map<string, Entry[]>();
  for (const entry of entries) {
    const list = byObject.get(entry.object);
    if (list === undefined) byObject.set(entry.object, [entry]);
    else list.push(entry);
  }
  return new Map([...byObject].map(([object, list]) => [object, fragmentOf(object, list)]));
}
