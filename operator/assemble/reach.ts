/** The document made of drafts: the fleet's settings, its routes, and the pools and policies that these lead to. */
import { compareEntries, type Entry } from '../../proxy/contract/document/entries.ts';
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
    const { pool, policy } = routeOf(fragment)?.value ?? {};
    if (pool !== undefined) reached.add(`UpstreamPool/${pool}`);
    if (policy !== undefined) reached.add(`TrafficPolicy/${policy}`);
  }
  return reached;
}

/** All entries of the reachable drafts, in order of their keys. */
export function entriesOf(drafts: Drafts, reached: ReadonlySet<string>): Entry[] {
  const entries: Entry[] = [];
  for (const id of reached) entries.push(...(drafts.get(id)?.fragment?.entries ?? []));
  return entries.sort(compareEntries);
}
