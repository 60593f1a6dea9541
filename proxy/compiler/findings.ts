/** Findings of one check, bounded: further ones are counted, and errors are never crowded out by warnings. */
import { errorAt, warningAt, type Finding } from '../contract/finding.ts';
import { limit } from '../contract/limits.ts';

export class FindingList {
  readonly #errors: Finding[] = [];
  readonly #warnings: Finding[] = [];
  #errorCount = 0;
  #warningCount = 0;

  add(finding: Finding): void {
    if (finding.severity === 'error') {
      this.#errorCount += 1;
      if (this.#errors.length < limit('findings')) this.#errors.push(finding);
    } else {
      this.#warningCount += 1;
      if (this.#warnings.length < limit('findings')) this.#warnings.push(finding);
    }
  }

  get hasErrors(): boolean {
    return this.#errorCount > 0;
  }

  /** Nothing more would be listed; whoever checks may stop. */
  get isFull(): boolean {
    return this.#errorCount > limit('findings');
  }

  /** Errors first; as many as the limit lists, and then how many more there were. */
  list(): readonly Finding[] {
    const listed = [...this.#errors, ...this.#warnings].slice(0, limit('findings'));
    const unlisted = this.#errorCount + this.#warningCount - listed.length;
    if (unlisted === 0) return listed;
    const message = `at least ${unlisted} further findings are not listed`;
    const tooMany = this.#errorCount > limit('findings') ? errorAt : warningAt;
    return [...listed, tooMany('', '', 'TooLarge', message)];
  }
}
