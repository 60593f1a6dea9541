/** Turns the draft that the policies leave into a decision: thresholds and memory for a head, a time to wake for none. */
import type { Digest } from '../../proxy/contract/canonical.ts';
import { ringPosition, type Candidate, type Head } from '../../proxy/contract/head.ts';
import { memoryOf, stageKey } from './memory.ts';
import { knownStable, type Draft } from './draft.ts';
import type { Facts } from './facts.ts';
import { cohortOf } from './fleet.ts';
import { heldObjects, rangesOf } from './holds.ts';
import { pollIntervalMs, stageAt, thresholdFor } from './share.ts';
import type { HeadState, RolloutDecision, RolloutMemory, RolloutSpec, RolloutView } from './types.ts';

export function conclude(facts: Facts, draft: Draft): RolloutDecision {
  const view = viewOf(facts, draft);
  if (!draft.publish) return { kind: 'Wait', memory: goOn(facts), wakeAtMs: wakeAtMs(facts, draft), view };
  const { candidate } = draft.state;
  const shared = candidate === undefined ? undefined : withShare(facts, candidate);
  const state = shared === undefined ? draft.state : { ...draft.state, candidate: shared };
  return {
    kind: 'Publish',
    state,
    bundles: toStore(facts, state),
    audit: draft.audit,
    memory: shared === undefined ? null : begin(facts, shared),
    view,
  };
}

/** Bundles whose fragments a decision needs: `RolloutInput.bundles` must tell of each. */
export function bundlesNamed(head: Head | null, spec: RolloutSpec | null): readonly Digest[] {
  if (head === null) return [];
  const pin = spec?.pin ?? null;
  const pinnable = pin !== null && knownStable(head).has(pin) ? [pin] : [];
  return [...new Set([...namedBy(head), ...pinnable])];
}

function namedBy(state: HeadState): ReadonlySet<Digest> {
  const candidate = state.candidate === undefined ? [] : [state.candidate.digest];
  return new Set([state.stable.digest, ...candidate, ...rangesOf(state).flatMap(({ from, to }) => [from, to])]);
}

/** Bundles that the head names for the first time, and those that the store lost and that were made again. */
function toStore({ head, input }: Facts, state: HeadState): readonly Digest[] {
  const stored = namedBy(head);
  const made = new Set([...input.assemblies.values()].map(({ digest }) => digest));
  return [...namedBy(state)].filter(
    (digest) => !stored.has(digest) || (input.bundles.get(digest) === null && made.has(digest)),
  );
}

/** The candidate with the time it has had, and the threshold for the members of now. */
function withShare(facts: Facts, candidate: Candidate): Candidate {
  const { members } = facts.input;
  const isSame = candidate === facts.head.candidate;
  const timed = isSame
    ? { ...candidate, bakedMs: Math.floor(facts.clock.bakedMs), waitedMs: Math.floor(facts.clock.waitedMs) }
    : candidate;
  if (members === null) return timed;
  return { ...timed, threshold: thresholdFor(candidate, stageAt(facts.spec, candidate.stage), members) };
}

/** Memory of a head that was just published. */
function begin({ input, nowMs }: Facts, candidate: Candidate): RolloutMemory | null {
  if (input.members === null) return null;
  return {
    stageKey: stageKey(candidate),
    atMs: nowMs,
    bakedMs: candidate.bakedMs,
    waitedMs: candidate.waitedMs,
    sincePublishedMs: 0,
    healthy: false,
    cohort: cohortOf(input.members, nowMs, (podUid) => ringPosition(podUid, candidate.seed) <= candidate.threshold),
  };
}

/** Memory of a head that stays as it is. */
function goOn({ input, head, clock, fleet, nowMs }: Facts): RolloutMemory | null {
  const memory = memoryOf(input, head.candidate);
  return memory === null ? null : { ...memory, ...clock, atMs: nowMs, healthy: fleet.healthy };
}

/** While a candidate is on its way: at the next poll, or when its stage may be over. Else only changes matter. */
function wakeAtMs({ input, head, spec, clock, fleet, nowMs }: Facts, { blocked }: Draft): number | null {
  const pollMs = pollIntervalMs(input.members);
  if (head.candidate === undefined) return blocked?.reason === 'Returning' ? nowMs + pollMs : null;
  const leftMs = stageAt(spec, head.candidate.stage).bakeTimeMs - clock.bakedMs;
  return nowMs + (fleet.healthy && leftMs > 0 ? Math.min(leftMs, pollMs) : pollMs);
}

function viewOf(facts: Facts, { state, blocked, upToDate, findings }: Draft): RolloutView {
  const { fleet, head, spec, input } = facts;
  return {
    proxies: fleet.counts,
    stage: head.candidate === undefined ? null : stageView(spec, head.candidate),
    baking: fleet.healthy,
    noCanary: fleet.serving === 1,
    refusal: fleet.refusal,
    held: facts.stable === null ? [] : heldObjects(state, facts.world),
    blocked,
    upToDate,
    gates: input.gates,
    findings,
  };
}

/** Past the last stage there is one more, unless that takes the whole fleet already. */
function stageView(spec: RolloutSpec, candidate: Candidate): RolloutView['stage'] {
  const isWhole = stageAt(spec, spec.stages.length - 1).fleetPercent >= 100;
  const of = Math.max(1, isWhole ? spec.stages.length : spec.stages.length + 1);
  return { name: stageAt(spec, candidate.stage).name, number: Math.min(candidate.stage + 1, of), of };
}
