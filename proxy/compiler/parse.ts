/** Text to value: JSON, or YAML 1.2 of which only what JSON can say is taken. */
import { LineCounter, parseDocument as parseYamlDocument, type YAMLError } from 'yaml';
import { errorAt, type FindingReason } from '../contract/finding.ts';
import { limit } from '../contract/limits.ts';
import { fail, ok, type Result } from '../contract/result.ts';
import { parseJson } from './json.ts';
import { validateDocument, type Validated } from './validate.ts';

/**
 * Reads a hand-written document: syntax, schema, and the rules within each entry. References between entries are
 * followed by `compileEntries`.
 * @param source where the text is from, as findings name it
 */
export function parseDocument(text: string, source: string): Validated {
  const parsed = parseText(text);
  if (parsed.ok) return validateDocument(parsed.value, source);
  const { reason, message } = parsed.error;
  return { document: undefined, findings: [{ ...errorAt('', '', reason, message), source }] };
}

interface TextError {
  readonly reason: FindingReason;
  readonly message: string;
}

/** The value that a text of JSON or YAML stands for; made of objects, lists, text, numbers, booleans and null. */
export function parseText(text: string): Result<unknown, TextError> {
  if (Buffer.byteLength(text) > limit('inputFileBytes'))
    return fail({ reason: 'TooLarge', message: `the text is over ${limit('inputFileBytes')} bytes` });
  // A file cut short by its writer must not count as a document without routes.
  if (text.trim() === '') return fail({ reason: 'Malformed', message: 'the text is empty' });
  // JSON is YAML too, but its own parser is some hundred times faster.
  const parsed = /^\s*[{[]/.test(text) ? parseJsonOrYaml(text) : parseYaml(text);
  if (!parsed.ok) return fail({ reason: 'Malformed', message: parsed.error });
  const odd = findOddValue(parsed.value);
  return odd === undefined ? ok(parsed.value) : fail({ reason: 'Malformed', message: odd });
}

/** A YAML document may begin with a brace; the error that helps is the one of JSON unless it is YAML. */
function parseJsonOrYaml(text: string): Result<unknown> {
  const json = parseJson(text);
  if (json.ok || text.length > MAX_SECOND_TRY) return json;
  const yaml = parseYaml(text);
  return yaml.ok && !json.error.includes('used twice') ? yaml : json;
}

/** Reading broken JSON a second time, as YAML, is worth it only while it is quick. */
const MAX_SECOND_TRY = 64 * 1024;

function parseYaml(text: string): Result<unknown> {
  const lines = new LineCounter();
  try {
    const document = parseYamlDocument(text, {
      version: '1.2',
      uniqueKeys: true,
      prettyErrors: false,
      lineCounter: lines,
      logLevel: 'error',
    });
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem !== undefined) return fail(describe(problem, lines));
    return ok(document.toJS({ maxAliasCount: limit('yamlAliases') }));
  } catch (error) {
    // The parser throws on too many aliases, and on lists nested so deep that the stack ends.
    return fail(error instanceof Error ? error.message : String(error));
  }
}

function describe(problem: YAMLError, lines: LineCounter): string {
  const message = problem.message.replaceAll('\n', ' ');
  if (problem.code === 'MULTIPLE_DOCS') return 'the text holds several YAML documents; it must be one';
  return `${message} (line ${lines.linePos(problem.pos[0]).line})`;
}

/** Nothing of ours is nested deeper; recursion further on relies on it. */
const MAX_DEPTH = 64;

/** What YAML can say and JSON cannot, or what would reach into JavaScript objects. */
function findOddValue(root: unknown): string | undefined {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value: root, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (typeof value === 'number' && !Number.isFinite(value)) return 'numbers must be finite';
    if (typeof value === 'bigint' || typeof value === 'symbol') return 'values must be such as JSON has';
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= MAX_DEPTH) return `the text is nested deeper than ${MAX_DEPTH} levels`;
    if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype)
      return 'values must be such as JSON has';
    if (Object.hasOwn(value, '__proto__')) return 'the key "__proto__" is not allowed';
    for (const item of Object.values(value)) open.push({ value: item, depth: depth + 1 });
  }
  return undefined;
}
