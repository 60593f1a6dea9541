/** Objects and assemblies for tests. */
import { fragmentsOf, type Fragment } from '../../proxy/contract/fragment.ts';
import { buildObjectSet } from '../objects/objectSet.ts';
import type { AnyObject, OwnKind, OwnObject } from '../objects/objects.ts';
import { translateAll } from '../translate/translate.ts';
import { assemble } from './assemble.ts';
import type { AssembleInput, Assembly } from './types.ts';

const FLEET = 'edge/main';

/** An object of ours; `id` is `namespace/name`. */
export function own<K extends OwnKind>(kind: K, id: string, spec: unknown, createdAt?: string): OwnObject<K> {
  const [namespace = '', name = ''] = id.split('/');
  const metadata = { namespace, name, ...(createdAt === undefined ? {} : { creationTimestamp: createdAt }) };
  return { apiVersion: 'modernproxy.io/v1alpha1', kind, metadata, spec };
}

/** A fleet that takes routes from every namespace. */
export const OPEN_FLEET = own('ProxyRollout', FLEET, { fleet: { allowedNamespaces: { from: 'All' } } });

/** A pool with one endpoint. */
export function pool(id: string, address = '10.0.0.1:80'): OwnObject<'UpstreamPool'> {
  return own('UpstreamPool', id, { endpoints: [{ address }] });
}

/** A route of one host to the pool `web` of its namespace, unless the spec says otherwise. */
export function route(id: string, host: string, spec: object = {}, createdAt?: string): OwnObject<'ProxyRoute'> {
  return own('ProxyRoute', id, { hosts: [host], poolRef: { name: 'web' }, ...spec }, createdAt);
}

export function inputOf(
  objects: readonly AnyObject[],
  stable: ReadonlyMap<string, Fragment> = new Map(),
  change: Partial<AssembleInput> = {},
): AssembleInput {
  const { set } = buildObjectSet(
    objects.map((object) => ({ object, source: '' })),
    true,
  );
  const base = { fleet: FLEET, defaultFleet: FLEET, objects: set, translations: translateAll(set), stable, holds: [] };
  return { ...base, ...change };
}

export function assembled(
  objects: readonly AnyObject[],
  stable?: ReadonlyMap<string, Fragment>,
  change?: Partial<AssembleInput>,
): Assembly {
  return assemble(inputOf(objects, stable, change));
}

/** What a fleet remembers once an assembly became stable. */
export function stableOf({ entries }: Pick<Assembly, 'entries'>): Map<string, Fragment> {
  return fragmentsOf(entries);
}
