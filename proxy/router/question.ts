/** What is asked of the router for one request. */
import { limit } from '../contract/limits.ts';
import type { HeaderLookup } from './types.ts';

export class Question {
  readonly path: string;
  readonly method: string;
  readonly headers: HeaderLookup;
  readonly #query: string;
  #parameters: Map<string, string> | undefined;

  /** `query` is without its question mark; '' when there is none. */
  constructor(path: string, method: string, headers: HeaderLookup, query: string) {
    this.path = path;
    this.method = method;
    this.headers = headers;
    this.#query = query;
  }

  /** The first value of a query parameter, decoded; '' when it has none, undefined when it does not occur. */
  parameter(name: string): string | undefined {
    if (this.#query === '') return undefined;
    // Most requests meet no query condition, so it is parsed for the first that does.
    this.#parameters ??= parseQuery(this.#query);
    return this.#parameters.get(name);
  }
}

/** `application/x-www-form-urlencoded`, as browsers write it. Parameters beyond the limit are not seen. */
function parseQuery(text: string): Map<string, string> {
  const values = new Map<string, string>();
  const most = limit('queryParameters');
  let from = 0;
  for (let count = 0; count < most && from <= text.length; count += 1) {
    const ampersand = text.indexOf('&', from);
    const end = ampersand === -1 ? text.length : ampersand;
    const pair = text.slice(from, end);
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    if (!values.has(name)) values.set(name, equals === -1 ? '' : decode(pair.slice(equals + 1)));
    from = end + 1;
  }
  return values;
}

/** Text whose escapes are incomplete or not UTF-8 is compared as it stands. */
function decode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
