/** What was decided about each object, for its status. */
import type { Digest } from '../../proxy/contract/canonical.ts';
import { errorAt, hasErrors, warningAt, type Finding } from '../../proxy/contract/finding.ts';
import { objectKey, splitObjectId, type OwnKind } from '../objects/objects.ts';
import type { Translation } from '../translate/types.ts';
import { fleetOf, type Context } from './context.ts';
import type { Draft, Forced } from './draft.ts';
import type { Settled } from './settle.ts';
import type { Aspect, ObjectVerdict, UsedVersion } from './types.ts';

/** Verdicts by object id, in order: of the fleet's objects, and of those that no fleet would report otherwise. */
export function verdicts(context: Context, settled: Settled): Map<string, ObjectVerdict> {
  const { input } = context;
  const isDefault = input.fleet === input.defaultFleet;
  const compiled = findingsByObject(settled.compiled.findings);
  const found = new Map<string, ObjectVerdict>();
  for (const draft of settled.drafts.values()) {
    const { id, kind, translation, fragment } = draft;
    const isReached = settled.reached.has(id);
    if (translation === undefined && (fragment === null || !isReached)) continue;
    if (kind !== 'ProxyRoute' && !isReached && !isDefault) continue;
    found.set(id, verdictOf(context, settled, draft, compiled.get(id) ?? []));
  }
  if (isDefault) for (const verdict of orphans(context)) found.set(verdict.object, verdict);
  const ordered = new Map<string, ObjectVerdict>();
  for (const id of [...found.keys()].sort()) {
    const verdict = found.get(id);
    if (verdict !== undefined) ordered.set(id, verdict);
  }
  return ordered;
}

/** Verdicts on objects about which there is nothing to say, as it is with almost all: they depend on nothing else. */
const plain = new WeakMap<Translation, ObjectVerdict>();

function verdictOf(context: Context, settled: Settled, draft: Draft, compiled: readonly Finding[]): ObjectVerdict {
  const { translation } = draft;
  if (translation === undefined || !isPlain(context, settled, draft, compiled)) {
    return makeVerdict(context, settled, draft, compiled);
  }
  let verdict = plain.get(translation);
  if (verdict === undefined || verdict.source !== sourceOf(context, draft)) {
    verdict = makeVerdict(context, settled, draft, compiled);
    plain.set(translation, verdict);
  }
  return verdict;
}

/** The current version is used, whole, and nobody found anything. */
function isPlain(context: Context, settled: Settled, draft: Draft, compiled: readonly Finding[]): boolean {
  const { id, translation, used, fragment, losses, unresolved } = draft;
  return (
    used === 'current' &&
    fragment === translation?.fragment &&
    losses.length + unresolved.length + compiled.length === 0 &&
    context.rules !== null &&
    settled.reached.has(id)
  );
}

function makeVerdict(context: Context, settled: Settled, draft: Draft, compiled: readonly Finding[]): ObjectVerdict {
  const forced = settled.forced.get(draft.id);
  const referenced = settled.reached.has(draft.id) || draft.kind === 'ProxyRoute';
  const desiredDigest = desiredOf(draft, forced);
  const usedDigest = referenced ? (draft.fragment?.digest ?? null) : null;
  const findings = findingsOf(context, draft, forced);
  // The compiler sees what was found here too, such as a pool that does not exist; once is enough.
  const reasons = new Set(findings.map((finding) => finding.reason));
  if (draft.unresolved.length > 0) reasons.add('RefNotFound');
  findings.push(...compiled.filter((finding) => finding.severity === 'warning' && !reasons.has(finding.reason)));
  const source = sourceOf(context, draft);
  return {
    ...identity(draft.id, draft.translation),
    source,
    used: usedOf(draft, desiredDigest),
    referenced,
    desiredDigest,
    usedDigest,
    accepted: acceptedOf(context, draft, findings),
    resolvedRefs: resolvedOf(draft),
    conflicted: conflictedOf(draft),
    findings: withSource(source, findings),
  };
}

/** Where the object was read; '' where that is the API server, or nowhere any more. */
function sourceOf({ input }: Context, { kind, translation }: Pick<Draft, 'kind' | 'translation'>): string {
  if (translation === undefined) return '';
  const { namespace, name } = translation.object.metadata;
  // Drafts are made of the kinds that are translated.
  return input.objects[kind as OwnKind].get(objectKey(namespace, name))?.source ?? '';
}

function identity(id: string, translation: Translation | undefined) {
  const { kind, namespace, name } = splitObjectId(id);
  const generation = translation?.object.metadata.generation;
  return {
    object: id,
    // Ids are made of the kinds that are translated, and the stable bundle holds no others.
    kind: kind as OwnKind,
    namespace,
    name,
    exists: translation !== undefined,
    ...(generation === undefined ? {} : { generation }),
  };
}

function desiredOf({ translation, used, fragment }: Draft, forced: Forced | undefined): Digest | null {
  if (translation === undefined || translation.fragment === null) return null;
  if (forced !== undefined) return forced.desired;
  return used === 'current' ? (fragment?.digest ?? null) : null;
}

