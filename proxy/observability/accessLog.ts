/**
 * The access log, as threads keep it: one JSON object per request. They format lines and hand batches to the main
 * thread, which writes them (accessLogWriter.ts); a slow sink drops lines and counts them, and never blocks a request.
 */
import { limit } from '../contract/limits.ts';
import type { AccessLog, RequestRecord } from './types.ts';

/** Text that JSON takes as it is; everything else goes through JSON.stringify. */
const PLAIN = /^[^"\\\u0000-\u001f\u007f-\uffff]*$/;

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** RFC 3339 of a time, computed once per millisecond. */
function createClockText(): (ms: number) => string {
  let lastMs = -1;
  let text = '';
  return (ms) => {
    const whole = Math.floor(ms);
    if (whole !== lastMs) {
      lastMs = whole;
      text = new Date(whole).toISOString();
    }
    return text;
  };
}

/** Replaces the values of the named query parameters. */
export function redactQuery(query: string, redacted: ReadonlySet<string>): string {
  if (query === '' || redacted.size === 0) return query;
  return query
    .split('&')
    .map((pair) => {
      const at = pair.indexOf('=');
      if (at < 0) return pair;
      return redacted.has(safeDecode(pair.slice(0, at))) ? `${pair.slice(0, at)}=[redacted]` : pair;
    })
    .join('&');
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * One line of the log. `cache` is `bypass` while no cache is consulted; `breaker_state` and `canary_variant` are null
 * where a route has none.
 */
export function formatAccessLine(r: RequestRecord, timestamp: string, query: string): string {
  return (
    `{"timestamp":"${timestamp}","request_id":${quoted(r.requestId)},"method":${quoted(r.method)},"path":${quoted(r.path)}` +
    (query === '' ? '' : `,"query":${quoted(query)}`) +
    `,"host":${quoted(r.host)},"route":${quoted(r.route)},"pool":${quoted(r.pool)},"endpoint":${quoted(r.endpoint)}` +
    `,"status":${r.status},"duration_ms":${rounded(r.durationMs)},"upstream_duration_ms":${rounded(r.upstreamDurationMs)}` +
    `,"retries":${r.retries},"cache":"bypass","breaker_state":null,"canary_variant":null` +
    `,"request_bytes":${r.requestBytes},"response_bytes":${r.responseBytes},"client":${quoted(r.client)}` +
    `,"snapshot":"${r.snapshot}"${r.error === undefined ? '' : `,"error":"${r.error}"`}}\n`
  );
}

export interface AccessLogOptions {
  /** Hands a batch of lines on. */
  readonly send: (lines: string, count: number) => void;
  /** Bytes handed on and not written yet, over all threads. */
  readonly pendingBytes: Int32Array;
  readonly random: () => number;
}

/** A batch is handed on when it has this many characters, or after the flush interval. */
const BATCH_CHARS = 32 * 1024;
export const ACCESS_LOG_FLUSH_MS = 100;

/** The thread’s side: formats, samples, batches. */
export class BatchingAccessLog implements AccessLog {
  readonly #options: AccessLogOptions;
  readonly #clockText = createClockText();
  #lines = '';
  #count = 0;
  #dropped = 0;
  #samplingRatio = 1;
  #redact: ReadonlySet<string> = new Set();

  constructor(options: AccessLogOptions) {
    this.#options = options;
  }

  configure(samplingRatio: number, redact: readonly string[]): void {
    this.#samplingRatio = samplingRatio;
    this.#redact = new Set(redact);
  }

  write(record: RequestRecord): void {
    // Errors are always logged, whatever the sampling.
    if (this.#samplingRatio < 1 && record.status < 500 && this.#options.random() >= this.#samplingRatio) return;
    if (Atomics.load(this.#options.pendingBytes, 0) > limit('accessLogBufferBytes')) {
      this.#dropped += 1;
      return;
    }
    this.#lines += formatAccessLine(
      record,
      this.#clockText(record.startedAtMs),
      redactQuery(record.query, this.#redact),
    );
    this.#count += 1;
    if (this.#lines.length >= BATCH_CHARS) this.flush();
  }

  /** Called every `ACCESS_LOG_FLUSH_MS` by the thread’s timer, and once at its end. */
  flush(): void {
    if (this.#count === 0) return;
    Atomics.add(this.#options.pendingBytes, 0, this.#lines.length);
    this.#options.send(this.#lines, this.#count);
    this.#lines = '';
    this.#count = 0;
  }

  /** Lines dropped since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }
}
