/**
 * Holds: what a failed candidate leaves behind, so that everything else proceeds.
 *
 *     candidate fails ──┬─ differed in one object ───────────────────────────────► Hold (culprit)
 *                       └─ in several ─► two ranges (suspects) ─ trial of one ─┬─ passes ─► stable
 *                                              ▲                               └─ fails ──┐
 *                                              └─── split again, or one object: Hold ◄────┘
 *
 * A range is constant in size however many objects it holds: it names two bundles and the first and last object between
 * which they differ. Nothing is held that has changed since, or that has become stable.
 */
import type { Digest } from '../../proxy/contract/canonical.ts';
import { fragmentOf } from '../../proxy/contract/fragment.ts';
import type { HeldRange, Hold } from '../../proxy/contract/head.ts';
import { limit } from '../../proxy/contract/limits.ts';
import { changedObjects, split } from './objectOrder.ts';
import type { FragmentDigests, HeadState, HeldObject, HoldSet, RolloutInput } from './types.ts';

/** What holds are resolved against. */
export interface World {
  readonly bundles: RolloutInput['bundles'];
  readonly current: FragmentDigests;
  readonly stable: FragmentDigests;
}

export function rangesOf(state: HeadState): readonly HeldRange[] {
  return state.heldRanges ?? [];
}

export function suspectsOf(state: HeadState): readonly HeldRange[] {
  return rangesOf(state).filter((range) => range.state === 'Suspect');
}

/** All objects of a range, in the order of splitting, whether or not they changed since. None when a bundle was lost. */
export function membersOf(range: HeldRange, bundles: RolloutInput['bundles']): readonly string[] {
  const [from, to] = [bundleOf(bundles, range.from), bundleOf(bundles, range.to)];
  if (from === null || to === null) return [];
  const changed = changedObjects(from, to);
  const first = changed.indexOf(range.first);
  return first < 0 ? [] : changed.slice(first, changed.indexOf(range.last) + 1);
}

/** Fragments of a bundle that the head names; null when the store lost it. Not even looked up is a programming error. */
export function bundleOf(bundles: RolloutInput['bundles'], digest: Digest): FragmentDigests | null {
  const fragments = bundles.get(digest);
  if (fragments === undefined) throw new TypeError(`the bundle ${digest} was not looked up`);
  return fragments;
}

/** What a range keeps out at present. */
export function heldByRange(range: HeldRange, world: World): HeldObject[] {
  const to = bundleOf(world.bundles, range.to);
  return membersOf(range, world.bundles)
    .filter((object) => isEffective({ object, digest: to?.get(object) ?? null }, world))
    .map((object) => heldObject(object, range, world));
}

/** As assembly knows it: by the digest of what the object asks for at present. */
function heldObject(
  object: string,
  { state, reason, since }: Pick<HeldRange, 'state' | 'reason' | 'since'>,
  world: World,
): HeldObject {
  return { object, digest: world.current.get(object) ?? null, state, reason, since };
}

/** An object may contribute nothing, and leaves no trace in a bundle then: no difference to one that is gone. */
const NOTHING = fragmentOf('', []).digest;

function traceOf(fragments: FragmentDigests, object: string): Digest | null {
  const digest = fragments.get(object);
  return digest === undefined || digest === NOTHING ? null : digest;
}

/** A hold has an effect while its object still asks for that fragment, and stable has another. */
export function isEffective({ object, digest }: Pick<Hold, 'object' | 'digest'>, world: World): boolean {
  return traceOf(world.current, object) === digest && traceOf(world.stable, object) !== digest;
}

/** Everything that is held at present: culprits first, then ranges as they stand in the head. */
export function heldObjects(state: HeadState, world: World): HeldObject[] {
  const culprits = state.holds
    .filter((hold) => isEffective(hold, world))
    .map((hold) => heldObject(hold.object, { ...hold, state: 'Culprit' }, world));
  return [...culprits, ...rangesOf(state).flatMap((range) => heldByRange(range, world))];
}

