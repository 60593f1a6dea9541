/** What an assembly looks at again and again, gathered once. */
import type { Digest } from '../../proxy/contract/canonical.ts';
import type { Fragment } from '../../proxy/contract/fragment.ts';
import { grantCheck, type GrantCheck } from '../govern/grants.ts';
import { objectId, splitObjectId } from '../objects/objects.ts';
import type { FleetRules, Translation } from '../translate/types.ts';
import { routeCells, routeOf } from './routes.ts';
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
  const routes = new Set<string>();
  const others = new Set<string>([rollout]);
  for (const translation of input.translations.values()) {
    if (translation.kind === 'ProxyRoute') {
      if (fleetOf(input, translation) === input.fleet) routes.add(translation.id);
    } else if (translation.kind !== 'ProxyRollout') others.add(translation.id);
  }
  for (const id of input.stable.keys()) {
    const { kind } = splitObjectId(id);
    if (kind === 'ProxyRoute') routes.add(id);
    else others.add(id);
  }
  return {
    input,
    rollout,
    rules: input.translations.get(rollout)?.rules ?? null,
    routes: [...routes].sort(),
    others: [...others].sort(),
    isGranted: grantCheck(input.objects.ReferenceGrant.values()),
    ...currentState(input.stable.values()),
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

function currentState(stable: Iterable<Fragment>): Pick<Context, 'currentOwners' | 'currentCells'> {
  const currentOwners = new Map<string, Set<string>>();
  const currentCells = new Map<string, string>();
  for (const fragment of stable) {
    const route = routeOf(fragment);
    if (route === undefined) continue;
    const { namespace } = splitObjectId(fragment.object);
    for (const host of route.value.hosts ?? []) {
      const owners = currentOwners.get(host);
      if (owners === undefined) currentOwners.set(host, new Set([namespace]));
      else owners.add(namespace);
    }
    for (const { key } of routeCells(route.value)) currentCells.set(key, fragment.object);
  }
  return { currentOwners, currentCells };
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
