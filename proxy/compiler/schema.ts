/** Entries against their schemas, with errors that a person understands. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { TSchema } from 'typebox';
import type { Section } from '../contract/document/entries.ts';
import {
  accessLogSchema,
  httpSchema,
  metricsSchema,
  pluginSchema,
  rolloutSchema,
  tlsSchema,
  tracingSchema,
} from '../contract/document/fleet.ts';
import { PATH_PATTERN, TOKEN_PATTERN } from '../contract/document/parts.ts';
import { chainSchema, policySchema, poolSchema } from '../contract/document/pools.ts';
import { cacheSchema, routeSchema, trafficSchema } from '../contract/document/routes.ts';
import { DURATION_PATTERN, SIZE_PATTERN } from '../contract/units.ts';
import { at, didYouMean, quote, type Problem } from './problem.ts';

/** What is checked as one value: an entry, or the rollout block, which makes none. */
export type Checked = Section | 'rollout';

const SCHEMAS: Readonly<Record<Checked, TSchema>> = {
  routes: routeSchema,
  pools: poolSchema,
  policies: policySchema,
  traffic_management: trafficSchema,
  middleware: chainSchema,
  cache: cacheSchema,
  plugins: pluginSchema,
  tls_certificates: tlsSchema.properties.certificates.items,
  tls_routes: tlsSchema.properties.routes.items,
  tls_mtls: tlsSchema.properties.mtls,
  http: httpSchema,
  metrics: metricsSchema,
  access_log: accessLogSchema,
  tracing: tracingSchema,
  rollout: rolloutSchema,
};

/** Listing every error of a value with more fields and items than this could take more memory than the value. */
const MAX_NODES_LISTED = 10_000;

/** Stops at the first error, so it is fast and small for any value. */
const quick = new Ajv({ strict: true, verbose: true });
/** Goes on to the last error; only for values that have one. */
const thorough = new Ajv({ strict: true, verbose: true, allErrors: true });

/** Made when first needed: it takes milliseconds, and a proxy meets few of the sections. Ajv keeps them by schema. */
function validatorOf(ajv: Ajv, checked: Checked): ValidateFunction {
  return ajv.compile(SCHEMAS[checked]);
}

/** Everything in which the value breaks its schema; none when it fits. */
export function schemaProblems(checked: Checked, value: unknown): readonly Problem[] {
  let validate = validatorOf(quick, checked);
  if (validate(value)) return [];
  if (countNodes(value, MAX_NODES_LISTED) < MAX_NODES_LISTED) {
    validate = validatorOf(thorough, checked);
    validate(value);
  }
  return withoutOtherBranches(validate.errors ?? []).map(problemOf);
}

function countNodes(value: unknown, most: number): number {
  if (typeof value !== 'object' || value === null) return 1;
  let count = 1;
  for (const item of Object.values(value)) {
    count += countNodes(item, most - count);
    if (count >= most) break;
  }
  return count;
}

/**
 * Of a union, keeps the errors of the one branch that the value was meant for: the one with its type. A value of no
 * branch's type keeps the error of the union itself.
 */
function withoutOtherBranches(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  let kept = errors;
  for (const union of errors.filter((e) => e.keyword === 'anyOf')) {
    const branches = unionBranches(union);
    const meant = branches.findIndex((branch) => branchTypes(branch).includes(typeOf(union.data)));
    const prefix = `${union.schemaPath}/`;
    kept = kept.filter((e) => {
      if (e === union) return meant === -1;
      if (!e.schemaPath.startsWith(prefix) || !e.instancePath.startsWith(union.instancePath)) return true;
      return e.schemaPath.startsWith(`${prefix}${meant}/`);
    });
  }
  return kept;
}

/** The part of a schema that messages are made of. */
interface SchemaPart {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SchemaPart[];
  readonly properties?: Readonly<Record<string, unknown>>;
}

function parentOf(error: ErrorObject): SchemaPart {
  const schema: unknown = error.parentSchema;
  return typeof schema === 'object' && schema !== null ? schema : {};
}

function unionBranches(union: ErrorObject): readonly SchemaPart[] {
  return parentOf(union).anyOf ?? [];
}

