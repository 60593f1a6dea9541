/** What is wrong within one entry, before it is known whose entry it is. */
import type { FindingReason, Severity } from '../contract/finding.ts';

export interface Problem {
  /** Below the entry, such as `.hosts[0]`; '' for the entry itself. */
  readonly path: string;
  readonly reason: FindingReason;
  readonly message: string;
  readonly severity: Severity;
}

/** Problems of one entry beyond this number say nothing new, and an entry may be as large as its file. */
const MAX_PROBLEMS = 100;

/** Collects the problems of one entry. */
export class Problems {
  readonly list: Problem[] = [];

  error(path: string, reason: FindingReason, message: string): void {
    this.#add({ path, reason, message, severity: 'error' });
  }

  warning(path: string, reason: FindingReason, message: string): void {
    this.#add({ path, reason, message, severity: 'warning' });
  }

  #add(problem: Problem): void {
    if (this.list.length < MAX_PROBLEMS) this.list.push(problem);
  }
}

const PLAIN_KEY = /^[A-Za-z0-9_-]{1,64}$/;
const QUOTED_LENGTH = 80;

/** A user's text within a message: quoted, and cut where it is long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > QUOTED_LENGTH ? `${text.slice(0, QUOTED_LENGTH)}…` : text);
}

/** The path of a field below another: `.name`, or `["odd name"]`. */
export function at(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  return PLAIN_KEY.test(key) ? `${path}.${key}` : `${path}[${quote(key)}]`;
}

/** The path of a field of the document itself. */
export function root(key: string): string {
  return at('', key).replace(/^\./, '');
}

/** `; did you mean "path"?` when one of the names is close to what was written, else ''. */
export function didYouMean(written: string, names: readonly string[]): string {
  if (written.length > 64) return '';
  const most = Math.min(2, Math.ceil(written.length / 3));
  let best: string | undefined;
  let least = most + 1;
  for (const name of names) {
    const distance = editDistance(written.toLowerCase(), name.toLowerCase());
    if (distance < least) [best, least] = [name, distance];
  }
  return best === undefined ? '' : `; did you mean ${quote(best)}?`;
}

/** Damerau-Levenshtein (optimal string alignment): swapped neighbours are one mistake. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const cell = (i: number, j: number) => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          cell(i - 1, j) + 1,
          cell(i, j - 1) + 1,
          cell(i - 1, j - 1) + same,
          swapped ? cell(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
  }
  return cell(a.length, b.length);
}
