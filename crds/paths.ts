/** Paths of fields as findings show them, and the walk over values and their schemas. */
import { isFields } from './conform.ts';
import type { SchemaNode } from './schema.ts';

/** Longest name in a path: names are users' text too. */
const NAME_LENGTH = 64;

/** `spec` and `hosts` make `spec.hosts`; names that are no identifiers stand in brackets. */
export function fieldPath(parent: string, name: string): string {
  const shown = name.length > NAME_LENGTH ? `${name.slice(0, NAME_LENGTH)}…` : name;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(shown)) return `${parent}[${JSON.stringify(shown)}]`;
  return parent === '' ? shown : `${parent}.${shown}`;
}

export function itemPath(parent: string, index: number): string {
  return `${parent}[${index}]`;
}

export interface Place {
  readonly path: string;
  readonly node: SchemaNode;
  readonly value: unknown;
}

/** Every value that a schema knows, with its path and node; parents come before children. */
export function* places(node: SchemaNode, value: unknown, path = ''): Generator<Place> {
  yield { path, node, value };
  if (Array.isArray(value) && node.items !== undefined) {
    for (const [i, item] of value.entries()) yield* places(node.items, item, itemPath(path, i));
  } else if (isFields(value)) {
    const known = node.properties ?? {};
    const map = typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
    for (const [name, child] of Object.entries(value)) {
      const childNode = Object.hasOwn(known, name) ? known[name] : map;
      if (childNode !== undefined) yield* places(childNode, child, fieldPath(path, name));
    }
  }
}

/** The values at a path such as `spec.matches[].path`, where `[]` stands for every item. */
export function valuesAt(root: unknown, at: string): { readonly path: string; readonly value: unknown }[] {
  let found: { path: string; value: unknown }[] = [{ path: '', value: root }];
  for (const step of at.split('.')) {
    const name = step.replace(/\[\]$/, '');
    found = found.flatMap(({ path, value }) =>
      isFields(value) && Object.hasOwn(value, name) ? [{ path: fieldPath(path, name), value: value[name] }] : [],
    );
    if (!step.endsWith('[]')) continue;
    found = found.flatMap(({ path, value }) =>
      Array.isArray(value) ? value.map((item: unknown, i) => ({ path: itemPath(path, i), value: item })) : [],
    );
  }
  return found;
}

/** The path of a JSON pointer (RFC 6901) into a value. */
export function pointerPath(root: unknown, pointer: string): string {
  let path = '';
  let value = root;
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    path = Array.isArray(value) ? itemPath(path, Number(name)) : fieldPath(path, name);
    value = Array.isArray(value) || isFields(value) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
  }
  return path;
}
