/**
 * Checks an object as the API server would: the schema by Ajv, then what JSON Schema cannot say (duplicates in lists, bounds
 * of durations and sizes, rules between fields). Pure; whatever comes in, findings come out, never an exception.
 */
import { Ajv, type ValidateFunction } from 'ajv';
import Type from 'typebox';
import { errorAt, type Finding } from '../proxy/contract/finding.ts';
import { limit } from '../proxy/contract/limits.ts';
import { conform, isFields } from './conform.ts';
import { API_VERSION, type Rule } from './kind.ts';
import { KINDS, type Kind, type KindObjects } from './kinds.ts';
import { itemPath, places, valuesAt, type Place } from './paths.ts';
import { amountMessage, withinAmount } from './rules/amount.ts';
import { schemaProblems, show, type Problem } from './schemaFindings.ts';
import { integer, object, oneOf, optional, text, textMap, type SchemaNode } from './schema.ts';
import { label, objectName } from './shared.ts';

/** What is left out of the copy: the API server checks it, and nobody here reads it. */
const ignored = optional(Type.Unknown());

const metadata = object('Standard metadata.', {
  name: objectName('Name of the object.'),
  namespace: optional(label('Namespace of the object.')),
  uid: optional(text('Set by the API server.', { max: 128 })),
  resourceVersion: optional(text('Set by the API server.', { max: 128 })),
  generation: optional(integer('Set by the API server.', { min: 0, max: Number.MAX_SAFE_INTEGER })),
  creationTimestamp: optional(text('Set by the API server.', { max: 64 })),
  deletionTimestamp: optional(text('Set by the API server.', { max: 64 })),
  labels: optional(textMap('Labels.', { max: 1024, valueMax: 63 })),
  annotations: optional(textMap('Annotations.', { max: 1024, valueMax: 256 * 1024 })),
  generateName: ignored,
  selfLink: ignored,
  deletionGracePeriodSeconds: ignored,
  ownerReferences: ignored,
  finalizers: ignored,
  managedFields: ignored,
});

interface Checker {
  readonly schema: SchemaNode;
  readonly validate: ValidateFunction;
  readonly rules: readonly Rule[];
}

const DATE_TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$/;

const ajv = new Ajv({
  strict: true,
  allErrors: true,
  verbose: true,
  ownProperties: true,
  formats: { 'date-time': DATE_TIME },
}).addVocabulary([
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-default',
  'x-syntax',
  'x-amount',
]);

/** Compiling takes some milliseconds a kind, so it is done once, when first asked for. */
const checkers = new Map<string, Checker>();

function checkerOf(key: string, make: () => { schema: Type.TObject; rules: readonly Rule[] }): Checker {
  const known = checkers.get(key);
  if (known !== undefined) return known;
  const { schema, rules } = make();
  const checker: Checker = { schema, validate: ajv.compile(schema), rules };
  checkers.set(key, checker);
  return checker;
}

function objectChecker(kind: Kind): Checker {
  return checkerOf(kind, () => ({
    schema: object(kind, {
      apiVersion: oneOf('Group and version.', [API_VERSION]),
      kind: oneOf('Kind.', [kind]),
      metadata,
      spec: KINDS[kind].spec,
      status: ignored,
    }),
    rules: KINDS[kind].rules,
  }));
}

function statusChecker(kind: Kind): Checker {
  return checkerOf(`${kind} status`, () => ({ schema: object(kind, { status: KINDS[kind].status }), rules: [] }));
}

/** `Kind/namespace/name` of an object whose metadata may be anything; a missing namespace is `default`. */
export function objectIdOf(kind: Kind, value: unknown): string {
  const fields = isFields(value) && isFields(value['metadata']) ? value['metadata'] : {};
  const nameOf = (field: unknown, otherwise: string) =>
    typeof field === 'string' && field !== '' ? field.slice(0, limit('idLength')) : otherwise;
  return `${kind}/${nameOf(fields['namespace'], 'default')}/${nameOf(fields['name'], '?')}`;
}

