/** Users' regular expressions: RE2 syntax, linear time, bounded before they ever run. */
import { RE2JS, RE2JSException } from 're2js';
import { limit } from '../contract/limits.ts';
import { fail, ok, type Result } from '../contract/result.ts';

export interface UserRegex {
  readonly source: string;
  /** Whether it matches somewhere in the text. */
  test(text: string): boolean;
}

/**
 * Compiles what a user wrote, or says why not: over a limit, malformed, or syntax that RE2 has not (look-around,
 * back-references). Matching takes time linear in the text.
 */
export function compileRegex(source: string): Result<UserRegex> {
  if (source.length > limit('regexLength')) return fail(`longer than ${limit('regexLength')} characters`);
  if (/[\u0000-\u001f\u007f]/.test(source)) return fail('it holds control characters; write them as escapes');
  try {
    const compiled = RE2JS.compile(source);
    if (compiled.programSize() > limit('regexProgramSize'))
      return fail(`too complex: ${compiled.programSize()} steps, at most ${limit('regexProgramSize')}`);
    return ok({ source, test: (text) => compiled.test(text) });
  } catch (error) {
    if (error instanceof RE2JSException) return fail(error.message.replace(/^error parsing regexp: /, ''));
    throw error;
  }
}

/** The regex that matches the whole text only, as host regexes do. */
export function wholeText(source: string): string {
  return `^(?:${source})$`;
}

/** Order in which regexes are tried: the longer text first, as with prefixes; then by text, so that the order is total. */
export function compareRegexes(a: string, b: string): number {
  return b.length - a.length || (a < b ? -1 : a > b ? 1 : 0);
}
