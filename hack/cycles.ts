/** Cycles of a directed graph. */

/** Names and what each points to; targets that are no names themselves are ignored. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** The shortest way from `start` back to itself, both ends included, or undefined where there is none. */
function wayBack(graph: Graph, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    for (const next of graph.get(node) ?? []) {
      if (next === start) {
        const way = [start];
        for (let at: string | undefined = node; at !== undefined; at = cameFrom.get(at)) way.unshift(at);
        return way;
      }
      if (cameFrom.has(next) || !graph.has(next)) continue;
      cameFrom.set(next, node);
      queue.push(next);
    }
  }
  return undefined;
}

/** One shortest cycle for each group of names that reach each other, in the order of their names. */
export function findCycles(graph: Graph): string[][] {
  const cycles: string[][] = [];
  const reported = new Set<string>();
  for (const node of [...graph.keys()].toSorted()) {
    if (reported.has(node)) continue;
    const cycle = wayBack(graph, node);
    if (cycle === undefined) continue;
    cycles.push(cycle);
    for (const member of cycle) reported.add(member);
  }
  return cycles;
}
