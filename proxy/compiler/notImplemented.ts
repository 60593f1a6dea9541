/** The fields of an entry that ask for what this version does not carry out: one list, in the contract, decides. */
import type { Section } from '../contract/document/entries.ts';
import { NOT_IMPLEMENTED } from '../contract/notImplemented.ts';
import { at, quote, type Problem } from './problem.ts';

/** Where the entries of a section stand in the document, as the list names it. */
const SECTION_PATHS: Readonly<Record<Section, string>> = {
  routes: 'routes[]',
  pools: 'pools[]',
  policies: 'policies[]',
  traffic_management: 'traffic_management[]',
  middleware: 'middleware[]',
  cache: 'cache[]',
  plugins: 'plugins[]',
  tls_certificates: 'tls.certificates[]',
  tls_routes: 'tls.routes[]',
  tls_mtls: 'tls.mtls',
  http: 'http',
  metrics: 'metrics',
  access_log: 'access_log',
  tracing: 'tracing',
};

interface Rule {
  /** Keys from the entry to the field; none for the whole entry. */
  readonly keys: readonly string[];
  /** Only these values are meant. */
  readonly values: readonly string[] | undefined;
}

const rules = new Map<Section, readonly Rule[]>();
for (const [section, sectionPath] of Object.entries(SECTION_PATHS) as [Section, string][]) {
  rules.set(
    section,
    NOT_IMPLEMENTED.flatMap(({ document, values }): Rule[] => {
      if (document === undefined) return [];
      if (`${sectionPath}.`.startsWith(`${document}.`) || sectionPath.startsWith(`${document}[`))
        return [{ keys: [], values }];
      return document.startsWith(`${sectionPath}.`)
        ? [{ keys: document.slice(sectionPath.length + 1).split('.'), values }]
        : [];
    }),
  );
}

/** NotImplemented for each field of the (schema-checked) value that asks for something. */
export function notImplementedProblems(section: Section, value: unknown): readonly Problem[] {
  const problems: Problem[] = [];
  for (const { keys, values } of rules.get(section) ?? []) {
    const field = fieldAt(value, keys);
    if (values === undefined ? !asksFor(section, field) : !namesOneOf(values, field)) continue;
    const path = keys.reduce<string>(at, '');
    const what = typeof field === 'string' && values !== undefined ? `${quote(field)} ` : '';
    const message = `${what}is not implemented by this version, which refuses what it would not carry out`;
    problems.push({ path, reason: 'NotImplemented', message, severity: 'error' });
  }
  return problems;
}

function fieldAt(value: unknown, keys: readonly string[]): unknown {
  let field = value;
  for (const key of keys) {
    if (typeof field !== 'object' || field === null || !Object.hasOwn(field, key)) return undefined;
    field = (field as Readonly<Record<string, unknown>>)[key];
  }
  return field;
}

/** What is switched off, empty or zero asks for nothing: writing a default down is no error. */
function asksFor(section: Section, value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value !== 'object') return true;
  // Caching is off unless a route's entry switches it on.
  if (section === 'cache') return fieldAt(value, ['enabled']) === true;
  return fieldAt(value, ['enabled']) !== false && Object.keys(value).length > 0;
}

/** A value that may also be written as an object with a type. */
function namesOneOf(values: readonly string[], field: unknown): boolean {
  const name = typeof field === 'object' ? fieldAt(field, ['type']) : field;
  return typeof name === 'string' && values.includes(name);
}
