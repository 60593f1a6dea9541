/** The audit log: one JSON line for each decision, appended and never rewritten. */
import { appendFileSync } from 'node:fs';
import type { Logger } from '../../proxy/observability/logger.ts';

export class AuditLog {
  readonly #file: string | undefined;
  readonly #logger: Logger;

  /** @param file undefined: records go to the log */
  constructor(file: string | undefined, logger: Logger) {
    this.#file = file;
    this.#logger = logger;
  }

  /** A record that cannot be written goes to the log, so that it is not lost. */
  append(records: readonly object[]): void {
    for (const record of records) {
      if (this.#file === undefined) {
        this.#logger.info({ audit: record }, 'audit');
        continue;
      }
      try {
        appendFileSync(this.#file, `${JSON.stringify(record)}\n`, { mode: 0o640 });
      } catch (error) {
        this.#logger.error({ audit: record, reason: String(error) }, 'audit record could not be appended');
      }
    }
  }
}
