/** What an object from outside is: one of the kinds that are read, somebody else's, or nobody's. */
import { API_VERSION, GROUP } from '../../crds/kind.ts';
import { isFields } from '../../crds/conform.ts';
import { objectIdOf } from '../../crds/validate.ts';
import { errorAt, warningAt, type Finding } from '../../proxy/contract/finding.ts';
import { limit } from '../../proxy/contract/limits.ts';
import { readNamespace, readReferenceGrant, readSecret, readService, type CoreReader } from './coreKinds.ts';
import { isOwnKind, OWN_KINDS, type AnyObject, type Meta } from '../objects/objects.ts';

export type Identified =
  | { readonly is: 'object'; readonly object: AnyObject }
  /** Of a kind that nobody reads here, such as a Deployment. */
  | { readonly is: 'other' }
  /** It may have been any object: `finding` says why that cannot be told. `foreign`: not even meant for us, perhaps. */
  | { readonly is: 'unknown'; readonly foreign: boolean; readonly finding: Finding };

type Fields = Readonly<Record<string, unknown>>;

/** Kinds of others that are read, by apiVersion and kind. */
const CORE_KINDS: ReadonlyMap<string, CoreReader> = new Map([
  ['v1 Namespace', readNamespace],
  ['v1 Service', readService],
  ['v1 Secret', readSecret],
  ['discovery.k8s.io/v1 EndpointSlice', (value, metadata) => ({ kind: 'EndpointSlice', metadata, manifest: value })],
  ['gateway.networking.k8s.io/v1 ReferenceGrant', readReferenceGrant],
  ['gateway.networking.k8s.io/v1beta1 ReferenceGrant', readReferenceGrant],
]);
const WITHOUT_NAMESPACE = new Set(['Namespace']);

/** Identifies one object; its spec is left unchecked where it is of our own kinds. */
export function identify(value: Fields): Identified {
  const { apiVersion, kind } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    return unknown(errorAt('', '', 'Malformed', 'must be an object with apiVersion and kind'), true);
  }
  if (apiVersion.split('/')[0] === GROUP) return identifyOwn(apiVersion, kind, value);
  const reader = CORE_KINDS.get(`${apiVersion} ${kind}`);
  if (reader === undefined) {
    if (!isOwnKind(kind)) return { is: 'other' };
    const message = `${kind} of ${quoted(apiVersion)} is not read; this operator reads ${API_VERSION}`;
    return unknown(warningAt('', 'apiVersion', 'UnknownKind', message), true);
  }
  const metadata = readMeta(value, !WITHOUT_NAMESPACE.has(kind));
  const id = `${kind}/${textOr(fieldOf(value, 'namespace'), '')}/${textOr(fieldOf(value, 'name'), '?')}`;
  if (typeof metadata === 'string') return unknown(errorAt(id, 'metadata', 'Invalid', metadata), false);
  const object = reader(value, metadata);
  if (typeof object === 'string') return unknown(errorAt(id, '', 'Invalid', object), false);
  return { is: 'object', object };
}

function identifyOwn(apiVersion: string, kind: string, value: Fields): Identified {
  if (apiVersion !== API_VERSION || !isOwnKind(kind)) {
    const message = `there is no ${quoted(kind)} of ${quoted(apiVersion)}; the kinds of ${API_VERSION} are ${OWN_KINDS.join(', ')}`;
    return unknown(errorAt('', 'kind', 'UnknownKind', message), false);
  }
  const metadata = readMeta(value, true);
  if (typeof metadata === 'string') {
    return unknown(errorAt(objectIdOf(kind, value), 'metadata', 'Invalid', metadata), false);
  }
  // The object is what it says it is; translation checks all of it before anything is made of it.
  return { is: 'object', object: { ...value, apiVersion: API_VERSION, kind, metadata } as AnyObject };
}

const LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?';
const NAMESPACE = new RegExp(`^${LABEL}$`);
/** RFC 1123 subdomain, as Kubernetes asks for: labels may be longer than DNS allows. */
const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** The metadata with checked names, or what is wrong with them. */
function readMeta(value: Fields, hasNamespace: boolean): Meta | string {
  const { metadata } = value;
  if (!isFields(metadata)) return 'metadata must be an object with a name';
  const { name, namespace } = metadata;
  if (typeof name !== 'string' || name.length > limit('idLength') || !NAME.test(name)) {
    return `name must be lowercase letters, digits, hyphens and dots, not ${quoted(name)}`;
  }
  const given = namespace ?? 'default';
  if (hasNamespace && (typeof given !== 'string' || !NAMESPACE.test(given))) {
    return `namespace must be at most 63 lowercase letters, digits and hyphens, not ${quoted(given)}`;
  }
  // Whatever else stands in metadata is checked with the object, or not read.
  return { ...metadata, name, namespace: hasNamespace ? given : '' } as Meta;
}

function unknown(finding: Finding, foreign: boolean): Identified {
  return { is: 'unknown', foreign, finding };
}

function fieldOf({ metadata }: Fields, name: string): unknown {
  return isFields(metadata) ? metadata[name] : undefined;
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value.slice(0, limit('idLength')) : otherwise;
}

/** A value of unknown type and size within a message. */
function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
