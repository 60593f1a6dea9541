/** Logs what is wrong with the input once, when it comes up, and says when it is gone. */
import { formatFinding, type Finding } from '../../proxy/contract/finding.ts';
import { limit } from '../../proxy/contract/limits.ts';
import type { Logger } from '../../proxy/observability/logger.ts';

export class FindingLog {
  readonly #logger: Logger;
  /** By where they were found: an unrelated edit does not repeat the findings of another place. */
  readonly #byOrigin = new Map<string, ReadonlyMap<string, Finding>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Replaces the findings of one origin. */
  set(origin: string, findings: readonly Finding[]): void {
    const before = this.#known();
    this.#byOrigin.set(origin, new Map(findings.slice(0, limit('findings')).map((f) => [formatFinding(f), f])));
    const after = this.#known();
    for (const [text, finding] of after) {
      if (before.has(text)) continue;
      // The line has a level of its own.
      const message = text.replace(/^(error|warning) /, '');
      if (finding.severity === 'error') this.#logger.error({}, message);
      else this.#logger.warn({}, message);
    }
    for (const text of before.keys())
      if (!after.has(text)) this.#logger.info({}, `no longer: ${text.replace(/^(error|warning) /, '')}`);
  }

  #known(): Map<string, Finding> {
    return new Map([...this.#byOrigin.values()].flatMap((findings) => [...findings]));
  }
}