export function holdSetOf(held: readonly Pick<HeldObject, 'object' | 'digest'>[]): HoldSet {
  return new Map(held.map(({ object, digest }) => [object, digest]));
}

/** Keeps out every present difference from stable but for the objects of a range: so a trial is about nothing else. */
export function holdsOfTrial(range: HeldRange, world: World): HoldSet {
  const lifted = new Set(heldByRange(range, world).map(({ object }) => object));
  const others = changedObjects(world.stable, world.current).filter((object) => !lifted.has(object));
  return new Map(others.map((object) => [object, world.current.get(object) ?? null]));
}

/** All holds but those of a range. */
export function holdsWithout(group: number, state: HeadState, world: World): HoldSet {
  const ranges = rangesOf(state).filter((range) => range.group !== group);
  return holdSetOf(heldObjects({ ...state, heldRanges: [...ranges] }, world));
}

/** What failed, and in which candidates. */
export interface Blame {
  /** In the order of splitting. */
  readonly objects: readonly string[];
  /** Bundles in whose difference the objects lie. */
  readonly from: Digest;
  readonly to: Digest;
  readonly fragments: FragmentDigests;
  readonly failedIn: Digest;
  readonly reason: string;
  readonly nowMs: number;
}

/** Holds one object as a culprit, several as two ranges of suspects. */
export function holdFailed(state: HeadState, blame: Blame): HeadState {
  if (blame.objects.length === 0) return state;
  if (blame.objects.length === 1) return holdCulprits(state, blame);
  const parts = split(blame.objects);
  return withRanges(
    state,
    parts.map((part) => ({ part, state: 'Suspect' as const })),
    blame,
  );
}

/** Holds all objects as culprits, each by itself as far as there is room, else as one range. */
export function holdCulprits(state: HeadState, blame: Blame): HeadState {
  const most = limit('headListEntries');
  const named = new Set(blame.objects);
  const others = state.holds.filter(({ object }) => !named.has(object));
  if (blame.objects.length > 1 && others.length + blame.objects.length > most) {
    return withRanges(state, [{ part: blame.objects, state: 'Culprit' }], blame);
  }
  const culprits = blame.objects.map((object): Hold => ({
    object,
    digest: blame.fragments.get(object) ?? null,
    reason: blame.reason,
    since: blame.nowMs,
    failedIn: blame.to === blame.failedIn ? [blame.to] : [blame.to, blame.failedIn],
  }));
  // With no room left the oldest is let go: it fails again, and is held again.
  return { ...state, holds: [...others, ...culprits].slice(-most) };
}

function withRanges(
  state: HeadState,
  parts: readonly { readonly part: readonly string[]; readonly state: HeldRange['state'] }[],
  blame: Blame,
): HeadState {
  const ranges = rangesOf(state);
  const group = Math.max(-1, ...ranges.map((range) => range.group)) + 1;
  const added = parts.map(({ part, state: kind }, index): HeldRange => ({
    group: group + index,
    state: kind,
    from: blame.from,
    to: blame.to,
    first: part.at(0) ?? '',
    last: part.at(-1) ?? '',
    reason: blame.reason,
    since: blame.nowMs,
    failedIn: blame.failedIn,
  }));
  // The newest parts are tried first: depth first keeps the list as short as the logarithm of its objects.
  return { ...state, heldRanges: [...added, ...ranges].slice(0, limit('heldRanges')) };
}

export function withoutRange(state: HeadState, group: number): HeadState {
  return replaceRanges(
    state,
    rangesOf(state).filter((range) => range.group !== group),
  );
}

/** Sets the ranges; none at all is an absent list, so that equal states have equal bytes. */
export function replaceRanges(state: HeadState, ranges: readonly HeldRange[]): HeadState {
  const { heldRanges: _, ...rest } = state;
  return ranges.length === 0 ? rest : { ...rest, heldRanges: [...ranges] };
}
