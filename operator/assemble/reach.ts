/** The document made of drafts: the fleet's settings, its routes, and the pools and policies that these lead to. */
import { entryKey, type Entry } from '../../proxy/contract/document/entries.ts';
import type { Context } from './context.ts';
import type { Drafts } from './draft.ts';
import { routeOf } from './routes.ts';

/** Ids of the objects that belong into the document; of other fleets' pools a fleet's proxies need know nothing. */
export function reachable(context: Context, drafts: Drafts): Set<string> {
  const reached = new Set([context.rollout]);
  for (const id of context.routes) {
    const fragment = drafts.get(id)?.fragment;
    if (fragment === undefined || fragment === null) continue;
    reached.add(id);
    for (const target of routeOf(fragment)?.leadsTo ?? []) reached.add(target);
  }
  return reached;
}

/** All entries of the reachable drafts, in order of their keys. */
export function entriesOf(drafts: Drafts, reached: ReadonlySet<string>): Entry[] {
  const byKey = new Map<string, Entry>();
  for (const id of reached) {
    for (const entry of drafts.get(id)?.fragment?.entries ?? []) byKey.set(entryKey(entry), entry);
  }
  // Sorting texts takes a fraction of sorting entries, whose keys would be made at every comparison.
  return [...byKey.keys()].sort().flatMap((key) => byKey.get(key) ?? []);
}
