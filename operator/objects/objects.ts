/** Objects as they are read, from a folder or the API server: identified and bounded, but with specs nobody has checked yet. */
import type { API_VERSION, ObjectMeta } from '../../crds/kind.ts';
import type { Secret } from '../../proxy/contract/secret.ts';

/** The kinds of our own group; one object becomes one fragment. */
export const OWN_KINDS = ['ProxyRoute', 'UpstreamPool', 'TrafficPolicy', 'ProxyRollout'] as const;
export type OwnKind = (typeof OWN_KINDS)[number];

/** Metadata after it was checked: names are DNS names, a missing namespace became `default`. */
export interface Meta extends ObjectMeta {
  /** '' for kinds without namespace. */
  readonly namespace: string;
}

/** An object of ours. Its spec is hostile until `checkObject` found nothing to say. */
export interface OwnObject<K extends OwnKind = OwnKind> {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: K;
  readonly metadata: Meta;
  readonly spec?: unknown;
  readonly status?: unknown;
}

export interface NamespaceObject {
  readonly kind: 'Namespace';
  readonly metadata: Meta;
}

export interface ServiceObject {
  readonly kind: 'Service';
  readonly metadata: Meta;
  readonly type: string;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
}

/** Where a Service's requests go. Only handed on to the proxies, which check it themselves; never part of a bundle. */
export interface EndpointSliceObject {
  readonly kind: 'EndpointSlice';
  readonly metadata: Meta;
  /** As it was read, in the form of discovery.k8s.io/v1. */
  readonly manifest: Readonly<Record<string, unknown>>;
}

export interface SecretObject {
  readonly kind: 'Secret';
  readonly metadata: Meta;
  readonly type: string;
  readonly data: ReadonlyMap<string, Secret<Buffer>>;
}

/** Permission for objects of other namespaces to refer to those of its own (gateway.networking.k8s.io). */
export interface ReferenceGrantObject {
  readonly kind: 'ReferenceGrant';
  readonly metadata: Meta;
  readonly from: readonly { readonly group: string; readonly kind: string; readonly namespace: string }[];
  readonly to: readonly { readonly group: string; readonly kind: string; readonly name?: string }[];
}

/** Everything that is read, by kind. */
export interface ObjectKinds {
  ProxyRoute: OwnObject<'ProxyRoute'>;
  UpstreamPool: OwnObject<'UpstreamPool'>;
  TrafficPolicy: OwnObject<'TrafficPolicy'>;
  ProxyRollout: OwnObject<'ProxyRollout'>;
  Namespace: NamespaceObject;
  Service: ServiceObject;
  EndpointSlice: EndpointSliceObject;
  Secret: SecretObject;
  ReferenceGrant: ReferenceGrantObject;
}
export type Kind = keyof ObjectKinds;
export type AnyObject = ObjectKinds[Kind];

/** An object and where it came from: `file:line`, or '' from the API server. */
export interface Stored<T> {
  readonly object: T;
  readonly source: string;
}

/** `namespace/name`: key of an object within its kind, id of its entry in the document, name of a fleet. */
export function objectKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** `Kind/namespace/name`, as findings, fragments and heads name objects. */
export function objectId(kind: string, namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`;
}

/** The parts of an id made by `objectId`. */
export function splitObjectId(id: string): {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
} {
  const [kind = '', namespace = '', name = ''] = id.split('/');
  return { kind, namespace, name };
}

export function isOwnKind(kind: string): kind is OwnKind {
  return (OWN_KINDS as readonly string[]).includes(kind);
}
