/** docs/CONFIG.md from the document's schema. */
import { page, table } from './markdown.ts';

/** The part of JSON Schema that the document uses. */
export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: string | number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

function typeOf(s: Schema): string {
  if (s.enum !== undefined) return s.enum.map((v) => `\`${String(v)}\``).join(', ');
  if (s.const !== undefined) return `\`${String(s.const)}\``;
  if (s.anyOf !== undefined) return [...new Set(s.anyOf.map(typeOf))].join(' or ');
  if (s.type === 'array') return `list of ${s.items === undefined ? 'any' : typeOf(s.items)}`;
  if (s.patternProperties !== undefined) return 'map';
  return s.type === 'string' ? 'text' : (s.type ?? 'any');
}

function boundsOf(s: Schema): string {
  const parts: string[] = [];
  if (s.minimum !== undefined) parts.push(`≥ ${s.minimum}`);
  if (s.exclusiveMinimum !== undefined) parts.push(`> ${s.exclusiveMinimum}`);
  if (s.maximum !== undefined) parts.push(`≤ ${s.maximum}`);
  if (s.maxLength !== undefined && s.maxLength > 32) parts.push(`≤ ${s.maxLength} characters`);
  if (s.minItems !== undefined && s.minItems > 0) parts.push(`≥ ${s.minItems} items`);
  if (s.maxItems !== undefined) parts.push(`≤ ${s.maxItems} items`);
  return parts.join(', ');
}

/** Objects below a schema that have fields of their own. */
function nested(s: Schema): Schema[] {
  if (s.items !== undefined) return nested(s.items);
  if (s.anyOf !== undefined) return s.anyOf.flatMap(nested);
  if (s.patternProperties !== undefined) return Object.values(s.patternProperties).flatMap(nested);
  return s.properties === undefined ? [] : [s];
}

function rowsOf(schema: Schema, prefix: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, s]) => {
    const path = `${prefix}${name}`;
    const required = schema.required?.includes(name) === true ? 'yes' : '';
    const below = s.patternProperties === undefined ? `${path}${s.type === 'array' ? '[]' : ''}.` : `${path}.*.`;
    return [
      [`\`${path}\``, typeOf(s), required, boundsOf(s), s.description ?? ''],
      ...nested(s).flatMap((n) => rowsOf(n, below)),
    ];
  });
}

export function configDoc(schema: Schema): string {
  const sections = Object.entries(schema.properties ?? {}).map(([name, s]) => {
    const rows = nested(s).flatMap((n) => rowsOf(n, ''));
    const intro = s.description === undefined ? '' : `${s.description}\n\n`;
    return `## \`${name}\`\n\n${intro}${rows.length === 0 ? `Type: ${typeOf(s)}.` : table(['Field', 'Type', 'Required', 'Bounds', 'Meaning'], rows)}`;
  });
  return page(
    'Configuration document',
    'A standalone proxy reads one document, JSON or YAML, with `-config-file`; the operator produces the same language from objects. Unknown fields are errors. Examples are in `configs/examples`, the JSON Schema in `docs/reference/config.schema.json`, and how routes are chosen in `docs/ROUTING.md`. What is not carried out yet is listed in `docs/reference/not-implemented.md`.',
    sections.join('\n\n'),
  );
}
