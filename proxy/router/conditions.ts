/** What a request must also fulfil once host and path fit: method, headers, query. */
import type { ConditionPlan } from '../compiler/plan.ts';
import { compileRegex, type UserRegex } from '../compiler/regex.ts';
import type { Question } from './question.ts';

interface Condition {
  readonly name: string;
  /** The exact value, a regex, or null where it only has to be there. */
  readonly wanted: string | UserRegex | null;
}

/** One match of one route under one host and path. Lists are undefined where nothing is asked. */
export interface Candidate<T> {
  readonly methods: readonly string[] | undefined;
  readonly headers: readonly Condition[] | undefined;
  readonly query: readonly Condition[] | undefined;
  readonly value: T;
  /** The next one to ask under the same host and path; a chain, since most are alone. */
  readonly next: Candidate<T> | undefined;
  readonly id: string;
  readonly index: number;
}

/** Throws on a regex that the compiler would have refused: a plan holds none. */
export function compileConditions(plans: readonly ConditionPlan[]): readonly Condition[] | undefined {
  return plans.length === 0 ? undefined : plans.map(compileCondition);
}

function compileCondition(plan: ConditionPlan): Condition {
  if (plan.kind === 'present') return { name: plan.name, wanted: null };
  return { name: plan.name, wanted: plan.kind === 'exact' ? plan.value : planRegex(plan.source) };
}

/** A regex of a plan; plans hold only regexes that compile. */
export function planRegex(source: string): UserRegex {
  const regex = compileRegex(source);
  if (!regex.ok) throw new TypeError(`plan holds an unsafe regex: ${regex.error}`);
  return regex.value;
}

/** Order of candidates under one host and path, the more specific first: rules 3 to 6 of docs/ROUTING.md. */
function compareCandidates<T>(a: Candidate<T>, b: Candidate<T>): number {
  return (
    Number(b.methods !== undefined) - Number(a.methods !== undefined) ||
    (b.headers?.length ?? 0) - (a.headers?.length ?? 0) ||
    (b.query?.length ?? 0) - (a.query?.length ?? 0) ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : a.index - b.index)
  );
}

/** The chain with one more candidate in its place. */
export function insertCandidate<T>(chain: Candidate<T> | undefined, candidate: Candidate<T>): Candidate<T> {
  const list = [...candidatesOf(chain), candidate].sort(compareCandidates);
  return chained(list) ?? candidate;
}

/** The chain without that match of that route, or undefined when nothing is left. */
export function removeCandidate<T>(
  chain: Candidate<T> | undefined,
  id: string,
  index: number,
): Candidate<T> | undefined {
  return chained([...candidatesOf(chain)].filter((c) => c.id !== id || c.index !== index));
}

function* candidatesOf<T>(chain: Candidate<T> | undefined): Generator<Candidate<T>> {
  for (let c = chain; c !== undefined; c = c.next) yield c;
}

function chained<T>(list: readonly Candidate<T>[]): Candidate<T> | undefined {
  return list.reduceRight<Candidate<T> | undefined>(
    (next, candidate) => (candidate.next === next ? candidate : { ...candidate, next }),
    undefined,
  );
}

/** The first candidate of the chain whose method, headers and query the request has. */
export function firstThatHolds<T>(chain: Candidate<T> | undefined, question: Question): Candidate<T> | undefined {
  for (let c = chain; c !== undefined; c = c.next) if (holds(c, question)) return c;
  return undefined;
}

function holds<T>({ methods, headers, query }: Candidate<T>, question: Question): boolean {
  if (methods !== undefined && !methods.includes(question.method)) return false;
  if (headers !== undefined) {
    for (const c of headers) if (!valueHolds(c, question.headers.get(c.name))) return false;
  }
  if (query !== undefined) {
    for (const c of query) if (!valueHolds(c, question.parameter(c.name))) return false;
  }
  return true;
}

function valueHolds({ wanted }: Condition, value: string | undefined): boolean {
  if (value === undefined) return false;
  if (wanted === null) return true;
  return typeof wanted === 'string' ? wanted === value : wanted.test(value);
}