/** A version of stable's that is permitted to be just what the current one is permitted to be, is the current one. */
function usedOf({ used, fragment }: Draft, desired: Digest | null): UsedVersion {
  if (fragment === null) return used === 'held' ? 'held' : 'none';
  return fragment.digest === desired ? 'current' : used;
}

function findingsOf(context: Context, draft: Draft, forced: Forced | undefined): Finding[] {
  const findings: Finding[] = [...(draft.translation?.findings ?? []), ...(forced?.findings ?? [])];
  const served = draft.fragment !== null;
  for (const { reason, path, message } of draft.losses) {
    findings.push((served ? warningAt : errorAt)(draft.id, path, reason, message));
  }
  const refused = forced?.why === 'Unresolved' && draft.fragment?.digest !== forced.desired;
  for (const { reference, reason, message } of draft.unresolved) {
    findings.push((refused ? errorAt : warningAt)(draft.id, reference.path, reason, message));
  }
  const noFleet = context.rules === null && !context.input.translations.has(context.rollout);
  if (noFleet && draft.kind === 'ProxyRoute') {
    findings.push(errorAt(draft.id, 'spec.fleetRef', 'FleetNotFound', fleetMissing(context.input.fleet)));
  }
  return findings;
}

function acceptedOf(context: Context, draft: Draft, findings: readonly Finding[]): Aspect {
  if (draft.translation === undefined)
    return pending('the object is gone, or cannot be read; its last accepted version stays');
  const errors = findings.filter((finding) => finding.severity === 'error');
  const [first] = errors;
  if (first !== undefined) {
    const where = first.path === '' ? '' : `${first.path}: `;
    const more = errors.length === 1 ? '' : ` (and ${errors.length - 1} more)`;
    const kept = draft.fragment === null ? '' : '; the last accepted version stays';
    return { status: 'False', reason: first.reason, message: `${where}${first.message}${more}${kept}` };
  }
  if (context.rules === null && draft.id !== context.rollout) {
    return pending(`who may use fleet ${context.input.fleet} cannot be told: its ProxyRollout is invalid`);
  }
  return { status: 'True', reason: 'Accepted', message: '' };
}

function resolvedOf({ translation, unresolved }: Draft): Aspect {
  if (translation === undefined) return pending('the object is gone');
  if (hasErrors(translation.findings)) return pending('the spec is invalid');
  const [first] = unresolved;
  if (first === undefined) return { status: 'True', reason: 'ResolvedRefs', message: '' };
  const more = unresolved.length === 1 ? '' : ` (and ${unresolved.length - 1} more)`;
  return { status: 'False', reason: first.reason, message: `${first.reference.path}: ${first.message}${more}` };
}

function conflictedOf({ losses }: Draft): Aspect {
  const conflicts = losses.filter((loss) => loss.reason !== 'NamespaceNotAllowed');
  const [first] = conflicts;
  if (first === undefined) return { status: 'False', reason: 'NoConflict', message: '' };
  const more = conflicts.length === 1 ? '' : ` (and ${conflicts.length - 1} more)`;
  return { status: 'True', reason: first.reason, message: `${first.message}${more}` };
}

function pending(message: string): Aspect {
  return { status: 'Unknown', reason: 'Pending', message };
}

/** Routes that name a fleet that does not exist; the operator of the default fleet tells them. */
function orphans(context: Context): ObjectVerdict[] {
  const { input } = context;
  const found: ObjectVerdict[] = [];
  for (const translation of input.translations.values()) {
    if (translation.kind !== 'ProxyRoute') continue;
    const fleet = fleetOf(input, translation);
    if (fleet === null || fleet === input.fleet || input.translations.has(`ProxyRollout/${fleet}`)) continue;
    const missing = errorAt(translation.id, 'spec.fleetRef', 'FleetNotFound', fleetMissing(fleet));
    const source = sourceOf(context, { kind: translation.kind, translation });
    found.push({
      ...identity(translation.id, translation),
      source,
      used: 'none',
      referenced: true,
      desiredDigest: null,
      usedDigest: null,
      accepted: { status: 'False', reason: missing.reason, message: missing.message },
      resolvedRefs: pending('the route belongs to no fleet'),
      conflicted: { status: 'False', reason: 'NoConflict', message: '' },
      findings: withSource(source, [...translation.findings, missing]),
    });
  }
  return found;
}

function fleetMissing(fleet: string): string {
  return `there is no ProxyRollout ${fleet}`;
}

function withSource(source: string, findings: readonly Finding[]): readonly Finding[] {
  return source === '' ? findings : findings.map((finding) => ({ ...finding, source }));
}

function findingsByObject(findings: readonly Finding[]): Map<string, Finding[]> {
  const byObject = new Map<string, Finding[]>();
  for (const finding of findings) {
    const list = byObject.get(finding.object);
    if (list === undefined) byObject.set(finding.object, [finding]);
    else list.push(finding);
  }
  return byObject;
}
