/**
 * Objects → fragments. Pure and one by one: what an object contributes depends on nothing else, so that the same spec
 * always gives the same bytes, and one bad object is nobody else's matter.
 */
import type { Kind, KindObjects } from '../../crds/kinds.ts';
import type { ProxyRolloutSpec } from '../../crds/proxyRollout.ts';
import { readObject } from '../../crds/validate.ts';
import type { Entry } from '../../proxy/contract/document/entries.ts';
import { errorAt, hasErrors, type Finding } from '../../proxy/contract/finding.ts';
import { fragmentOf } from '../../proxy/contract/fragment.ts';
import { limit } from '../../proxy/contract/limits.ts';
import type { ObjectSet } from '../objects/objectSet.ts';
import { objectId, objectKey, OWN_KINDS, type Meta, type OwnObject } from '../objects/objects.ts';
import { findNotImplemented } from './notImplemented.ts';
import { policyEntries } from './policy.ts';
import { findNoEndpoints, poolEntries, poolReferences } from './pool.ts';
import { findUnsafeRegexes } from './regexes.ts';
import { fleetRules, rolloutEntries, rolloutReferences } from './rollout.ts';
import { routeEntries, routeFleet, routeReferences } from './route.ts';
import type { Reference, Translation } from './types.ts';

type SpecOf<K extends Kind> = KindObjects[K]['spec'];

/** Each function is only given specs that satisfy their schema and rules. */
interface Translator<K extends Kind> {
  /** What the schema cannot say about a spec. */
  readonly check: (id: string, spec: SpecOf<K>) => Finding[];
  readonly entries: (meta: Meta, spec: SpecOf<K>) => Entry[];
  readonly references: (meta: Meta, spec: SpecOf<K>) => Reference[];
}

const nothing = () => [];

const TRANSLATORS: { readonly [K in Kind]: Translator<K> } = {
  ProxyRoute: { check: findUnsafeRegexes, entries: routeEntries, references: routeReferences },
  UpstreamPool: { check: findNoEndpoints, entries: poolEntries, references: poolReferences },
  TrafficPolicy: { check: nothing, entries: policyEntries, references: nothing },
  ProxyRollout: { check: nothing, entries: rolloutEntries, references: rolloutReferences },
};

/** Translations by object: an object that did not change keeps its identity from one set to the next. */
const known = new WeakMap<OwnObject, Translation>();

/** Translates every object of our kinds, by object id. Work is done only for objects not seen before. */
export function translateAll(objects: ObjectSet): Map<string, Translation> {
  const translations = new Map<string, Translation>();
  for (const kind of OWN_KINDS) {
    for (const { object } of objects[kind].values()) {
      const translation = known.get(object) ?? translate(object);
      known.set(object, translation);
      translations.set(translation.id, translation);
    }
  }
  return translations;
}

/** Translates one object. */
export function translate<K extends Kind>(object: OwnObject<K>): Translation {
  const { kind, metadata, spec } = object;
  const id = objectId(kind, metadata.namespace, metadata.name);
  const reading = readObject(kind, object);
  const checked = reading.object?.spec;
  const findings: Finding[] = [...checkId(id, metadata), ...reading.findings];
  const translator: Translator<K> = TRANSLATORS[kind];
  if (checked !== undefined) {
    findings.push(...translator.check(id, checked), ...findNotImplemented(kind, id, { spec: checked }));
  }
  const sound = checked !== undefined && !hasErrors(findings);
  const createdAtMs = Date.parse(metadata.creationTimestamp ?? '');
  return {
    id,
    kind,
    object,
    createdAtMs: Number.isNaN(createdAtMs) ? null : createdAtMs,
    fragment: sound ? fragmentOf(id, translator.entries(metadata, checked)) : null,
    findings,
    references: sound ? translator.references(metadata, checked) : [],
    fleet: kind === 'ProxyRoute' ? routeFleet(metadata, spec) : null,
    // What was checked as a ProxyRollout has that kind's spec.
    rolloutSpec: sound && kind === 'ProxyRollout' ? (checked as ProxyRolloutSpec) : null,
    rules: kind === 'ProxyRollout' ? fleetRules(spec, findings) : null,
  };
}

/** Names are bounded one by one when they are read; together they become an id of the document. */
function checkId(id: string, { namespace, name }: Meta): Finding[] {
  const length = objectKey(namespace, name).length;
  if (length <= limit('idLength')) return [];
  const message = `namespace and name have ${length} characters together, over the limit of ${limit('idLength')}`;
  return [errorAt(id, 'metadata.name', 'Invalid', message)];
}
