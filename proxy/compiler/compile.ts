/**
 * Compiles entries to a plan: every entry read by itself, references followed, conflicts over all routes found. Pure,
 * and incremental: what did not change since the previous result is the same object in the plan.
 */
import { SECTIONS, type Entry } from '../contract/document/entries.ts';
import { errorAt, warningAt, type Finding, type FindingReason } from '../contract/finding.ts';
import { claimsOf, findConflicts } from './conflicts.ts';
import { sameData } from './diff.ts';
import { FindingList } from './findings.ts';
import { KnownEntries, type KnownEntry } from './known.ts';
import { linkEntries, type Report } from './link.ts';
import type { Plan } from './plan.ts';
import { quote, type Problem } from './problem.ts';
import { readEntry, type Draft } from './readEntry.ts';

export { diffPlans } from './diff.ts';

export interface CompileResult {
  /** Undefined when there is an error. */
  readonly plan: Plan | undefined;
  readonly findings: readonly Finding[];
  /** For the next compilation. */
  readonly known: KnownEntries;
}

export interface CompileOptions {
  /** Where an entry stands in what its author wrote; default `routes[<id>]`, which holds for documents of the operator. */
  readonly pathOf?: (entry: Entry) => string;
}

/**
 * Compiles a whole document, given as entries in any order and with values that may be anything at all.
 * @param previous an earlier result: what it knows of equal entries is taken over, and its plan shared
 */
export function compileEntries(
  entries: readonly Entry[],
  previous?: CompileResult,
  options: CompileOptions = {},
): CompileResult {
  const findings = new FindingList();
  const report = reporter(findings, options.pathOf ?? defaultPath);
  const known = readAll(entries, previous?.known, report);
  const { plan, claimed } = linkEntries(known, previous?.plan, report);
  for (const conflict of findConflicts(claimed)) {
    const route = known.get('routes', conflict.id);
    if (route !== undefined) report(route.entry, conflict);
  }
  return { plan: findings.hasErrors ? undefined : plan, findings: findings.list(), known };
}

function reporter(findings: FindingList, pathOf: (entry: Entry) => string): Report {
  return (entry, { path, reason, message, severity }) => {
    const make = severity === 'error' ? errorAt : warningAt;
    findings.add(make(entry.object, `${pathOf(entry)}${path}`, reason, message));
  };
}

function defaultPath(entry: Entry): string {
  return entry.id === '-' ? entry.section : `${entry.section}[${entry.id}]`;
}

function readAll(entries: readonly Entry[], before: KnownEntries | undefined, report: Report): KnownEntries {
  const known = new KnownEntries();
  for (const entry of entries) {
    if (known.has(entry.section, entry.id)) {
      report(entry, { path: '', reason: 'Duplicate', message: 'the id is used twice', severity: 'error' });
      continue;
    }
    const item = readOne(entry, before?.get(entry.section, entry.id));
    known.add(item);
    for (const problem of item.problems) report(entry, problem);
  }
  return known;
}

function readOne(entry: Entry, before: KnownEntry | undefined): KnownEntry {
  if (before?.entry === entry) return before;
  if (before?.entry.object === entry.object && sameData(before.entry.value, entry.value)) return before;
  if (!SECTIONS.includes(entry.section))
    return refused(entry, 'UnknownKind', `there is no section ${quote(entry.section)}`);
  const { draft, problems } = readEntry(entry.section, entry.value);
  if (draft.section !== 'none' && idOf(draft) !== entry.id)
    return refused(entry, 'Invalid', 'the entry stands under another id than its value has');
  return { entry, draft, problems, claims: draft.section === 'routes' ? claimsOf(draft.matches) : undefined };
}

function refused(entry: Entry, reason: FindingReason, message: string): KnownEntry {
  const problem: Problem = { path: '', reason, message, severity: 'error' };
  return { entry, draft: { section: 'none' }, problems: [problem], claims: undefined };
}

/** The id that an entry of this value stands under. */
function idOf(draft: Exclude<Draft, { section: 'none' }>): string {
  switch (draft.section) {
    case 'routes':
    case 'policies':
      return draft.id;
    case 'pools':
      return draft.pool.id;
    case 'traffic_management':
      return draft.route;
    case 'http':
    case 'metrics':
    case 'access_log':
      return '-';
  }
}
