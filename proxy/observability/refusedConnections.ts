/** Connections that a thread did not serve: counted, and said now and then. */
import type { Cell, ColumnWriter } from './columns.ts';
import type { RefusedConnection } from './types.ts';

/** A flood of connections must not become a flood of log lines. */
const REPORT_EVERY_MS = 10_000;

export class RefusedConnections {
  readonly #cells: Readonly<Record<RefusedConnection, Cell>>;
  readonly #now: () => number;
  readonly #report: (message: string) => void;
  #reportedAtMs = Number.NEGATIVE_INFINITY;
  #unreported = 0;

  /** @param report takes the first refusal, and then a sum every ten seconds while there are more */
  constructor(writer: ColumnWriter, now: () => number, report: (message: string) => void) {
    const cell = (reason: RefusedConnection) => writer.counter('proxy_connections_refused_total', { reason });
    this.#cells = { limit: cell('limit'), accept: cell('accept') };
    this.#now = now;
    this.#report = report;
  }

  count(reason: RefusedConnection, detail: string): void {
    this.#cells[reason].add(1);
    this.#unreported += 1;
    const nowMs = this.#now();
    if (nowMs - this.#reportedAtMs < REPORT_EVERY_MS) return;
    this.#report(`connections refused: ${this.#unreported} (${reason}: ${detail})`);
    this.#reportedAtMs = nowMs;
    this.#unreported = 0;
  }
}
