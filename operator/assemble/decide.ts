/** One round of deciding: which version of each object is taken, and what of it is permitted. */
import type { Fragment } from '../../proxy/contract/fragment.ts';
import type { Translation } from '../translate/types.ts';
import { currentOf, type Context } from './context.ts';
import { draftOf, type Draft, type Drafts, type Forced, type ForcedObjects } from './draft.ts';
import { narrowOverlaps } from './overlap.ts';
import { permitRoutes } from './permit.ts';
import { unresolvedReferences } from './references.ts';
import type { UsedVersion } from './types.ts';

/** Decides about every object of the fleet. */
export function draftAll(context: Context, forced: ForcedObjects): Drafts {
  const drafts = new Map<string, Draft>();
  for (const id of context.others) drafts.set(id, choose(context, id, forced.get(id)));
  const routes = context.routes.map((id) => choose(context, id, forced.get(id)));
  permitRoutes(context, routes);
  narrowOverlaps(context, routes);
  for (const route of routes) drafts.set(route.id, route);
  for (const draft of drafts.values()) draft.unresolved = unresolvedReferences(context, drafts, draft);
  return drafts;
}

/** The version of one object, before its surroundings have a say. */
function choose(context: Context, id: string, forced: Forced | undefined): Draft {
  const translation = currentOf(context, id);
  const stable = context.input.stable.get(id);
  const used = usedVersion(context, id, translation, stable, forced);
  let fragment: Fragment | null = null;
  if (used === 'current') fragment = translation?.fragment ?? null;
  else if (used !== 'none' && forced?.drop !== true) fragment = stable ?? null;
  return draftOf(id, translation, stable, used, fragment);
}

function usedVersion(
  context: Context,
  id: string,
  translation: Translation | undefined,
  stable: Fragment | undefined,
  forced: Forced | undefined,
): UsedVersion {
  const last = stable === undefined || forced?.drop === true ? 'none' : 'stable';
  // Nobody can tell who may use the fleet: what is served stays, and nothing comes to it.
  if (context.rules === null) return last;
  if (translation === undefined) {
    // A held deletion; or the object may still be there, in a file that cannot be read.
    if (context.holds.get(id)?.has(null) === true && last === 'stable') return 'held';
    return context.input.objects.complete ? 'none' : last;
  }
  if (forced?.why === 'Held') return 'held';
  return forced === undefined && translation.fragment !== null ? 'current' : last;
}