export interface Reading<K extends Kind> {
  readonly findings: readonly Finding[];
  /** A clean copy, without nulls, unknown fields and status; absent where there are errors. */
  readonly object?: KindObjects[K];
}

/** Checks an object of a kind from outside, and hands over a copy that satisfies the types. */
export function readObject<K extends Kind>(kind: K, value: unknown): Reading<K> {
  const checker = objectChecker(kind);
  const copy = conform(checker.schema, value);
  const problems = problemsOf(checker, copy);
  if (problems.length > 0) return { findings: toFindings(objectIdOf(kind, value), problems) };
  // Satisfies the schema that the type is derived from.
  return { findings: [], object: copy as KindObjects[K] };
}

/** The findings alone: empty means that the API server would take the object. */
export function checkObject(kind: Kind, value: unknown): readonly Finding[] {
  return readObject(kind, value).findings;
}

/** Checks a status before it is written. */
export function checkStatus(kind: Kind, status: unknown): readonly Finding[] {
  const checker = statusChecker(kind);
  return toFindings(`${kind}/-/-`, problemsOf(checker, conform(checker.schema, { status })));
}

function toFindings(id: string, problems: readonly Problem[]): Finding[] {
  const most = limit('findings');
  const findings = problems.slice(0, most).map(({ path, reason, message }) => errorAt(id, path, reason, message));
  const rest = problems.length - findings.length;
  if (rest > 0) findings.push(errorAt(id, '', 'TooLarge', `and ${rest} more findings`));
  return findings;
}

function problemsOf(checker: Checker, value: unknown): Problem[] {
  if (!isFields(value)) return [{ path: '', reason: 'Invalid', message: `must be an object, not ${show(value)}` }];
  const problems = checker.validate(value) ? [] : schemaProblems(checker.validate.errors ?? [], value);
  // Rules may rely on the types of what they look at, so they are not asked about nodes with errors in or below them.
  const broken = brokenPaths(problems);
  for (const place of places(checker.schema, value)) {
    problems.push(...duplicates(place));
    if (!broken.has(place.path)) problems.push(...outOfBounds(place));
  }
  for (const rule of checker.rules) {
    for (const { path, value: node } of valuesAt(value, rule.at)) {
      if (broken.has(path) || rule.check(node as never)) continue;
      problems.push({ path: path + (rule.field ?? ''), reason: rule.reason, message: rule.message });
    }
  }
  return problems;
}

/** Paths of problems and of everything above them. An unknown field does no harm to the known ones. */
function brokenPaths(problems: readonly Problem[]): ReadonlySet<string> {
  const broken = new Set<string>();
  for (const { path, reason } of problems) {
    if (reason === 'UnknownField') continue;
    broken.add(path);
    for (const { index } of path.matchAll(/[.[]/g)) broken.add(path.slice(0, index));
  }
  return broken;
}

function outOfBounds({ path, node, value }: Place): Problem[] {
  const amount = node['x-amount'];
  if (amount === undefined || typeof value !== 'string' || withinAmount(value, amount)) return [];
  return [{ path, reason: 'Invalid', message: `${amountMessage(amount)}, not ${show(value)}` }];
}

/** Items that a list of type `set` or `map` has twice. */
function duplicates({ path, node, value }: Place): Problem[] {
  const type = node['x-kubernetes-list-type'];
  if (!Array.isArray(value) || type === undefined || type === 'atomic') return [];
  const keys = node['x-kubernetes-list-map-keys'];
  const first = new Map<string, number>();
  const problems: Problem[] = [];
  for (const [i, item] of (value as unknown[]).entries()) {
    const identity = JSON.stringify(keys === undefined ? item : keys.map((key) => (isFields(item) ? item[key] : i)));
    const earlier = first.get(identity);
    if (earlier === undefined) first.set(identity, i);
    else problems.push({ path: itemPath(path, i), reason: 'Duplicate', message: `is the same as item ${earlier}` });
  }
  return problems;
}
