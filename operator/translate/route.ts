/** ProxyRoute → a route of the document. */
import type { ProxyRouteSpec, RouteMatch } from '../../crds/proxyRoute.ts';
import { hostPlan } from '../../proxy/compiler/hosts.ts';
import type { Entry } from '../../proxy/contract/document/entries.ts';
import type { ConditionDoc, MatchDoc, RouteDoc } from '../../proxy/contract/document/routes.ts';
import { objectId, objectKey, type Meta } from '../objects/objects.ts';
import { referenceTo } from './parts.ts';
import type { Reference } from './types.ts';

/** Entries of a route whose spec was checked. Lists that are sets are sorted, so that their order makes no new version. */
export function routeEntries(meta: Meta, spec: ProxyRouteSpec): Entry[] {
  const id = objectKey(meta.namespace, meta.name);
  const matches = (spec.matches ?? []).map(matchDoc);
  const value: RouteDoc = {
    id,
    hosts: sortedSet([...(spec.hosts ?? []), ...(spec.hostRegexes ?? []).map(hostRegex)]),
    ...(matches.length === 0 ? {} : { matches }),
    pool: objectKey(spec.poolRef.namespace ?? meta.namespace, spec.poolRef.name),
    ...(spec.policyRef === undefined ? {} : { policy: objectKey(meta.namespace, spec.policyRef.name) }),
  };
  return [{ section: 'routes', id, object: objectId('ProxyRoute', meta.namespace, meta.name), value }];
}

export function routeReferences({ namespace }: Meta, { poolRef, policyRef }: ProxyRouteSpec): Reference[] {
  const pool = referenceTo('spec.poolRef', 'UpstreamPool', poolRef.namespace ?? namespace, poolRef.name);
  if (policyRef === undefined) return [pool];
  return [pool, referenceTo('spec.policyRef', 'TrafficPolicy', namespace, policyRef.name)];
}

/**
 * The fleet that a route asks for, as `namespace/name`; null for the default one. Reads specs that were not checked too:
 * an invalid route still belongs to the fleet that must report it.
 */
export function routeFleet(meta: Meta, spec: unknown): string | null {
  const ref = (spec as { fleetRef?: unknown } | null | undefined)?.fleetRef;
  if (typeof ref !== 'object' || ref === null) return null;
  const { name, namespace } = ref as { name?: unknown; namespace?: unknown };
  if (typeof name !== 'string') return null;
  return objectKey(typeof namespace === 'string' ? namespace : meta.namespace, name);
}

/** In the document, a host that could be a name or address is one; a group keeps an expression an expression. */
export function hostRegex(source: string): string {
  const plan = hostPlan(source);
  return plan.ok && plan.value.kind === 'regex' ? source : `(?:${source})`;
}

function matchDoc(match: RouteMatch): MatchDoc {
  const { path, methods = [], headers = [], queryParams = [] } = match;
  return {
    ...(path === undefined ? {} : pathDoc(path)),
    ...(methods.length === 0 ? {} : { methods: sortedSet(methods) }),
    // Header names are case-insensitive (RFC 9110 §5.1), so one spelling makes them one version.
    ...(headers.length === 0 ? {} : { headers: conditions(headers, (name) => name.toLowerCase()) }),
    ...(queryParams.length === 0 ? {} : { query: conditions(queryParams, (name) => name) }),
  };
}

function pathDoc({ type = 'PathPrefix', value }: NonNullable<RouteMatch['path']>): MatchDoc {
  switch (type) {
    case 'Exact':
      return { path: value };
    case 'PathPrefix':
      return { path_prefix: value };
    case 'RegularExpression':
      return { path_regex: value };
  }
}

type Condition = NonNullable<RouteMatch['queryParams']>[number];

function conditions(list: readonly Condition[], key: (name: string) => string): Record<string, ConditionDoc> {
  // Object.fromEntries defines own properties, so that a parameter named __proto__ is one like any other.
  return Object.fromEntries(list.map((condition) => [key(condition.name), conditionDoc(condition)]));
}

function conditionDoc({ type = 'Exact', value = '' }: Condition): ConditionDoc {
  switch (type) {
    case 'Exact':
      return value;
    case 'RegularExpression':
      return { type: 'regex', value };
    case 'Present':
      return { type: 'present' };
  }
}

function sortedSet(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}
