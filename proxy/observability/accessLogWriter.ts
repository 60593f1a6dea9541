/** The access log, as the main thread writes it: to a file, which may be rotated and may fail for a while, or to stdout. */
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { limit } from '../contract/limits.ts';

export interface AccessLogWriterOptions {
  /** Path to append to; undefined: stdout. */
  readonly file: string | undefined;
  /** Bytes handed over by threads and not written yet; what is written, or lost, is taken off. */
  readonly pendingBytes: Int32Array;
  /** Why lines are lost; once for each time that the sink fails, however long that takes. */
  readonly onError: (error: Error) => void;
  /** Lines that were lost; those written in part count as lost. */
  readonly onDropped: (lines: number) => void;
  /** Pause before a sink that failed is tried again, doubled with each failure. */
  readonly retryMs?: { readonly first: number; readonly most: number };
}

const RETRY_MS = { first: 1_000, most: 30_000 };

export class AccessLogWriter {
  readonly #options: AccessLogWriterOptions;
  readonly #retryMs: { readonly first: number; readonly most: number };
  #sink: Writable;
  /** Batches on their way out. */
  #unwritten = 0;
  /** Since the last batch that was written. */
  #failures = 0;
  /** Runs while the sink is away: what comes then is lost. */
  #retry: NodeJS.Timeout | undefined;
  #onWritten: (() => void) | undefined;

  constructor(options: AccessLogWriterOptions) {
    this.#options = options;
    this.#retryMs = options.retryMs ?? RETRY_MS;
    this.#sink = this.#open();
    // Standard output stays open whatever fails, and is one stream for good.
    if (options.file === undefined) this.#sink.on('error', (error) => this.#fail(this.#sink, error));
  }

  /** @param lines whole lines, as one thread formatted them */
  write(lines: string): void {
    if (this.#retry !== undefined) return this.#lose(lines);
    this.#unwritten += 1;
    this.#sink.write(lines, (error) => {
      this.#unwritten -= 1;
      if (!(error instanceof Error)) this.#wrote(lines);
      else this.#lose(lines);
      if (this.#unwritten === 0) this.#onWritten?.();
    });
  }

  /** Opens the file by its name again: after a rotation, or when what made it fail is said to be over. */
  reopen(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (this.#options.file === undefined) return;
    const before = this.#sink;
    this.#sink = this.#open();
    if (!before.destroyed) before.end();
  }

  /** Waits until everything is written, though not for longer than `accessLogCloseMs`. */
  async close(): Promise<void> {
    clearTimeout(this.#retry);
    const bound = new AbortController();
    if (this.#unwritten > 0) {
      const written = new Promise<void>((resolve) => (this.#onWritten = resolve));
      const late = sleep(limit('accessLogCloseMs'), undefined, { signal: bound.signal }).catch(() => undefined);
      await Promise.race([written, late]);
      bound.abort();
    }
    if (this.#options.file !== undefined && !this.#sink.destroyed) this.#sink.end();
  }

  #open(): Writable {
    const { file } = this.#options;
    if (file === undefined) return process.stdout;
    const sink = createWriteStream(file, { flags: 'a', mode: 0o640 });
    sink.on('error', (error) => this.#fail(sink, error));
    return sink;
  }

  #fail(sink: Writable, error: Error): void {
    // The file from before a rotation: its lines are counted, and there is nothing to be tried again.
    if (sink !== this.#sink || this.#retry !== undefined) return;
    if (this.#failures === 0) this.#options.onError(error);
    const { first, most } = this.#retryMs;
    const pauseMs = Math.min(most, first * 2 ** this.#failures);
    this.#failures += 1;
    this.#retry = setTimeout(() => this.reopen(), pauseMs).unref();
  }

  #wrote(lines: string): void {
    this.#failures = 0;
    this.#takeOff(lines);
  }

  #lose(lines: string): void {
    this.#takeOff(lines);
    this.#options.onDropped(lines.split('\n').length - 1);
  }

  #takeOff(lines: string): void {
    Atomics.sub(this.#options.pendingBytes, 0, lines.length);
  }
}
