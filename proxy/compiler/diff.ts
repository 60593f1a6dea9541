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

type Fields = Readonly<Record<string, unknown>>;

/** Deep equality of plain data (what JSON can carry; a key with undefined counts as absent). */
export function sameData(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => sameData(item, b[i]));
  }
  return sameFields(a as Fields, b as Fields);
}

/** All entries of a document are compared on every change, so this makes no copies. */
function sameFields(a: Fields, b: Fields): boolean {
  let left = 0;
  for (const key of Object.keys(a)) {
    if (a[key] === undefined) continue;
    if (!Object.hasOwn(b, key) || !sameData(a[key], b[key])) return false;
    left += 1;
  }
  for (const key of Object.keys(b)) if (b[key] !== undefined) left -= 1;
  return left === 0;
}
