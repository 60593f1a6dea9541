/** Ajv's errors as findings that people understand. */
import type { ErrorObject } from 'ajv';
import type { FindingReason } from '../proxy/contract/finding.ts';
import { fieldPath, pointerPath } from './paths.ts';
import type { SchemaNode } from './schema.ts';

/** A finding before its object is known. */
export interface Problem {
  readonly path: string;
  readonly reason: FindingReason;
  readonly message: string;
}

/** The problems of one run of Ajv over `root`. Texts that are too long are not judged by their pattern as well. */
export function schemaProblems(errors: readonly ErrorObject[], root: unknown): Problem[] {
  const tooLong = new Set(errors.filter((error) => error.keyword === 'maxLength').map((error) => error.instancePath));
  return errors
    .filter(
      ({ keyword, instancePath }) => !(tooLong.has(instancePath) && (keyword === 'pattern' || keyword === 'format')),
    )
    .map((error) => problem(error, pointerPath(root, error.instancePath)));
}

function problem(error: ErrorObject, path: string): Problem {
  const params = error.params as Readonly<Record<string, unknown>>;
  if (error.keyword === 'required') {
    const name = String(params['missingProperty']);
    return { path: fieldPath(path, name), reason: 'Required', message: 'is required' };
  }
  if (error.keyword === 'additionalProperties') {
    const name = String(params['additionalProperty']);
    return { path: fieldPath(path, name), reason: 'UnknownField', message: unknownField(name, nodeOf(error)) };
  }
  return { path, reason: 'Invalid', message: invalid(error) };
}

/** Ajv runs in verbose mode, so an error carries the node that made it. */
function nodeOf(error: ErrorObject): SchemaNode {
  return (error.parentSchema ?? {}) as SchemaNode;
}

function invalid(error: ErrorObject): string {
  const node = nodeOf(error);
  switch (error.keyword) {
    case 'type':
      if (node.type === 'integer' && typeof error.data === 'number') return `must be a whole number, not ${error.data}`;
      return `must be ${withArticle(node.type === 'array' ? 'list' : (node.type ?? 'value'))}, not ${withArticle(jsonType(error.data))}`;
    case 'enum':
      return `must be ${oneOf(node.enum ?? [])}, not ${show(error.data)}`;
    case 'pattern':
    case 'format':
      return `must be ${node['x-syntax'] ?? 'of its syntax'}, not ${show(error.data)}`;
    case 'minimum':
    case 'maximum':
      return `must be between ${node.minimum} and ${node.maximum}, not ${show(error.data)}`;
    case 'minLength':
      return node.minLength === 1 ? 'must not be empty' : `must have at least ${node.minLength} characters`;
    case 'maxLength':
      return `must have at most ${node.maxLength} characters`;
    case 'minItems':
      return `must have at least ${node.minItems} item${node.minItems === 1 ? '' : 's'}`;
    case 'maxItems':
      return `must have at most ${node.maxItems} items`;
    case 'maxProperties':
      return `must have at most ${node.maxProperties} entries`;
    default:
      return error.message ?? 'is invalid';
  }
}

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? String(values[0]) : `one of ${values.join(', ')}`;
}

function withArticle(type: string): string {
  return `${/^[aio]/.test(type) ? 'an' : 'a'} ${type}`;
}

function jsonType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'list' : typeof value;
}

const SHOWN_LENGTH = 60;

/** A value in a message: JSON, cut short. */
export function show(value: unknown): string {
  if (typeof value === 'object' && value !== null) return withArticle(jsonType(value));
  const text = JSON.stringify(value) ?? jsonType(value);
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}

function unknownField(name: string, node: SchemaNode): string {
  const meant = closest(name, Object.keys(node.properties ?? {}));
  return `unknown field ${show(name)}${meant === undefined ? '' : `; did you mean "${meant}"?`}`;
}

/** The candidate nearest to a misspelt name, if one is near enough to be meant. */
function closest(name: string, candidates: readonly string[]): string | undefined {
  if (name.length > SHOWN_LENGTH) return undefined;
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(best.candidate.length / 3))
    ? best.candidate
    : undefined;
}

/** Levenshtein distance: insertions, deletions and replacements that make one text the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
