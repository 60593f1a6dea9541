/** All matches of one host pattern, found by path. Immutable once its router is built. */
import type { PathPlan } from '../compiler/plan.ts';
import { firstThatHolds, insertCandidate, planRegex, removeCandidate, type Candidate } from './conditions.ts';
import type { Question } from './question.ts';
import { compareRegexes, type UserRegex } from '../compiler/regex.ts';
import { HASH_START, hashStep, StringMap, type Edit } from './stringMap.ts';

interface RegexPath<T> {
  readonly regex: UserRegex;
  readonly chain: Candidate<T>;
}

/** What most requests read comes first, to lie within one line of the cache. */
export interface HostTable<T> {
  /** Undefined while there is none, as in most hosts. */
  readonly exact: StringMap<Candidate<T>> | undefined;
  /** In order of precedence; bounded by the limit `regexRoutesPerHost`. */
  readonly regexes: readonly RegexPath<T>[] | undefined;
  /** The prefix of a host that has one only, and its candidates: found without going through the map. */
  readonly onlyPrefix: string | undefined;
  readonly onlyChain: Candidate<T> | undefined;
  readonly prefixes: StringMap<Candidate<T>> | undefined;
  /** Which numbers of segments prefixes have, as bits: only lengths that occur are looked up. */
  readonly depthMask: number;
  /** How many prefixes have how many segments, to know when a bit falls. */
  readonly depths: readonly number[];
}

const EMPTY = {
  exact: undefined,
  regexes: undefined,
  onlyPrefix: undefined,
  onlyChain: undefined,
  prefixes: undefined,
  depthMask: 0,
  depths: [],
} as const;

const SLASH = 0x2f;
/** The last bit stands for this many segments and more. */
const LAST_BIT = 30;

/** The table with one more candidate under `path`. */
export function addToTable<T>(
  table: HostTable<T> | undefined,
  path: PathPlan,
  candidate: Candidate<T>,
  edit: Edit,
): HostTable<T> {
  const old: HostTable<T> = table ?? EMPTY;
  return changedAt(old, path, edit, (chain) => insertCandidate(chain, candidate));
}

/** The table without that match of that route, or undefined when nothing is left. */
export function removeFromTable<T>(
  table: HostTable<T>,
  path: PathPlan,
  id: string,
  index: number,
  edit: Edit,
): HostTable<T> | undefined {
  const rest = changedAt(table, path, edit, (chain) => removeCandidate(chain, id, index));
  return rest.exact === undefined && rest.prefixes === undefined && rest.regexes === undefined ? undefined : rest;
}

type Change<T> = (chain: Candidate<T> | undefined) => Candidate<T> | undefined;

function changedAt<T>(table: HostTable<T>, path: PathPlan, edit: Edit, change: Change<T>): HostTable<T> {
  switch (path.kind) {
    case 'exact':
      return { ...table, exact: changedIn(table.exact, path.path, edit, change) };
    case 'regex':
      return { ...table, regexes: changedAmong(table.regexes ?? [], path.source, change) };
    case 'prefix':
      return changedPrefix(table, path.prefix, edit, change);
  }
}

function changedPrefix<T>(table: HostTable<T>, prefix: string, edit: Edit, change: Change<T>): HostTable<T> {
  const before = table.prefixes?.size ?? 0;
  const prefixes = changedIn(table.prefixes, prefix, edit, change);
  const size = prefixes?.size ?? 0;
  const depths = size === before ? table.depths : counted(table.depths, prefix, size - before);
  const depthMask = depths.reduce((mask, count, depth) => (count > 0 ? mask | (1 << depth) : mask), 0);
  const [onlyPrefix, onlyChain] = prefixes?.onlyEntry() ?? [];
  return { ...table, prefixes, onlyPrefix, onlyChain, depths, depthMask };
}

function changedIn<T>(
  map: StringMap<Candidate<T>> | undefined,
  key: string,
  edit: Edit,
  change: Change<T>,
): StringMap<Candidate<T>> | undefined {
  const chain = change(map?.get(key));
  if (chain !== undefined) return (map ?? StringMap.empty<Candidate<T>>()).set(key, chain, edit);
  const rest = map?.delete(key, edit);
  return rest?.size === 0 ? undefined : rest;
}

function changedAmong<T>(
  regexes: readonly RegexPath<T>[],
  source: string,
  change: Change<T>,
): readonly RegexPath<T>[] | undefined {
  const old = regexes.find((r) => r.regex.source === source);
  const rest = regexes.filter((r) => r !== old);
  const chain = change(old?.chain);
  if (chain !== undefined) rest.push({ regex: old?.regex ?? planRegex(source), chain });
  if (rest.length === 0) return undefined;
  return rest.sort((a, b) => compareRegexes(a.regex.source, b.regex.source));
}

function counted(depths: readonly number[], prefix: string, by: number): readonly number[] {
  const depth = Math.min(prefix.split('/').length - 1, LAST_BIT);
  const counts = Array.from({ length: Math.max(depths.length, depth + 1) }, (_, i) => depths[i] ?? 0);
  counts[depth] = (counts[depth] ?? 0) + by;
  return counts;
}

/** The best match of this host: exact path, then regexes, then the longest prefix. Undefined when nothing holds. */
export function findInTable<T>(table: HostTable<T>, question: Question): Candidate<T> | undefined {
  const { exact, regexes, prefixes } = table;
  if (exact !== undefined) {
    const found = firstThatHolds(exact.get(question.path), question);
    if (found !== undefined) return found;
  }
  if (regexes !== undefined) {
    for (const { regex, chain } of regexes) {
      const found = regex.test(question.path) ? firstThatHolds(chain, question) : undefined;
      if (found !== undefined) return found;
    }
  }
  const { onlyPrefix } = table;
  if (onlyPrefix !== undefined)
    return isBelow(question.path, onlyPrefix) ? firstThatHolds(table.onlyChain, question) : undefined;
  return prefixes === undefined ? undefined : findByPrefix(prefixes, table.depthMask, question);
}

function isBelow(path: string, prefix: string): boolean {
  const end = prefix.length;
  return path.startsWith(prefix) && (path.length === end || path.charCodeAt(end) === SLASH);
}

/** Where the prefixes of the path at hand end, and their hashes. Kept to spare allocations; never read across calls. */
const ends: number[] = [];
const hashes: number[] = [];

/** Reads the path once, noting its whole-segment prefixes of a length that occurs, then looks up the longest first. */
function findByPrefix<T>(
  prefixes: StringMap<Candidate<T>>,
  depthMask: number,
  question: Question,
): Candidate<T> | undefined {
  const path = question.path;
  let hash = HASH_START;
  let count = 0;
  let depth = 0;
  // The first slash ends the prefix '' (that is `/`), the second the first segment; the end of the path ends the last.
  for (let i = 0, rest = depthMask; rest !== 0 && i <= path.length; i += 1) {
    const code = i < path.length ? path.charCodeAt(i) : SLASH;
    if (code === SLASH) {
      if ((rest & 1) !== 0) {
        ends[count] = i;
        hashes[count] = hash;
        count += 1;
      }
      if (depth < LAST_BIT) rest >>>= 1;
      depth += 1;
    }
    hash = hashStep(hash, code);
  }
  while (count > 0) {
    count -= 1;
    const chain = prefixes.find(hashes[count] ?? 0, path, ends[count] ?? 0);
    const found = chain === undefined ? undefined : firstThatHolds(chain, question);
    if (found !== undefined) return found;
  }
  return undefined;
}
