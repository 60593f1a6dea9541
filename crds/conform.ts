/**
 * A bounded copy of an outside value, led by a schema: what a check then sees is no larger than the schema allows by one.
 * Without it, a list of a million wrong items would yield a million findings before anybody could say “too long”.
 */
import type { SchemaNode } from './schema.ts';

/** Unknown fields of one object that are looked at. */
const UNKNOWN_FIELDS = 20;

/**
 * Copies what the schema knows. Lists, maps and texts are cut one over their limit; of unknown fields the first few names are
 * kept (as `true`); fields that are null are left out, as the API server does. Nodes without a type are left out too: they
 * are not ours to read. Only own properties count, so `__proto__` and `constructor` are names like any other.
 */
export function conform(node: SchemaNode, value: unknown): unknown {
  if (typeof value === 'string') return clipText(node, value);
  if (Array.isArray(value)) {
    const { items } = node;
    if (items === undefined) return [];
    return value.slice(0, (node.maxItems ?? 0) + 1).map((item: unknown) => conform(items, item));
  }
  if (!isFields(value)) return value;
  if (typeof node.additionalProperties === 'object') return conformMap(node, node.additionalProperties, value);
  return conformFields(node.properties ?? {}, value);
}

/** Whether a value is what JSON calls an object. */
export function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A code point takes up to two code units. */
function clipText(node: SchemaNode, value: string): string {
  return value.slice(0, 2 * ((node.maxLength ?? 1024) + 1));
}

function conformMap(node: SchemaNode, item: SchemaNode, value: Readonly<Record<string, unknown>>): unknown {
  const keys = Object.keys(value).slice(0, (node.maxProperties ?? 0) + 1);
  return Object.fromEntries(keys.map((key) => [key, conform(item, value[key])]));
}

function conformFields(
  properties: Readonly<Record<string, SchemaNode>>,
  value: Readonly<Record<string, unknown>>,
): unknown {
  const fields: [string, unknown][] = [];
  for (const [name, child] of Object.entries(properties)) {
    if (child.type === undefined || !Object.hasOwn(value, name)) continue;
    const given = value[name];
    if (given !== null && given !== undefined) fields.push([name, conform(child, given)]);
  }
  let unknown = 0;
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(properties, name)) continue;
    if (++unknown > UNKNOWN_FIELDS) break;
    fields.push([name, true]);
  }
  // fromEntries defines own properties, `__proto__` among them; assignment would set the prototype.
  return Object.fromEntries(fields);
}
