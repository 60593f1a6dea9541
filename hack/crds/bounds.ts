/** The bounds of a schema node in words, for `kubectl explain` and docs/reference. */
import type { SchemaNode } from '../../crds/schema.ts';

export function describeBounds(node: SchemaNode): string {
  const texts = [syntax(node), amount(node), range(node), length(node), items(node)];
  return texts.filter((text) => text !== '').join('; ');
}

/** What the pattern asks for. The type of an amount says it already. */
function syntax({ 'x-syntax': words = '', 'x-amount': bounds }: SchemaNode): string {
  return bounds === undefined ? words : '';
}

function amount({ 'x-amount': bounds }: SchemaNode): string {
  return bounds === undefined ? '' : `${bounds.min} to ${bounds.max}`;
}

function range({ minimum, maximum }: SchemaNode): string {
  // Counters in a status have no bound that anybody needs to know.
  if (minimum === undefined || maximum === undefined || maximum === Number.MAX_SAFE_INTEGER) return '';
  return `${minimum} to ${maximum}`;
}

function length({ type, enum: values, minLength, maxLength, 'x-amount': bounds }: SchemaNode): string {
  if (type !== 'string' || values !== undefined || bounds !== undefined || maxLength === undefined) return '';
  return minLength === 0 ? `at most ${maxLength} characters, or none` : `at most ${maxLength} characters`;
}

function items(node: SchemaNode): string {
  const { minItems, maxItems, maxProperties } = node;
  if (maxProperties !== undefined) return `at most ${maxProperties} entries`;
  if (maxItems === undefined) return '';
  const count = minItems === undefined ? `at most ${maxItems} items` : `${minItems} to ${maxItems} items`;
  const keys = node['x-kubernetes-list-map-keys'];
  if (keys !== undefined) return `${count}, unique by ${keys.join(' and ')}`;
  return node['x-kubernetes-list-type'] === 'set' ? `${count}, each once` : count;
}
