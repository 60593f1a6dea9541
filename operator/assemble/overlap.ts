/** Routes that would answer the very same requests: the older one does, and the other is told which one that is. */
import { ageOf, withRoute } from './permit.ts';
import type { Context } from './context.ts';
import type { Draft } from './draft.ts';
import { describeCell, routeOf, withoutCells, type Cell, type RouteFacts } from './routes.ts';

/** Takes from each route the cells that another one answers. */
export function narrowOverlaps({ currentCells }: Context, routes: readonly Draft[]): void {
  const shared = sharedHosts(routes);
  const winners = new Map<string, Draft>();
  const contested = new Set<Draft>();
  for (const draft of routes) {
    const route = routeIn(draft);
    if (route === undefined || !(route.repeatsItself || route.hosts.some((host) => shared.has(host)))) continue;
    for (const { key } of route.cells) {
      const other = winners.get(key);
      if (other === undefined) winners.set(key, draft);
      else if (other === draft) contested.add(draft);
      else {
        const wins = isAhead(draft, other, currentCells.get(key));
        contested.add(wins ? other : draft);
        if (wins) winners.set(key, draft);
      }
    }
  }
  for (const draft of contested) narrow(draft, winners);
}

/** Hosts of more than one route. The others need no look at their cells, which are many more. */
function sharedHosts(routes: readonly Draft[]): Set<string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const draft of routes) {
    for (const host of routeIn(draft)?.hosts ?? []) {
      if (seen.has(host)) shared.add(host);
      else seen.add(host);
    }
  }
  return shared;
}

/** Older first, then who answers the cell now, then by name. */
function isAhead(draft: Draft, other: Draft, current: string | undefined): boolean {
  const [age, otherAge] = [ageOf(draft), ageOf(other)];
  if (age !== otherAge) return age < otherAge;
  if (current === draft.id || current === other.id) return current === draft.id;
  return draft.id < other.id;
}

function routeIn({ fragment }: Draft): RouteFacts | undefined {
  return fragment === null ? undefined : routeOf(fragment);
}

function narrow(draft: Draft, winners: ReadonlyMap<string, Draft>): void {
  const route = routeIn(draft);
  if (draft.fragment === null || route === undefined) return;
  const seen = new Set<string>();
  const lost: Cell[] = [];
  const byWinner = new Map<Draft, Cell>();
  for (const cell of route.cells) {
    const winner = winners.get(cell.key);
    if (winner === draft && !seen.has(cell.key)) {
      seen.add(cell.key);
      continue;
    }
    lost.push(cell);
    if (winner !== undefined && !byWinner.has(winner)) byWinner.set(winner, cell);
  }
  for (const [winner, cell] of byWinner) {
    const whose = winner === draft ? 'an earlier match of this route' : winner.id;
    draft.losses.push({
      reason: 'Overlapped',
      path: route.value.matches === undefined ? 'spec.hosts' : `spec.matches[${cell.match}]`,
      message: `${describeCell(route.value, cell)} is already answered by ${whose}`,
    });
  }
  const value = withoutCells(route.value, lost);
  draft.fragment = value === undefined ? null : withRoute(draft.fragment, value);
}
