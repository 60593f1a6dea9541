/** EndpointSlices and Services from folders of manifests, for a proxy without a cluster. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { limit } from '../contract/limits.ts';
import type { Logger } from '../observability/logger.ts';
import {
  readEndpointSlice,
  readService,
  type EndpointBook,
  type EndpointSlice,
  type Service,
} from './endpointSlices.ts';

/** Polled, since file system events are not delivered on every mount. */
const POLL_MS = 500;

interface ReadFile {
  readonly stamp: string;
  readonly objects: readonly (EndpointSlice | Service)[];
}

export class EndpointFolder {
  readonly #folders: readonly string[];
  readonly #book: EndpointBook;
  readonly #onChange: () => void;
  readonly #logger: Logger;
  #files: ReadonlyMap<string, ReadFile> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(folders: readonly string[], book: EndpointBook, onChange: () => void, logger: Logger) {
    this.#folders = folders;
    this.#book = book;
    this.#onChange = onChange;
    this.#logger = logger;
  }

  /** Reads once, then follows the folders. */
  async start(): Promise<void> {
    await this.#look();
    const tick = () => {
      if (!this.#stopped) this.#timer = setTimeout(() => void this.#look().finally(tick), POLL_MS);
    };
    tick();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const files = new Map<string, ReadFile>();
    let changed = false;
    for (const path of await this.#paths()) {
      const before = this.#files.get(path);
      const after = await this.#readFile(path, before);
      if (after !== undefined) files.set(path, after);
      changed ||= after?.objects !== before?.objects;
    }
    changed ||= files.size !== this.#files.size;
    this.#files = files;
    if (!changed) return;
    this.#book.replaceAll([...files.values()].flatMap((file) => file.objects));
    this.#onChange();
  }

  async #paths(): Promise<string[]> {
    const paths: string[] = [];
    for (const folder of this.#folders) {
      try {
        const names = (await readdir(folder)).filter((n) => /\.(ya?ml|json)$/.test(n)).sort();
        paths.push(...names.map((n) => join(folder, n)));
      } catch (error) {
        // A folder that is away keeps its endpoints: stale ones beat none.
        this.#logger.warn({ folder, reason: String(error) }, 'endpoints cannot be listed; keeping those known');
        paths.push(...[...this.#files.keys()].filter((path) => path.startsWith(join(folder, '/'))));
      }
    }
    return paths.slice(0, limit('inputFolderFiles'));
  }

  /** A file that cannot be read keeps the endpoints that it had, and is read again when it changes. */
  async #readFile(path: string, before: ReadFile | undefined): Promise<ReadFile | undefined> {
    let stamp = '';
    try {
      const { mtimeMs, size } = await stat(path);
      stamp = `${mtimeMs}:${size}`;
      return stamp === before?.stamp ? before : { stamp, objects: await readObjects(path) };
    } catch (error) {
      this.#logger.warn({ path, reason: String(error) }, 'endpoints cannot be read; keeping those known');
      return before === undefined ? undefined : { stamp, objects: before.objects };
    }
  }
}

async function readObjects(file: string): Promise<(EndpointSlice | Service)[]> {
  if ((await stat(file)).size > limit('inputFileBytes')) throw new Error(`${file} is over the size limit`);
  const documents = parseAllDocuments(await readFile(file, 'utf8'));
  return documents.flatMap((document) => {
    if (document.errors[0] !== undefined) throw new Error(`${file}: ${document.errors[0].message}`);
    const value: unknown = document.toJS({ maxAliasCount: limit('yamlAliases') });
    return readEndpointSlice(value) ?? readService(value) ?? [];
  });
}
