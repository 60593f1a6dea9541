/** Text of a manifest file → documents. Every document is read by itself, so that a broken one breaks no other. */
import { isCollection, isPair, LineCounter, parseDocument, type Document, type ErrorCode } from 'yaml';
import { errorAt, type Finding } from '../../proxy/contract/finding.ts';
import { limit } from '../../proxy/contract/limits.ts';

/** One object as it was written; what it is has not been looked at. */
export interface RawObject {
  readonly value: Readonly<Record<string, unknown>>;
  /** Line in the document's text, from 0. */
  readonly line: number;
}

const PARSE_OPTIONS = { stringKeys: true, merge: true, logLevel: 'error', prettyErrors: false } as const;

const TOO_DEEP = `is nested more than ${limit('yamlDepth')} deep`;
/** Where the library's own words would say nothing to the author of a file. */
const MESSAGES: Partial<Record<ErrorCode, string>> = {
  RESOURCE_EXHAUSTION: TOO_DEEP,
  NON_STRING_KEY: 'keys must be text',
};

/** What one document of a file holds, independent of its place in it. */
export interface ParsedDocument {
  readonly objects: readonly RawObject[];
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

/** A document's text and the line it begins at, from 1. */
export interface DocumentText {
  readonly text: string;
  readonly line: number;
}

/**
 * Splits a file at its `---` lines, as kubectl does. YAML allows no such line within a scalar (YAML 1.2 §9.1.2), so that
 * a document that is cut short cannot swallow the next.
 */
export function splitDocuments(text: string): DocumentText[] {
  const documents: DocumentText[] = [];
  let line = 1;
  let from = 0;
  for (const { index } of text.matchAll(/^---(?=[ \t\r\n]|$)/gm)) {
    if (index > from) documents.push({ text: text.slice(from, index), line });
    line += countNewlines(text, from, index);
    from = index + '---'.length;
  }
  documents.push({ text: text.slice(from), line });
  return documents.filter((document) => /\S/.test(document.text));
}

/** Reads YAML or JSON; the items of a `kind: List` count as objects of their own. */
export function parseManifest(text: string): ParsedDocument {
  const lines = new LineCounter();
  // Without stringKeys, collections as keys are turned into text in time exponential in their depth.
  const document = parseDocument(text, { ...PARSE_OPTIONS, lineCounter: lines });
  const lineAt = (offset: number) => Math.max(lines.linePos(offset).line - 1, 0);
  const [error] = document.errors;
  if (error !== undefined) return broken(lineAt(error.pos[0]), MESSAGES[error.code] ?? error.message);
  if (isNestedTooDeeply(document.contents, nodesBelow)) return broken(0, TOO_DEEP);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: limit('yamlAliases') });
  } catch (cause) {
    // For aliases that would blow up or name nothing, and merges of what is no map: always about the text.
    return broken(0, cause instanceof Error ? cause.message : String(cause));
  }
  if (isNestedTooDeeply(value, valuesBelow)) return broken(0, TOO_DEEP);
  if (value === null) return { objects: [], problems: [] };
  if (!isMap(value)) return broken(0, 'must be an object with apiVersion and kind');
  if (value['kind'] !== 'List' || value['apiVersion'] !== 'v1') {
    return { objects: [{ value, line: lineAt(document.contents?.range?.[0] ?? 0) }], problems: [] };
  }
  return listItems(document, value, lineAt);
}

/** The finding for a problem at a line of a file. */
export function malformed(file: string, line: number, message: string): Finding {
  return { ...errorAt('', '', 'Malformed', message), source: `${file}:${line}` };
}

function listItems(
  document: Document,
  list: Readonly<Record<string, unknown>>,
  lineAt: (offset: number) => number,
): ParsedDocument {
  const { items } = list;
  if (!Array.isArray(items)) return broken(0, 'a List must have items');
  const objects: RawObject[] = [];
  const problems: { line: number; message: string }[] = [];
  for (const [i, item] of (items as unknown[]).entries()) {
    const node = document.getIn(['items', i], true);
    const line = lineAt((node as { range?: readonly number[] } | undefined)?.range?.[0] ?? 0);
    if (isMap(item)) objects.push({ value: item, line });
    else problems.push({ line, message: `items[${i}] must be an object` });
  }
  return { objects, problems };
}

/** Whether collections lie deeper in each other than anybody writes, or in themselves; what comes after recurses. */
function isNestedTooDeeply(root: unknown, below: (value: unknown) => readonly unknown[]): boolean {
  const stack = [{ value: root, depth: 0 }];
  // The last one first: whatever leads back to itself is followed down, and found out, before anything else.
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { value, depth } = next;
    const children = below(value);
    if (children.length > 0 && depth >= limit('yamlDepth')) return true;
    for (const child of children) stack.push({ value: child, depth: depth + 1 });
  }
  return false;
}

function nodesBelow(node: unknown): readonly unknown[] {
  return isCollection(node) ? node.items.map((item) => (isPair(item) ? item.value : item)) : [];
}

/** Aliases are followed here, which is bounded by `yamlAliases`. */
function valuesBelow(value: unknown): readonly unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value) : [];
}

function broken(line: number, message: string): ParsedDocument {
  return { objects: [], problems: [{ line, message }] };
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function countNewlines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at !== -1 && at < to; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
