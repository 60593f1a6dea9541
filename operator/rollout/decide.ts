/**
 * What to do with a fleet next: a pure function of what was gathered. It carries nothing out and remembers nothing; all that a
 * rollout must remember is in the head, so any operator goes on from there.
 *
 *                            ┌────────────────── reverted, replaced, pinned: Superseded ───────────────┐
 *                            │                                                                         ▼
 *     (no head) ─ Initial ─► stable ── change, pin, trial ──► stage 0 ─ baked ─► stage 1 … ─► whole fleet ─ all ack ─► stable
 *                            ▲                                  │                   │              │               (Promoted)
 *                            ├── past the deadline: Stalled ────┼───────────────────┼──────────────┤
 *                            ├── by request: Aborted, held ─────┤                   │              │
 *                            └── refused, restarted, gate: RolledBack, held ◄───────┴──────────────┘
 *
 * A digest that was stable not long ago goes to the whole fleet at once. `paused` stops the arrows to the right, and the clock.
 */
import { holdKey } from './assemblies.ts';
import { conclude } from './conclude.ts';
import { draftOf, endCandidate, type Draft, type Policy, type Step } from './draft.ts';
import { gather, type Facts } from './facts.ts';
import { initialize } from './initialize.ts';
import { advanced } from './policies/advanced.ts';
import { failing } from './policies/failing.ts';
import { lost } from './policies/lost.ts';
import { outdated } from './policies/outdated.ts';
import { overdue } from './policies/overdue.ts';
import { pinned } from './policies/pinned.ts';
import { refreshed } from './policies/refreshed.ts';
import { requested } from './policies/requested.ts';
import { revoked } from './policies/revoked.ts';
import { started } from './policies/started.ts';
import { tidied } from './policies/tidied.ts';
import type { RolloutDecision, RolloutInput, RolloutSpec } from './types.ts';

/** In this order; the first that says `Done` ends the decision. */
const POLICIES: readonly Policy[] = [
  revoked, // permission first: nothing may serve what was taken away, healthy or not
  failing, // then harm: it needs neither assembly nor the spec, and is taken back even while paused
  requested, // then what a person asked for, which may be about the candidate as it is
  lost, // a candidate without its bundle cannot be judged by what follows
  pinned, // a pin outdoes what the objects ask for
  outdated, // a candidate that nobody asks for any more need not be waited for
  refreshed, // members of now, before the clock is believed
  overdue, // before progress: a stage that is healthy at last, but too late, has had its time
  advanced, // the normal way on
  tidied, // holds of now, before something is assembled with them
  started, // last: only where no candidate is left
];

export { bundlesNamed } from './conclude.ts';

/** The next step for a fleet. */
export function decide(input: RolloutInput): RolloutDecision {
  if (input.head === null) return initialize(input);
  const spec = input.spec ?? NOTHING_ASKED;
  const facts = gather(input, input.head, spec);
  let draft = draftOf(input.head);
  if (input.spec === null) return conclude(facts, deleted(facts, draft));
  for (const policy of POLICIES) {
    const step: Step = policy(facts, draft);
    if (step.kind === 'Assemble') return { kind: 'Assemble', key: holdKey(step.holds), holds: step.holds };
    draft = step.draft;
    if (step.kind === 'Done') break;
  }
  return conclude(facts, draft);
}

/** What stays in force of a ProxyRollout that is gone: the limits of its lists. */
const NOTHING_ASKED: RolloutSpec = {
  stages: [],
  progressDeadlineMs: 0,
  rollbackWindow: 0,
  revisionHistoryLimit: 10,
  paused: true,
  pin: null,
  request: null,
};

/** Deleting a ProxyRollout aborts its candidate; what is stable serves on. */
function deleted(facts: Facts, draft: Draft): Draft {
  const message = 'the ProxyRollout is gone';
  return endCandidate(facts, draft, { outcome: 'Aborted', reason: 'RolloutDeleted', message });
}
