/** JSON with what JSON.parse leaves out: keys used twice are errors, and errors name their line. */
import { fail, ok, type Result } from '../contract/result.ts';
import { quote } from './problem.ts';

/** Parses JSON text; the error is a sentence. */
export function parseJson(text: string): Result<unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return fail(describe(text, error));
  }
  const twice = findRepeatedKey(text);
  if (twice === undefined) return ok(value);
  return fail(`the key ${quote(twice.key)} is used twice in one object (line ${lineAt(text, twice.at)})`);
}

function describe(text: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const position = /at position ([0-9]+)/.exec(message)?.[1];
  const end = message.includes('end of JSON input') ? text.length : undefined;
  const offset = position === undefined ? end : Number(position);
  // The engine's own words quote the text around the error, which may be long.
  const what = message.replace(/ in JSON at position.*$/s, '').replace(/, ("|\.\.\.).* is not valid JSON$/s, '');
  return offset === undefined ? what : `${what} (line ${lineAt(text, offset)})`;
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let i = text.indexOf('\n'); i !== -1 && i < offset; i = text.indexOf('\n', i + 1)) line += 1;
  return line;
}

/** Strings, and the characters that open, close and part objects and lists. The text is known to be JSON. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

function findRepeatedKey(text: string): { key: string; at: number } | undefined {
  // One set of keys per open object, null per open list.
  const open: (Set<string> | null)[] = [];
  let key: { text: string; at: number } | undefined;
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (token.startsWith('"')) key = { text: token, at: index };
    else if (token === ':' && key !== undefined) {
      const name = String(JSON.parse(key.text));
      const keys = open.at(-1);
      if (keys?.has(name) === true) return { key: name, at: key.at };
      keys?.add(name);
    }
  }
  return undefined;
}
