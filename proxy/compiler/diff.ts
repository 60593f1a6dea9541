/** What turns one plan into the next. Plans share what stayed the same, so most comparisons are of references. */
import type { Plan, PlanDelta } from './plan.ts';

/** The delta that turns `old` into `next`; all of `next` where there is no old plan. */
export function diffPlans(old: Plan | undefined, next: Plan): PlanDelta {
  const routes = diffMaps(old?.routes, next.routes);
  const pools = diffMaps(old?.pools, next.pools);
  const delta: PlanDelta = {
    setRoutes: routes.set,
    deleteRoutes: routes.deleted,
    setPools: pools.set,
    deletePools: pools.deleted,
  };
  return old !== undefined && sameData(old.fleet, next.fleet) ? delta : { ...delta, fleet: next.fleet };
}

/** Whether a delta changes nothing. */
export function isEmptyDelta(delta: PlanDelta): boolean {
  return (
    delta.fleet === undefined &&
    delta.setRoutes.length + delta.deleteRoutes.length + delta.setPools.length + delta.deletePools.length === 0
  );
}

function diffMaps<V>(
  old: ReadonlyMap<string, V> | undefined,
  next: ReadonlyMap<string, V>,
): { set: readonly V[]; deleted: readonly string[] } {
  const set: V[] = [];
  for (const [id, value] of next) if (!sameData(old?.get(id), value)) set.push(value);
  const deleted: string[] = [];
  for (const id of old?.keys() ?? []) if (!next.has(id)) deleted.push(id);
  return { set, deleted };
}

/** Deep equality of plain data (what JSON can carry; a key with undefined counts as absent). */
export function sameData(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => sameData(item, b[i]));
  }
  const left = definedEntries(a);
  if (left.length !== definedEntries(b).length) return false;
  const right: Readonly<Record<string, unknown>> = { ...b };
  return left.every(([key, value]) => Object.hasOwn(right, key) && sameData(value, right[key]));
}

function definedEntries(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, item]) => item !== undefined);
}
