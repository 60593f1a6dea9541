import type { Digest } from '../../../proxy/contract/canonical.ts';
import { limit } from '../../../proxy/contract/limits.ts';
import { holdKey } from '../assemblies.ts';
import { longestGapMs } from '../clock.ts';
import { assemble, block, change, done, isRecent, next, rejectionOf, startCandidate } from '../draft.ts';
import type { Draft, Step } from '../draft.ts';
import type { Facts } from '../facts.ts';
import { heldObjects, holdSetOf, isEffective, rangesOf, replaceRanges, suspectsOf } from '../holds.ts';
import { changedObjects } from '../objectOrder.ts';
import { blameChange, hold } from '../rollBack.ts';
import { tryHeld } from '../trial.ts';
import type { AssembledBundle, FragmentDigests } from '../types.ts';
import { isPinnable } from './pinned.ts';

/** Begins the next rollout: the pin, or what the objects ask for, or a trial of what is held. */
export function started(facts: Facts, draft: Draft): Step {
  if (draft.state.candidate !== undefined) return next(draft);
  if (facts.spec.pin !== null) return startPin(facts, draft);
  const holds = holdSetOf(facts.stable === null ? [] : heldObjects(draft.state, facts.world));
  const base = facts.input.assemblies.get(holdKey(holds));
  if (base === undefined) return assemble(holds);
  if (facts.stable === null) {
    return next(block(draft, 'StableLost', 'the store lost the stable bundle, and the objects have changed'));
  }
  const changed = base.digest !== draft.state.stable.digest;
  if (!changed && suspectsOf(draft.state).length === 0) return next({ ...draft, upToDate: holds.size === 0 });
  if (facts.spec.paused) return next(block(draft, 'Paused', 'changes wait for the end of spec.paused'));
  if (facts.input.members === null) return next(block(draft, 'MembersUnknown', 'the proxies are not known yet'));
  if (areReturning(facts, draft)) return next(block(draft, 'Returning', 'proxies still run what was rejected'));
  return startEither(facts, draft, facts.stable, base);
}

/**
 * After a failure the proxies return to stable before anything else is tried: one that refuses the next candidate keeps what
 * it runs. They get a few polls for it (as do those that do not answer), so that one that cannot does not hold up the fleet.
 */
function areReturning({ fleet, nowMs, input }: Facts, { state }: Draft): boolean {
  const [last] = state.rejected;
  if (last === undefined || (fleet.returning === 0 && fleet.counts.unknown === 0)) return false;
  return nowMs >= last.at && nowMs - last.at < longestGapMs(input);
}

/** Changes and trials take turns, so that neither waits for the other for long. */
function startEither(facts: Facts, draft: Draft, stable: FragmentDigests, base: AssembledBundle): Step {
  const last = draft.state.history.find(({ outcome }) => outcome !== 'Superseded')?.cause;
  const afterChange = last === 'Change' || last === 'Rollback' || isCrowded(draft);
  const change = (from: Draft) => startChange(facts, from, stable, base);
  const trial = (from: Draft) => tryHeld(facts, from, base);
  const [first, second] = afterChange ? [trial, change] : [change, trial];
  const step = first(draft);
  return step.kind === 'Next' ? second(step.draft) : step;
}

function startPin(facts: Facts, draft: Draft): Step {
  const { pin } = facts.spec;
  if (pin === null) return next(draft);
  if (pin === draft.state.stable.digest) return next({ ...draft, upToDate: true });
  if (!isPinnable(facts, draft)) return next(block(draft, 'Pinned', 'changes wait: spec.pin names an unknown digest'));
  const waits = reasonToWait(facts, draft, pin);
  if (waits !== null) return next(waits);
  const fragments = facts.world.bundles.get(pin);
  if (facts.input.members === null || fragments === null || fragments === undefined) return next(draft);
  const objects = facts.stable === null ? [] : changedObjects(facts.stable, fragments);
  const skipStages = isRecent(draft.state, pin, facts.spec);
  return done(startCandidate(facts, draft, { digest: pin, cause: 'Pin', objects, skipStages, actor: 'spec.pin' }));
}

/** A digest that was rejected waits for a retry; one that stalled for that, or for every proxy to be known again. */
function reasonToWait(facts: Facts, draft: Draft, digest: Digest): Draft | null {
  const rejection = rejectionOf(draft.state, digest);
  if (rejection !== undefined) return block(draft, 'Rejected', `this digest was rejected: ${rejection.reason}`);
  const last = draft.state.history.find(({ outcome }) => outcome !== 'Superseded');
  const stalled = last?.outcome === 'Stalled' && last.digest === digest;
  if (!stalled || facts.fleet.everyoneKnown || draft.retried) return null;
  return block(draft, 'Stalled', `${last.message}; it waits until every proxy answers and is ready`);
}

function startChange(facts: Facts, draft: Draft, stable: FragmentDigests, base: AssembledBundle): Step {
  const { digest, fragments } = base;
  if (digest === draft.state.stable.digest) return next(draft);
  if (digest === null) return next(block(draft, 'Unpublishable', base.problem ?? 'no bundle can be made of it'));
  if (isCrowded(draft)) return makeRoom(draft);
  const rejection = rejectionOf(draft.state, digest);
  if (rejection !== undefined) {
    const step = holdRejected(facts, draft, stable, { digest, fragments }, rejection.reason);
    if (step !== null) return step;
  }
  const waits = reasonToWait(facts, draft, digest);
  if (waits !== null) return next(waits);
  const recent = isRecent(draft.state, digest, facts.spec);
  const objects = changedObjects(stable, fragments);
  return done(
    startCandidate(facts, draft, { digest, cause: recent ? 'Rollback' : 'Change', objects, skipStages: recent }),
  );
}

/**
 * Content that failed before has failed again, without troubling a proxy: its objects are held and split. Null when holding
 * them would change nothing.
 */
function holdRejected(
  facts: Facts,
  draft: Draft,
  stable: FragmentDigests,
  failed: { readonly digest: Digest; readonly fragments: FragmentDigests },
  reason: string,
): Step | null {
  const blame = blameChange(facts, stable, failed, reason);
  const canHold = (object: string) =>
    isEffective({ object, digest: failed.fragments.get(object) ?? null }, facts.world);
  return blame.objects.some(canHold) ? done(hold(facts, draft, blame, undefined)) : null;
}

/** Another failure might find no room for its ranges, or name more bundles than an operator should load. */
function isCrowded({ state }: Draft): boolean {
  const ranges = rangesOf(state);
  const bundles = new Set(ranges.flatMap(({ from, to }) => [from, to]));
  return ranges.length + 2 > limit('heldRanges') || bundles.size + 2 > limit('heldBundles');
}

/** Suspects make room by their trials. Where there are none left, the oldest of what was aborted is let go. */
function makeRoom(draft: Draft): Step {
  const ranges = rangesOf(draft.state);
  if (ranges.some(({ state }) => state === 'Suspect')) {
    return next(block(draft, 'TooManyHolds', 'changes wait until held objects are isolated'));
  }
  return done(change(draft, replaceRanges(draft.state, ranges.slice(0, -1))));
}
