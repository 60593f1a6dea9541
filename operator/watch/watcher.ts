/** Tells of every change of a folder: by the system's notifications, and by looking again now and then. */
import { watch, type FSWatcher } from 'node:fs';
import type { Finding } from '../../proxy/contract/finding.ts';
import { limit } from '../../proxy/contract/limits.ts';
import type { ObjectSet } from '../objects/objectSet.ts';
import { FolderReader, type FolderReading } from './folder.ts';

/** Called with the first reading, and then with every one that differs. Readings never overlap. */
export type ObjectsListener = (objects: ObjectSet, findings: readonly Finding[]) => void;

export class FolderWatcher {
  readonly #folder: string;
  readonly #listener: ObjectsListener;
  readonly #reader: FolderReader;
  #last: FolderReading | undefined;
  #notifier: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When the oldest change that was not read yet was told; undefined while nothing is known to have changed. */
  #changedAtMs: number | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(folder: string, listener: ObjectsListener) {
    this.#folder = folder;
    this.#listener = listener;
    this.#reader = new FolderReader(folder);
  }

  /** Resolves after the first reading was handed over. A folder that is not there is a finding, and may come later. */
  async start(): Promise<void> {
    this.#subscribe();
    await this.reload();
  }

  /** Reads now, without waiting for changes to settle. */
  async reload(): Promise<void> {
    this.#running = this.#running.then(() => this.#read());
    await this.#running;
  }

  /** No call of the listener follows. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#notifier?.close();
    await this.#running;
  }

  async #read(): Promise<void> {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#changedAtMs = undefined;
    const reading = await this.#reader.read();
    // `stop` may have been called meanwhile, and changes told: these have set a timer of their own.
    if (this.#isStopped()) return;
    if (reading !== this.#last) {
      this.#last = reading;
      this.#listener(reading.objects, reading.findings);
    }
    if (this.#changedAtMs === undefined) this.#readAfter(limit('folderPollMs'));
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  #subscribe(): void {
    try {
      this.#notifier = watch(this.#folder, { recursive: true }, () => this.#changed());
      // The folder went away, or the system has no watches left: polling goes on, and is enough.
      this.#notifier.on('error', () => this.#notifier?.close());
    } catch {
      this.#notifier = undefined;
    }
  }

  /** Editors write in several steps: waits until they are done, but not for ever. */
  #changed(): void {
    if (this.#stopped) return;
    const nowMs = performance.now();
    this.#changedAtMs ??= nowMs;
    const mostMs = this.#changedAtMs + limit('holdoffMaxMs') - nowMs;
    this.#readAfter(Math.max(0, Math.min(limit('holdoffMs'), mostMs)));
  }

  #readAfter(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.reload(), delayMs);
  }
}
