/**
 * What of a route is permitted, whichever of its versions is used: so that a revoked grant, a lost host or a lost
 * namespace acts at once, and no last accepted version outlives its permission.
 */
import type { RouteDoc } from '../../proxy/contract/document/routes.ts';
import { fragmentOf, type Fragment } from '../../proxy/contract/fragment.ts';
import { lostHosts, type HostUser, type LostHost } from '../govern/hosts.ts';
import { allowsNamespace } from '../govern/namespaces.ts';
import { objectKey } from '../objects/objects.ts';
import type { FleetRules } from '../translate/types.ts';
import type { Context } from './context.ts';
import type { Draft } from './draft.ts';
import { routeOf, withoutHosts } from './routes.ts';

/** Pool of a route that may not name its own. No pool of an operator has an id without a slash, so it always answers 503. */
const NOT_PERMITTED_POOL = 'not-permitted';

/** Takes away namespaces, hosts and pools that are not permitted. */
export function permitRoutes(context: Context, routes: readonly Draft[]): void {
  const { rules } = context;
  if (rules !== null) {
    const isAllowed = namespaceCheck(context, rules);
    for (const draft of routes) checkNamespace(context, draft, isAllowed);
    const users = routes.flatMap(hostUser);
    const lost = lostHosts(users, { claims: rules.hostClaims, currentOwners: context.currentOwners });
    for (const draft of routes) loseHosts(draft, lost.get(draft.id) ?? []);
  }
  for (const draft of routes) {
    if (draft.fragment !== null) draft.fragment = withPermittedPool(context, draft, draft.fragment);
  }
}

/** Older than every other: what is gone but kept loses nothing to what is there. */
const GONE_AT_MS = Number.NEGATIVE_INFINITY;
const AGELESS_AT_MS = Number.POSITIVE_INFINITY;

/** Unix milliseconds that say who is older. */
export function ageOf({ translation }: Draft): number {
  return translation === undefined ? GONE_AT_MS : (translation.createdAtMs ?? AGELESS_AT_MS);
}

/** Replaces the route of a fragment. */
export function withRoute(fragment: Fragment, value: RouteDoc): Fragment {
  return fragmentOf(
    fragment.object,
    fragment.entries.map((entry) => (entry.section === 'routes' ? { ...entry, value } : entry)),
  );
}

/** Whether the fleet takes routes from a namespace; each is looked at once. */
function namespaceCheck({ input }: Context, { allowedNamespaces }: FleetRules): (namespace: string) => boolean {
  const [fleetNamespace = ''] = input.fleet.split('/');
  const known = new Map<string, boolean>();
  return (namespace) => {
    let isAllowed = known.get(namespace);
    if (isAllowed === undefined) {
      const labels = input.objects.Namespace.get(objectKey('', namespace))?.object.metadata.labels;
      isAllowed = allowsNamespace(allowedNamespaces, fleetNamespace, namespace, labels);
      known.set(namespace, isAllowed);
    }
    return isAllowed;
  };
}

function checkNamespace({ input }: Context, draft: Draft, isAllowed: (namespace: string) => boolean): void {
  if (draft.fragment === null || isAllowed(draft.namespace)) return;
  draft.losses.push({
    reason: 'NamespaceNotAllowed',
    path: 'metadata.namespace',
    message: `fleet ${input.fleet} takes no routes from namespace ${draft.namespace} (spec.fleet.allowedNamespaces)`,
  });
  draft.fragment = null;
}

function hostUser(draft: Draft): HostUser[] {
  const route = draft.fragment === null ? undefined : routeOf(draft.fragment);
  if (route === undefined) return [];
  const { id, namespace } = draft;
  return [{ object: id, namespace, createdAtMs: ageOf(draft), hosts: route.hosts }];
}

function loseHosts(draft: Draft, lost: readonly LostHost[]): void {
  const route = draft.fragment === null ? undefined : routeOf(draft.fragment);
  if (draft.fragment === null || route === undefined || lost.length === 0) return;
  for (const { host, reason, message } of lost) {
    draft.losses.push({ reason, path: hostPath(draft, host), message });
  }
  const value = withoutHosts(route.value, new Set(lost.map(({ host }) => host)));
  draft.fragment = value === undefined ? null : withRoute(draft.fragment, value);
}

/** Where the current spec names a host; `spec.hosts` where only an earlier version did. */
function hostPath({ translation }: Draft, host: string): string {
  const spec = (translation?.object.spec ?? {}) as { hosts?: unknown; hostRegexes?: unknown };
  for (const [field, value] of [['hosts', spec.hosts] as const, ['hostRegexes', spec.hostRegexes] as const]) {
    const index = Array.isArray(value) ? value.findIndex((text) => text === host || `(?:${text})` === host) : -1;
    if (index >= 0) return `spec.${field}[${index}]`;
  }
  return 'spec.hosts';
}

function withPermittedPool({ isGranted }: Context, { kind, namespace }: Draft, fragment: Fragment): Fragment {
  const route = routeOf(fragment);
  const pool = route?.pool;
  if (route === undefined || pool === undefined || pool.id === NOT_PERMITTED_POOL) return fragment;
  if (pool.namespace === namespace) return fragment;
  const to = { toKind: 'UpstreamPool', toNamespace: pool.namespace, toName: pool.name };
  if (isGranted({ fromKind: kind, fromNamespace: namespace, ...to })) return fragment;
  return withRoute(fragment, { ...route.value, pool: NOT_PERMITTED_POOL });
}
