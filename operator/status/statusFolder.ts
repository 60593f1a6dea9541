/** Status as files, for an operator without a cluster: one JSON file for each object, written only when it changed. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from '../../proxy/observability/logger.ts';

/** Where the status of objects goes. */
export interface StatusSink {
  /** Names are Kubernetes names, already checked. */
  write(kind: string, namespace: string, name: string, status: object): Promise<void>;
  remove(kind: string, namespace: string, name: string): Promise<void>;
}

export class StatusFolder implements StatusSink {
  readonly #folder: string;
  readonly #logger: Logger;
  readonly #written = new Map<string, string>();

  constructor(folder: string, logger: Logger) {
    this.#folder = folder;
    this.#logger = logger;
  }

  async write(kind: string, namespace: string, name: string, status: object): Promise<void> {
    const path = join(this.#folder, kind, namespace, `${name}.json`);
    const text = `${JSON.stringify({ kind, metadata: { namespace, name }, status }, null, 2)}\n`;
    if (this.#written.get(path) === text) return;
    try {
      await mkdir(dirname(path), { recursive: true });
      // Whole or not at all: somebody may be reading it.
      await writeFile(`${path}.tmp`, text);
      await rename(`${path}.tmp`, path);
      this.#written.set(path, text);
    } catch (error) {
      this.#logger.warn({ path, reason: String(error) }, 'status could not be written');
    }
  }

  async remove(kind: string, namespace: string, name: string): Promise<void> {
    const path = join(this.#folder, kind, namespace, `${name}.json`);
    this.#written.delete(path);
    await rm(path, { force: true });
  }
}
