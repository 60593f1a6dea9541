/** Which namespaces something is open to. */
import type { LabelSelector, Namespaces } from '../../crds/shared.ts';

/** Every namespace has this label, with its own name (Kubernetes sets it). */
const NAME_LABEL = 'kubernetes.io/metadata.name';

/**
 * Whether `allowed` takes in a namespace.
 * `own` is the namespace of the object that says so; `labels` those of the namespace asked about, where they are known.
 */
export function allowsNamespace(
  allowed: Namespaces,
  own: string,
  namespace: string,
  labels: Readonly<Record<string, string>> = {},
): boolean {
  switch (allowed.from ?? 'Same') {
    case 'Same':
      return namespace === own;
    case 'All':
      return true;
    case 'Selector':
      return selects(allowed.selector ?? {}, new Map([...Object.entries(labels), [NAME_LABEL, namespace]]));
  }
}

/** Kubernetes label selector: every condition must hold; an empty one selects everything. */
function selects(selector: LabelSelector, labels: ReadonlyMap<string, string>): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (labels.get(key) !== value) return false;
  return (selector.matchExpressions ?? []).every((expression) => holds(expression, labels));
}

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

function holds({ key, operator, values = [] }: Expression, labels: ReadonlyMap<string, string>): boolean {
  const value = labels.get(key);
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}
