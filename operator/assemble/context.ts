/** What an assembly looks at again and again, gathered once. */
import type { Digest } from '../../proxy/contract/canonical.ts';
import type { Fragment } from '../../proxy/contract/fragment.ts';
import { grantCheck, type GrantCheck } from '../govern/grants.ts';
import { objectId, splitObjectId } from '../objects/objects.ts';
import type { FleetRules, Translation } from '../translate/types.ts';
import { routeOf } from './routes.ts';
import type { AssembleInput } from './types.ts';

export interface Context {
  readonly input: AssembleInput;
  /** Id of the fleet's ProxyRollout. */
  readonly rollout: string;
  /** Null where there is no ProxyRollout, or the part of it that grants access is invalid. */
  readonly rules: FleetRules | null;
  /** Ids of the fleet's routes, current or in stable. */
  readonly routes: readonly string[];
  /** Ids of pools and policies, and of the rollout. */
  readonly others: readonly string[];
  readonly isGranted: GrantCheck;
  /** Namespaces that answer for a host in stable. */
  readonly currentOwners: ReadonlyMap<string, ReadonlySet<string>>;
  /** Route that answers a cell (see routes.ts) in stable. */
  readonly currentCells: ReadonlyMap<string, string>;
  readonly holds: ReadonlyMap<string, ReadonlySet<Digest | null>>;
}

export function contextOf(input: AssembleInput): Context {
  const [namespace = '', name = ''] = input.fleet.split('/');
  const rollout = objectId('ProxyRollout', namespace, name);
  const before = stableStateOf(input.stable);
  const routes = new Set(before.routes);
  const others = new Set(before.others).add(rollout);
  for (const translation of input.translations.values()) {
    if (translation.kind === 'ProxyRoute') {
      if (fleetOf(input, translation) === input.fleet) routes.add(translation.id);
    } else if (translation.kind !== 'ProxyRollout') others.add(translation.id);
  }
  return {
    input,
    rollout,
    rules: input.translations.get(rollout)?.rules ?? null,
    routes: [...routes],
    others: [...others],
    isGranted: grantCheck(input.objects.ReferenceGrant.values()),
    currentOwners: before.currentOwners,
    currentCells: before.currentCells,
    holds: holdsByObject(input),
  };
}

/** The fleet that a route belongs to, or null. */
export function fleetOf(input: AssembleInput, route: Translation): string | null {
  return route.fleet ?? input.defaultFleet;
}

/** The current version of an object, if this fleet takes it; a route that moved to another fleet is gone here. */
export function currentOf(context: Context, id: string): Translation | undefined {
  const translation = context.input.translations.get(id);
  if (translation?.kind === 'ProxyRoute' && fleetOf(context.input, translation) !== context.input.fleet)
    return undefined;
  return translation;
}

interface StableState extends Pick<Context, 'currentOwners' | 'currentCells'> {
  readonly routes: ReadonlySet<string>;
  readonly others: ReadonlySet<string>;
}

/** Stable changes seldom, and is then another map. */
const knownStates = new WeakMap<ReadonlyMap<string, Fragment>, StableState>();

function stableStateOf(stable: ReadonlyMap<string, Fragment>): StableState {
  let state = knownStates.get(stable);
  if (state === undefined) knownStates.set(stable, (state = makeStableState(stable)));
  return state;
}

function makeStableState(stable: ReadonlyMap<string, Fragment>): StableState {
  const routes = new Set<string>();
  const others = new Set<string>();
  const currentOwners = new Map<string, Set<string>>();
  const currentCells = new Map<string, string>();
  for (const [id, fragment] of stable) {
    const { kind, namespace } = splitObjectId(id);
    (kind === 'ProxyRoute' ? routes : others).add(id);
    const route = routeOf(fragment);
    if (route === undefined) continue;
    for (const host of route.hosts) {
      const owners = currentOwners.get(host);
      if (owners === undefined) currentOwners.set(host, new Set([namespace]));
      else owners.add(namespace);
    }
    for (const { key } of route.cells) currentCells.set(key, id);
  }
  return { routes, others, currentOwners, currentCells };
}

function holdsByObject({ holds }: AssembleInput): Map<string, Set<Digest | null>> {
  const byObject = new Map<string, Set<Digest | null>>();
  for (const { object, digest } of holds) {
    const digests = byObject.get(object);
    if (digests === undefined) byObject.set(object, new Set([digest]));
    else digests.add(digest);
  }
  return byObject;
}
