/** Building blocks shared by the sections of the document. */
import Type, { type TProperties } from 'typebox';
import { limit } from '../limits.ts';
import { DURATION_PATTERN, SIZE_PATTERN } from '../units.ts';

/** An object that takes no unknown field: a misspelt name is an error, never silently ignored. */
export function strict<P extends TProperties>(properties: P, description?: string) {
  return Type.Object(properties, {
    additionalProperties: false,
    ...(description === undefined ? {} : { description }),
  });
}

/** A name other parts of the document refer to: `<namespace>/<name>` from the operator, any printable text by hand. */
export function id(description: string) {
  return Type.String({
    minLength: 1,
    maxLength: limit('idLength'),
    pattern: '^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$',
    description,
  });
}

export function text(description: string, maxLength: number, pattern?: string) {
  return Type.String({ minLength: 1, maxLength, description, ...(pattern === undefined ? {} : { pattern }) });
}

export function duration(description: string) {
  return Type.String({
    pattern: DURATION_PATTERN,
    maxLength: 32,
    description: `${description} A duration such as 500ms, 3s or 1h30m.`,
  });
}

/** Bytes as a number, or text: `MB` is 10⁶, `Mi` is 2²⁰. */
export function size(description: string) {
  return Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: SIZE_PATTERN, maxLength: 20 })], {
    description: `${description} Bytes, or text such as 64Ki or 1MB.`,
  });
}

export function integer(description: string, minimum: number, maximum: number) {
  return Type.Integer({ minimum, maximum, description });
}

export function percent(description: string) {
  return Type.Number({ minimum: 0, maximum: 100, description: `${description} Percent, 0 to 100.` });
}

export function oneOf<const V extends readonly string[]>(values: V, description: string) {
  return Type.Enum(values, { description });
}

/** RFC 9110 §5.1 field names. */
export const TOKEN_PATTERN = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
/** RFC 9110 §5.5 field values without obs-text: printable, no leading or trailing space. */
export const FIELD_VALUE_PATTERN = '^([!-~]([ -~\\t]*[!-~])?)?$';
/** A path as a request carries it: begins with `/`, visible ASCII, no query and no fragment. */
export const PATH_PATTERN = '^/[!-"$-;=@-~]*$';
