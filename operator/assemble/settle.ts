/**
 * Rounds of deciding until nothing changes any more, and the document compiles: an object whose current version is held,
 * refers to nothing, or breaks the document goes back to stable's version, and everything is decided once more.
 */
import type { CompileResult } from '../../proxy/compiler/compile.ts';
import type { Entry } from '../../proxy/contract/document/entries.ts';
import { errorAt, type Finding } from '../../proxy/contract/finding.ts';
import { fragmentOf } from '../../proxy/contract/fragment.ts';
import { limit } from '../../proxy/contract/limits.ts';
import type { Context } from './context.ts';
import { draftAll } from './decide.ts';
import type { Draft, Drafts, Forced, ForcedObjects } from './draft.ts';
import { entriesOf, reachable } from './reach.ts';

/** The proxies' compiler. */
export type Compile = (entries: readonly Entry[], previous?: CompileResult) => CompileResult;

export interface Settled {
  readonly drafts: Drafts;
  readonly forced: ForcedObjects;
  /** Ids of the objects in the document. */
  readonly reached: ReadonlySet<string>;
  readonly entries: readonly Entry[];
  /** Errors are left only where no object is to blame for them. */
  readonly compiled: CompileResult;
}

/** Decides, and compiles what comes out; at most `compileAttempts` times. */
export function settle(context: Context, compile: Compile, previous?: CompileResult): Settled {
  const trials = new Trials(context, compile, previous);
  let trial = trials.run(new Map());
  while (trial.broken.size > 0 && trials.left > 0) {
    const next = new Map(trial.forced);
    // First those that changed and are named; if the others are, one that changed may have pushed them over a limit.
    const culprits = [...trial.broken].filter(([id]) => isChanged(trial.drafts.get(id)));
    for (const [id, findings] of culprits) next.set(id, forcedBack(trial.drafts.get(id), findings));
    if (culprits.length === 0) {
      const base = trials.withoutChanges(trial);
      if (base.broken.size === 0) return trials.admit(base, trial);
      // What is served already breaks the document: better without these objects than standing still for all.
      for (const [id, findings] of base.broken) {
        const draft = base.drafts.get(id);
        if (draft !== undefined) next.set(id, { ...forcedBack(draft, findings), drop: true });
      }
    }
    if (culprits.length === 0 && !hasNewDrops(next, trial.forced)) break;
    trial = trials.run(next);
  }
  return trial;
}

interface Trial extends Settled {
  /** Errors by object. */
  readonly broken: ReadonlyMap<string, readonly Finding[]>;
}

class Trials {
  readonly #context: Context;
  readonly #compile: Compile;
  #previous: CompileResult | undefined;
  left = limit('compileAttempts');

  constructor(context: Context, compile: Compile, previous: CompileResult | undefined) {
    this.#context = context;
    this.#compile = compile;
    this.#previous = previous;
  }

  run(given: ForcedObjects): Trial {
    this.left -= 1;
    const { drafts, forced } = decide(this.#context, given);
    const reached = reachable(this.#context, drafts);
    const entries = entriesOf(drafts, reached);
    const compiled = this.#compile(entries, this.#previous);
    this.#previous = compiled;
    const broken = new Map<string, Finding[]>();
    for (const finding of compiled.findings) {
      if (finding.severity !== 'error') continue;
      const list = broken.get(finding.object);
      if (list === undefined) broken.set(finding.object, [finding]);
      else list.push(finding);
    }
    return { drafts, forced, reached, entries, compiled, broken };
  }

  /** The same with stable's version of everything that changed. */
  withoutChanges(trial: Trial): Trial {
    const changed = [...trial.drafts.values()].filter(isChanged);
    if (changed.length === 0) return trial;
    const first = [...trial.broken.values()].flat().slice(0, 1);
    const forced = new Map(trial.forced);
    for (const draft of changed) {
      const findings = first.map(({ object, message, reason }) =>
        errorAt(
          draft.id,
          '',
          reason,
          `with this version ${object === '' ? 'the document' : object} breaks: ${message}`,
        ),
      );
      forced.set(draft.id, forcedBack(draft, findings));
    }
    return this.run(forced);
  }

  /** Lets the changes that `base` lacks in again, by halves, but for those that break it. */
  admit(base: Trial, trial: Trial): Trial {
    let best = base;
    const groups = [[...base.forced.keys()].filter((id) => !trial.forced.has(id))];
    for (let group = groups.pop(); group !== undefined && this.left > 0; group = groups.pop()) {
      const next = new Map(best.forced);
      for (const id of group) next.delete(id);
      const attempt = this.run(next);
      if (attempt.broken.size === 0) best = attempt;
      else if (group.length > 1) {
        const half = Math.ceil(group.length / 2);
        groups.push(group.slice(half), group.slice(0, half));
      }
    }
    return best;
  }
}

/**
 * Rounds without the compiler. There is an end: each takes objects back, and brings none forward but those whose stable
 * version turned out to be worth nothing, once each.
 */
function decide(context: Context, given: ForcedObjects): { drafts: Drafts; forced: ForcedObjects } {
  const forced = new Map(given);
  const asNew = new Set<string>();
  for (;;) {
    const drafts = draftAll(context, forced);
    let isSettled = true;
    for (const draft of drafts.values()) {
      const { id, fragment } = draft;
      if (forced.get(id)?.why === 'Unresolved' && fragment === null) {
        // Nothing of stable's version is permitted any more: that leaves an object which is as good as new.
        asNew.add(id);
        forced.delete(id);
        isSettled = false;
        continue;
      }
      const why = reasonToKeep(context, draft, asNew);
      if (why === undefined) continue;
      forced.set(id, { why, desired: fragment?.digest ?? null, findings: [], drop: false });
      isSettled = false;
    }
    if (isSettled) return { drafts, forced };
  }
}

function reasonToKeep(context: Context, draft: Draft, asNew: ReadonlySet<string>): 'Held' | 'Unresolved' | undefined {
  if (!isChanged(draft)) return undefined;
  if (draft.fragment !== null && context.holds.get(draft.id)?.has(draft.fragment.digest) === true) return 'Held';
  // A new object has nothing to fall back to: it is taken as it is, and answers 503 where its reference is needed.
  const isNew = draft.stable === undefined || asNew.has(draft.id);
  return draft.unresolved.length > 0 && !isNew ? 'Unresolved' : undefined;
}

/** An object that contributes nothing leaves no trace in stable, so that is no difference. */
const NOTHING = fragmentOf('', []).digest;

/** Whether the current version is used, and differs from stable's. */
function isChanged(draft: Draft | undefined): boolean {
  if (draft?.used !== 'current') return false;
  return (draft.fragment?.digest ?? NOTHING) !== (draft.stable?.digest ?? NOTHING);
}

function forcedBack(draft: Draft | undefined, findings: readonly Finding[]): Forced {
  return { why: 'Compile', desired: draft?.fragment?.digest ?? null, findings, drop: false };
}

function hasNewDrops(next: ForcedObjects, before: ForcedObjects): boolean {
  return [...next].some(([id, { drop }]) => drop && before.get(id)?.drop !== true);
}
