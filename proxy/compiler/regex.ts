/** Users' regular expressions: RE2 syntax, searched for anywhere in a text, bounded before they ever run. */
import { RE2JS, RE2JSException } from 're2js';
import { limit } from '../contract/limits.ts';
import { fail, ok, type Result } from '../contract/result.ts';
import { buildAutomaton } from './automaton.ts';
import { needsUnicode, programOf } from './regexProgram.ts';

export interface UserRegex {
  readonly source: string;
  /** Whether it matches somewhere in the text: a table look-up per character. */
  test(text: string): boolean;
}

/** The same expressions come again with every change, and from many routes. */
const compiled = new Map<string, Result<UserRegex>>();

/**
 * Compiles what a user wrote, or says why not: over a limit, malformed, or syntax that RE2 has not (look-around,
 * back-references). Characters beyond Latin-1 are refused, since nothing that is matched has them.
 */
export function compileRegex(source: string): Result<UserRegex> {
  let regex = compiled.get(source);
  if (regex === undefined) {
    regex = compileAnew(source);
    const oldest = compiled.size < limit('regexesPerFleet') ? undefined : compiled.keys().next().value;
    if (oldest !== undefined) compiled.delete(oldest);
    compiled.set(source, regex);
  }
  return regex;
}

function compileAnew(source: string): Result<UserRegex> {
  if (source.length > limit('regexLength')) return fail(`it is longer than ${limit('regexLength')} characters`);
  if (/[\u0000-\u001f\u007f]/.test(source)) return fail('it holds control characters; write them as escapes');
  const parsed = parse(source);
  if (!parsed.ok) return parsed;
  const program = programOf(parsed.value);
  if (program.instructions.length > limit('regexProgramSize'))
    return fail('it is too long once repetitions are spelt out');
  if (needsUnicode(program)) return fail('it tells characters beyond U+00FF apart');
  const automaton = buildAutomaton(program, { states: limit('regexStates'), steps: limit('regexSteps') });
  return automaton.ok ? ok({ source, test: (text) => automaton.value.test(text) }) : automaton;
}

function parse(source: string): Result<RE2JS> {
  try {
    return ok(RE2JS.compile(source));
  } catch (error) {
    if (error instanceof RE2JSException) return fail(error.message.replace(/^error parsing regexp: /, ''));
    throw error;
  }
}

/** The regex of a host: it must match the whole host, and case makes no difference (RFC 9110 §4.2.3). */
export function hostRegex(source: string): string {
  return `^(?i:${source})$`;
}

/** Order in which regexes are tried: the longer text first, as with prefixes; then by text, so that the order is total. */
export function compareRegexes(a: string, b: string): number {
  return b.length - a.length || (a < b ? -1 : a > b ? 1 : 0);
}
