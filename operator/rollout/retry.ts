/** A retry by name: what failed may run once more. */
import type { Digest } from '../../proxy/contract/canonical.ts';
import type { HeldRange, Hold } from '../../proxy/contract/head.ts';
import { limit } from '../../proxy/contract/limits.ts';
import { change, record, withoutRejection, type Draft } from './draft.ts';
import type { Facts } from './facts.ts';
import { membersOf, rangesOf, replaceRanges } from './holds.ts';
import type { HeadState, RolloutRequest } from './types.ts';

/** Lifts the holds that a request names, by the digest that failed or by object, and forgets the rejections behind them. */
export function retry(facts: Facts, draft: Draft, request: RolloutRequest): Draft {
  const { digest, objects } = request;
  const lifted = digest === null ? liftObjects(facts, draft.state, objects) : liftDigest(draft.state, digest);
  const recorded = record(facts, draft, {
    action: 'Release',
    reason: 'Retry',
    message: 'held objects are tried again by spec.request',
    actor: 'spec.request',
    ...(digest === null ? { objects } : { digest }),
  });
  return { ...change(recorded, lifted), retried: true };
}

function liftDigest(state: HeadState, digest: Digest): HeadState {
  const holds = state.holds.filter(({ failedIn }) => failedIn.includes(digest));
  const ranges = rangesOf(state).filter(({ to, failedIn }) => to === digest || failedIn === digest);
  return lift(state, holds, ranges, [], [digest]);
}

/** Objects that are held by themselves are lifted; out of a range they are cut. */
function liftObjects(facts: Facts, state: HeadState, objects: readonly string[]): HeadState {
  const wanted = new Set(objects);
  const holds = state.holds.filter(({ object }) => wanted.has(object));
  const cut = rangesOf(state).flatMap((range) => {
    const members = membersOf(range, facts.world.bundles);
    return members.some((object) => wanted.has(object)) ? [{ range, members }] : [];
  });
  let group = Math.max(-1, ...rangesOf(state).map((range) => range.group)) + 1;
  const remains = cut.flatMap(({ range, members }) =>
    stretches(members, wanted).map((part) => ({
      ...range,
      group: group++,
      first: part.at(0) ?? range.first,
      last: part.at(-1) ?? range.last,
    })),
  );
  return lift(
    state,
    holds,
    cut.map(({ range }) => range),
    remains,
    [],
  );
}

/** What is left of a list in one piece each, without the objects that are taken out. */
function stretches(members: readonly string[], without: ReadonlySet<string>): string[][] {
  const parts: string[][] = [[]];
  for (const object of members) {
    if (without.has(object)) parts.push([]);
    else parts.at(-1)?.push(object);
  }
  return parts.filter((part) => part.length > 0);
}

function lift(
  state: HeadState,
  holds: readonly Hold[],
  ranges: readonly HeldRange[],
  remains: readonly HeldRange[],
  digests: readonly Digest[],
): HeadState {
  const forgiven = new Set([
    ...digests,
    ...holds.flatMap(({ failedIn }) => failedIn),
    ...ranges.flatMap(({ to, failedIn }) => [to, failedIn]),
  ]);
  const kept = rangesOf(state).filter((range) => !ranges.includes(range));
  const cleared = withoutRejection({ ...state, holds: state.holds.filter((hold) => !holds.includes(hold)) }, forgiven);
  // A range in many pieces may find no room; what is left of it is then tried along.
  return replaceRanges(cleared, [...kept, ...remains].slice(0, limit('heldRanges')));
}
