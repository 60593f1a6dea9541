/** References into other namespaces: allowed only where a ReferenceGrant over there says so (gateway.networking.k8s.io). */
import { GROUP } from '../../crds/kind.ts';
import type { ReferenceGrantObject, Stored } from '../objects/objects.ts';

/** One reference between objects of our group. */
export interface CrossReference {
  readonly fromKind: string;
  readonly fromNamespace: string;
  readonly toKind: string;
  readonly toNamespace: string;
  readonly toName: string;
}

/** Answers whether a reference is permitted. Within a namespace it always is; without any grant nothing else is. */
export type GrantCheck = (reference: CrossReference) => boolean;

export function grantCheck(grants: Iterable<Stored<ReferenceGrantObject>>): GrantCheck {
  const byNamespace = new Map<string, ReferenceGrantObject[]>();
  for (const { object } of grants) {
    const list = byNamespace.get(object.metadata.namespace);
    if (list === undefined) byNamespace.set(object.metadata.namespace, [object]);
    else list.push(object);
  }
  return (reference) =>
    reference.fromNamespace === reference.toNamespace ||
    (byNamespace.get(reference.toNamespace) ?? []).some((grant) => permits(grant, reference));
}

function permits(grant: ReferenceGrantObject, reference: CrossReference): boolean {
  const from = grant.from.some(
    ({ group, kind, namespace }) =>
      group === GROUP && kind === reference.fromKind && namespace === reference.fromNamespace,
  );
  const to = grant.to.some(
    ({ group, kind, name }) =>
      group === GROUP && kind === reference.toKind && (name === undefined || name === '' || name === reference.toName),
  );
  return from && to;
}
