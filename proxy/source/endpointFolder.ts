/** EndpointSlices from a folder of manifests, for a proxy without a cluster. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { limit } from '../contract/limits.ts';
import type { Logger } from '../observability/logger.ts';
import { readEndpointSlice, type EndpointBook, type EndpointSlice } from './endpointSlices.ts';

/** Polled, since file system events are not delivered on every mount. */
const POLL_MS = 500;

export class EndpointFolder {
  readonly #folder: string;
  readonly #book: EndpointBook;
  readonly #onChange: () => void;
  readonly #logger: Logger;
  #signature = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(folder: string, book: EndpointBook, onChange: () => void, logger: Logger) {
    this.#folder = folder;
    this.#book = book;
    this.#onChange = onChange;
    this.#logger = logger;
  }

  /** Reads once, then follows the folder. */
  async start(): Promise<void> {
    await this.#look();
    const tick = () => {
      this.#timer = setTimeout(() => void this.#look().finally(tick), POLL_MS);
    };
    tick();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** A file that cannot be read keeps the endpoints that were known: stale ones beat none. */
  async #look(): Promise<void> {
    try {
      const names = (await readdir(this.#folder)).filter((n) => /\.(ya?ml|json)$/.test(n)).sort();
      const files = names.slice(0, limit('inputFolderFiles')).map((n) => join(this.#folder, n));
      const stats = await Promise.all(files.map((f) => stat(f)));
      const signature = stats.map((s, i) => `${files[i]}:${s.mtimeMs}:${s.size}`).join('\n');
      if (signature === this.#signature) return;
      const slices = (await Promise.all(files.map((f) => readSlices(f)))).flat();
      this.#signature = signature;
      this.#book.replaceAll(slices);
      this.#onChange();
    } catch (error) {
      this.#logger.warn(
        { folder: this.#folder, reason: String(error) },
        'endpoints could not be read; keeping those known',
      );
    }
  }
}

async function readSlices(file: string): Promise<EndpointSlice[]> {
  if ((await stat(file)).size > limit('inputFileBytes')) throw new Error(`${file} is over the size limit`);
  const documents = parseAllDocuments(await readFile(file, 'utf8'));
  return documents.flatMap((document) => {
    if (document.errors[0] !== undefined) throw new Error(`${file}: ${document.errors[0].message}`);
    return readEndpointSlice(document.toJS({ maxAliasCount: limit('yamlAliases') })) ?? [];
  });
}
