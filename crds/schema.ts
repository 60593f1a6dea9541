/**
 * Builders for the schemas of the kinds. They yield only what CustomResourceDefinitions take (structural schemas: no
 * `const`, `oneOf`, `$ref` or tuple), and cannot be called without a description and bounds: the API server's cost limits for
 * CEL need them, and `kubectl explain` and docs/reference show them.
 */
import Type, { type TProperties, type TSchema } from 'typebox';
import { DURATION_PATTERN, SIZE_PATTERN } from '../proxy/contract/units.ts';

/**
 * Annotations of our own beside JSON Schema. The generator turns them into text and CEL; none of them reaches a CRD.
 * Defaults are documented here and applied by the translation, never by the API server: a default written into an
 * object could not be told from a user's choice.
 */
interface Annotations {
  /** Default as users would write it. */
  readonly 'x-default'?: string;
  /** What the pattern asks for, in words that follow “must be”. */
  readonly 'x-syntax'?: string;
  /** The text is an amount within these bounds (milliseconds or bytes), inclusive. */
  readonly 'x-amount'?: Amount;
}

export interface Amount {
  readonly unit: 'duration' | 'size';
  readonly min: string;
  readonly max: string;
}

/** A schema as generators and validation read it: what the builders below yield, and nothing else. */
export interface SchemaNode extends Annotations {
  readonly type?: string;
  readonly description?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'atomic';
}

/** How server-side apply merges a list, and what may not repeat in it. */
export type ListType = 'atomic' | 'set' | { readonly keys: readonly string[] };

/** An object of known fields only. The generator leaves `additionalProperties: false` out of CRDs, which forbid it. */
export function object<P extends TProperties>(description: string, properties: P) {
  return Type.Object(properties, { additionalProperties: false, description });
}

/** An object that server-side apply treats as one value, as references are: half of two of them would be neither. */
export function atomic<P extends TProperties>(description: string, properties: P) {
  return Type.Object(properties, { additionalProperties: false, description, 'x-kubernetes-map-type': 'atomic' });
}

export const optional = Type.Optional;

interface TextOptions {
  readonly max: number;
  readonly min?: number;
  readonly pattern?: string;
  /** Required beside `pattern`: what is asked for, in words that follow “must be”. */
  readonly syntax?: string;
  readonly default?: string;
}

export function text(description: string, options: TextOptions) {
  return Type.String({
    description,
    minLength: options.min ?? 1,
    maxLength: options.max,
    ...(options.pattern === undefined ? {} : { pattern: options.pattern }),
    ...(options.syntax === undefined ? {} : { 'x-syntax': options.syntax }),
    ...documented(options.default),
  });
}

/** One of a closed set of CamelCase words. */
export function oneOf<const V extends readonly string[]>(description: string, values: V, byDefault?: V[number]) {
  return Type.Unsafe<V[number]>(Type.String({ description, enum: [...values], ...documented(byDefault) }));
}

export function boolean(description: string, byDefault: boolean) {
  return Type.Boolean({ description, ...documented(String(byDefault)) });
}

interface NumberOptions {
  readonly min: number;
  readonly max: number;
  readonly default?: number;
}

export function integer(description: string, options: NumberOptions) {
  return Type.Integer({
    description,
    minimum: options.min,
    maximum: options.max,
    ...documented(options.default?.toString()),
  });
}

export function number(description: string, options: NumberOptions) {
  return Type.Number({
    description,
    minimum: options.min,
    maximum: options.max,
    ...documented(options.default?.toString()),
  });
}

interface AmountOptions {
  readonly min: string;
  readonly max: string;
  readonly default?: string;
}

/** Longest text of the GEP-2257 pattern: four times five digits and a unit of two letters. */
const DURATION_LENGTH = 28;

/** A GEP-2257 duration within bounds. */
export function duration(description: string, { min, max, default: byDefault }: AmountOptions) {
  return Type.String({
    description,
    maxLength: DURATION_LENGTH,
    pattern: DURATION_PATTERN,
    'x-syntax': 'a duration such as 500ms, 3s or 1h30m',
    'x-amount': { unit: 'duration', min, max } satisfies Amount,
    ...documented(byDefault),
  });
}

/** Bytes within bounds, as text: `MB` is 10⁶, `Mi` is 2²⁰. */
export function size(description: string, { min, max, default: byDefault }: AmountOptions) {
  return Type.String({
    description,
    maxLength: 15,
    pattern: SIZE_PATTERN,
    'x-syntax': 'a size such as 512, 64Ki or 1MB',
    'x-amount': { unit: 'size', min, max } satisfies Amount,
    ...documented(byDefault),
  });
}

export const PERCENT_PATTERN = '^(100(\\.0{1,4})?|[0-9]{1,2}(\\.[0-9]{1,4})?)%$';

/** A percentage as text, since shares far below 1% are common and CRDs should not hold fractions as numbers. */
export function percent(description: string, byDefault?: string) {
  return text(description, {
    max: 9,
    pattern: PERCENT_PATTERN,
    syntax: 'a percentage such as 1% or 0.05%',
    ...(byDefault === undefined ? {} : { default: byDefault }),
  });
}

interface ListOptions {
  readonly max: number;
  readonly min?: number;
  readonly type: ListType;
}

export function list<T extends TSchema>(description: string, item: T, options: ListOptions) {
  return Type.Array(item, {
    description,
    ...(options.min === undefined ? {} : { minItems: options.min }),
    maxItems: options.max,
    ...listType(options.type),
  });
}

interface TextMapOptions {
  readonly max: number;
  readonly valueMax: number;
  readonly valuePattern?: string;
  readonly valueSyntax?: string;
}

/** Text by text, for what is a map everywhere in Kubernetes (labels) or has keys that nobody but a plugin knows. */
export function textMap(description: string, options: TextMapOptions) {
  return Type.Unsafe<Record<string, string>>({
    type: 'object',
    description,
    maxProperties: options.max,
    additionalProperties: {
      type: 'string',
      maxLength: options.valueMax,
      ...(options.valuePattern === undefined ? {} : { pattern: options.valuePattern }),
      ...(options.valueSyntax === undefined ? {} : { 'x-syntax': options.valueSyntax }),
    },
  });
}

function listType(type: ListType) {
  if (typeof type === 'string') return { 'x-kubernetes-list-type': type };
  return { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [...type.keys] };
}

function documented(byDefault: string | undefined) {
  return byDefault === undefined ? {} : { 'x-default': byDefault };
}
