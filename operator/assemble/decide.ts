/** One round of deciding: which version of each object is taken, and what of it is permitted. */
import { currentOf, type Context } from './context.ts';
import type { Draft, Drafts, Forced, ForcedObjects } from './draft.ts';
import { narrowOverlaps } from './overlap.ts';
import { permitRoutes } from './permit.ts';
import { unresolvedReferences } from './references.ts';

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
  const draft = { id, translation, stable, losses: [], unresolved: [] };
  // Nobody can tell who may use the fleet: what is served stays, and nothing comes to it.
  if (context.rules === null)
    return { ...draft, used: stable === undefined ? 'none' : 'stable', fragment: stable ?? null };
  if (translation === undefined) {
    if (stable === undefined || forced?.drop === true) return { ...draft, used: 'none', fragment: null };
    // A held deletion; or the object may still be there, in a file that cannot be read.
    if (context.holds.get(id)?.has(null) === true) return { ...draft, used: 'held', fragment: stable };
    const isKept = !context.input.objects.complete;
    return { ...draft, used: isKept ? 'stable' : 'none', fragment: isKept ? stable : null };
  }
  if (forced === undefined && translation.fragment !== null) {
    return { ...draft, used: 'current', fragment: translation.fragment };
  }
  const kept = forced?.drop === true ? undefined : stable;
  if (forced?.why === 'Held') return { ...draft, used: 'held', fragment: kept ?? null };
  return { ...draft, used: kept === undefined ? 'none' : 'stable', fragment: kept ?? null };
}
