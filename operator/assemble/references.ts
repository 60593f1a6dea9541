/** Which references of an object lead nowhere. */
import { objectKey } from '../objects/objects.ts';
import type { Reference } from '../translate/types.ts';
import type { Context } from './context.ts';
import type { Draft, Drafts, Unresolved } from './draft.ts';

const NONE: readonly Unresolved[] = [];

/** References of the current version to what does not exist, is not served, or is not theirs to name. */
export function unresolvedReferences(context: Context, drafts: Drafts, draft: Draft): readonly Unresolved[] {
  const { translation } = draft;
  if (translation === undefined || translation.references.length === 0) return NONE;
  const unresolved: Unresolved[] = [];
  for (const reference of translation.references) {
    const problem = problemOf(context, drafts, draft, reference);
    if (problem !== undefined) unresolved.push({ reference, ...problem });
  }
  return unresolved.length === 0 ? NONE : unresolved;
}

type Problem = Omit<Unresolved, 'reference'>;

function problemOf(context: Context, drafts: Drafts, from: Draft, reference: Reference): Problem | undefined {
  const { kind, namespace, name } = reference;
  switch (kind) {
    case 'UpstreamPool':
    case 'TrafficPolicy': {
      if (namespace !== from.namespace && !isGranted(context, from, reference)) {
        return notPermitted(
          `no ReferenceGrant in namespace ${namespace} lets ${from.kind}s of ${from.namespace} refer to ${kind} ${name}`,
        );
      }
      const target = drafts.get(reference.target);
      if (target === undefined || (target.translation === undefined && target.fragment === null)) {
        return notFound(`${kind} ${namespace}/${name} does not exist`);
      }
      return target.fragment === null
        ? notFound(`${kind} ${namespace}/${name} has no version that was accepted`)
        : undefined;
    }
    case 'Service':
      return serviceProblem(context, reference);
    case 'Secret': {
      if (context.input.objects.Secret.has(objectKey(namespace, name))) return undefined;
      return notFound(`Secret ${namespace}/${name} does not exist`);
    }
  }
}

function isGranted(context: Context, from: Draft, { kind, namespace, name }: Reference): boolean {
  const target = { toKind: kind, toNamespace: namespace, toName: name };
  return context.isGranted({ fromKind: from.kind, fromNamespace: from.namespace, ...target });
}

function serviceProblem({ input }: Context, { namespace, name, port }: Reference): Problem | undefined {
  const service = input.objects.Service.get(objectKey(namespace, name))?.object;
  if (service === undefined) return notFound(`Service ${namespace}/${name} does not exist`);
  // An ExternalName is whatever its owner writes into DNS: a way around every check of addresses.
  if (service.type === 'ExternalName') return notPermitted(`Service ${namespace}/${name} is of type ExternalName`);
  if (service.ports.some((candidate) => candidate.port === port)) return undefined;
  return notFound(`Service ${namespace}/${name} has no port ${port ?? ''}`);
}

function notFound(message: string): Problem {
  return { reason: 'RefNotFound', message };
}

function notPermitted(message: string): Problem {
  return { reason: 'RefNotPermitted', message };
}
