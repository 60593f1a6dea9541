/** A kind as a CustomResourceDefinition. Our annotations become text and CEL; the rest of a schema is taken as it is. */
import { CATEGORY, GROUP, VERSION, type KindDefinition, type Rule } from '../../crds/kind.ts';
import { amountCel, amountMessage } from '../../crds/rules/amount.ts';
import type { SchemaNode } from '../../crds/schema.ts';
import { describeBounds } from './bounds.ts';

type Tree = Record<string, unknown>;

/** Keywords that stand in a CRD as in our schema, in the order they are written. */
const KEPT = [
  'format',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
] as const satisfies readonly (keyof SchemaNode)[];

const CEL_REASONS: Readonly<Record<Rule['reason'], string>> = {
  Invalid: 'FieldValueInvalid',
  Required: 'FieldValueRequired',
  Duplicate: 'FieldValueDuplicate',
  AddressNotAllowed: 'FieldValueForbidden',
};

/** The CustomResourceDefinition of a kind, with its keys in the order they are written. */
export function customResource(kind: KindDefinition): Tree {
  const { plural, singular, shortNames } = kind;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { kind: kind.kind, listKind: `${kind.kind}List`, plural, singular, shortNames, categories: [CATEGORY] },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: kind.columns.map(({ name, type, jsonPath, description, priority }) => ({
            name,
            type,
            jsonPath,
            description,
            ...(priority === undefined ? {} : { priority }),
          })),
          schema: { openAPIV3Schema: rootSchema(kind) },
        },
      ],
    },
  };
}

function rootSchema(kind: KindDefinition): Tree {
  return {
    type: 'object',
    description: kind.description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: `Always ${GROUP}/${VERSION}.` },
      kind: { type: 'string', description: `Always ${kind.kind}.` },
      metadata: { type: 'object' },
      spec: structural(kind.spec, 'spec', kind.rules),
      status: structural(kind.status, 'status', []),
    },
  };
}

/** The structural schema of a node at a path such as `spec.hosts[]`, with the rules declared there. */
function structural(node: SchemaNode, at: string, rules: readonly Rule[]): Tree {
  const tree: Tree = { type: node.type };
  const description = describe(node);
  if (description !== '') tree['description'] = description;
  for (const keyword of KEPT) if (node[keyword] !== undefined) tree[keyword] = node[keyword];
  if (node.required !== undefined && node.required.length > 0) tree['required'] = node.required;
  if (node.properties !== undefined) {
    tree['properties'] = Object.fromEntries(
      Object.entries(node.properties).map(([name, child]) => [name, structural(child, `${at}.${name}`, rules)]),
    );
  }
  if (node.items !== undefined) tree['items'] = structural(node.items, `${at}[]`, rules);
  // `additionalProperties: false` is not allowed beside properties: the API server prunes unknown fields, or refuses them
  // where the client asks for strict validation, as kubectl does.
  if (typeof node.additionalProperties === 'object') {
    tree['additionalProperties'] = structural(node.additionalProperties, `${at}{}`, rules);
  }
  const validations = [...amountValidations(node), ...rules.filter((rule) => rule.at === at).map(validation)];
  if (validations.length > 0) tree['x-kubernetes-validations'] = validations;
  return tree;
}

/** What `kubectl explain` shows: the description, the default, and the bounds that it would not show by itself. */
function describe(node: SchemaNode): string {
  const parts = [node.description ?? ''];
  if (node['x-default'] !== undefined) parts.push(`Default: ${node['x-default']}.`);
  const bounds = describeBounds(node);
  if (bounds !== '') parts.push(`Limits: ${bounds}.`);
  return parts.filter((part) => part !== '').join(' ');
}

function validation(rule: Rule): Tree {
  return {
    rule: rule.cel,
    message: rule.message,
    reason: CEL_REASONS[rule.reason],
    ...(rule.field === undefined ? {} : { fieldPath: rule.field }),
  };
}

function amountValidations(node: SchemaNode): readonly Tree[] {
  const amount = node['x-amount'];
  if (amount === undefined) return [];
  return [{ rule: amountCel(amount), message: amountMessage(amount), reason: CEL_REASONS.Invalid }];
}