function branchTypes(branch: SchemaPart): readonly string[] {
  if (branch.type === 'integer') return ['number'];
  return branch.type === undefined ? (branch.enum ?? []).map(typeOf) : [branch.type];
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

const ARTICLES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  integer: 'a whole number',
  null: 'null',
  number: 'a number',
  object: 'an object',
  string: 'text',
};

/** The patterns of the language in words. */
const PATTERNS: Readonly<Record<string, string>> = {
  [DURATION_PATTERN]: 'must be a duration such as 500ms, 3s or 1h30m',
  [SIZE_PATTERN]: 'must be a size such as 512, 64Ki or 1MB',
  [TOKEN_PATTERN]: "must hold only letters, digits and !#$%&'*+-.^_`|~ (RFC 9110 tokens)",
  [PATH_PATTERN]: 'must begin with / and hold only visible ASCII characters, no query, no fragment',
  '^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$':
    'must hold only letters, digits, “.”, “_”, “/” and “-”, and begin and end with a letter or digit',
};

function problemOf(error: ErrorObject): Problem {
  const path = pathOf(error.instancePath);
  const { reason, message, field } = describe(error);
  return { path: field === undefined ? path : at(path, field), reason, message, severity: 'error' };
}

interface Described {
  readonly reason: Problem['reason'];
  readonly message: string;
  /** The field below the value that the error is about. */
  readonly field?: string;
}

function describe(error: ErrorObject): Described {
  const params: Readonly<Record<string, unknown>> = error.params;
  switch (error.keyword) {
    case 'additionalProperties': {
      const field = String(params['additionalProperty']);
      const names = Object.keys(parentOf(error).properties ?? {});
      return { reason: 'UnknownField', message: `unknown field ${quote(field)}${didYouMean(field, names)}`, field };
    }
    case 'required': {
      const field = String(params['missingProperty']);
      return { reason: 'Required', message: 'is required', field };
    }
    default:
      return { reason: 'Invalid', message: messageOf(error, params) };
  }
}

function messageOf(error: ErrorObject, params: Readonly<Record<string, unknown>>): string {
  const bound = String(params['limit']);
  switch (error.keyword) {
    case 'type':
      if (params['type'] === 'integer' && typeof error.data === 'number') return 'must be a whole number';
      return mustBe([String(params['type'])], error.data);
    case 'anyOf':
      return mustBe(unionBranches(error).flatMap(branchTypes), error.data);
    case 'enum':
      return enumMessage(error);
    case 'const':
      return `must be ${JSON.stringify(params['allowedValue'])}`;
    case 'pattern':
      return PATTERNS[String(params['pattern'])] ?? `must match ${String(params['pattern'])}`;
    case 'minLength':
      return 'must not be empty';
    case 'maxLength':
      return `must not be longer than ${bound} characters`;
    case 'minItems':
      return `must have at least ${bound} items`;
    case 'maxItems':
      return `must not have more than ${bound} items`;
    case 'maxProperties':
      return `must not have more than ${bound} fields`;
    case 'uniqueItems':
      return `must not name the same twice (items ${String(params['j'])} and ${String(params['i'])})`;
    case 'minimum':
      return `must not be less than ${bound}`;
    case 'maximum':
      return `must not be more than ${bound}`;
    case 'exclusiveMinimum':
      return `must be more than ${bound}`;
    default:
      return error.message ?? `breaks the rule ${error.keyword}`;
  }
}

function mustBe(types: readonly string[], data: unknown): string {
  const wanted = [...new Set(types)].map((type) => ARTICLES[type] ?? type).join(' or ');
  return `must be ${wanted}, not ${ARTICLES[typeOf(data)] ?? typeOf(data)}`;
}

function enumMessage(error: ErrorObject): string {
  const names = (parentOf(error).enum ?? []).map(String);
  const hint = typeof error.data === 'string' ? didYouMean(error.data, names) : '';
  return `must be one of ${names.join(', ')}${hint}`;
}

/** `/hosts/0` (a JSON pointer) as `.hosts[0]`. */
function pathOf(pointer: string): string {
  let path = '';
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    path = at(path, /^[0-9]{1,9}$/.test(key) ? Number(key) : key);
  }
  return path;
}
