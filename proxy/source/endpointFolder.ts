/** EndpointSlices and Services from folders of manifests, for a proxy without a cluster. */
import { parseAllDocuments } from 'yaml';
import { limit } from '../contract/limits.ts';
import type { Logger } from '../observability/logger.ts';
import { attempt, NODE_FILE_SYSTEM, readBounded } from '../store/files.ts';
import {
  readEndpointSlice,
  readService,
  type EndpointBook,
  type EndpointSlice,
  type Service,
} from './endpointSlices.ts';
import { scanManifests } from './manifestFolder.ts';

/** Polled, since file system events are not delivered on every mount. */
const POLL_MS = 500;

type EndpointObject = EndpointSlice | Service;

interface ReadFile {
  readonly stamp: string;
  readonly objects: readonly EndpointObject[];
  /** Why `objects` are those of an earlier content. */
  readonly problem: string | undefined;
}

const NOTHING: readonly EndpointObject[] = [];

export class EndpointFolder {
  readonly #folders: readonly string[];
  readonly #book: EndpointBook;
  readonly #onChange: () => void;
  readonly #logger: Logger;
  readonly #pollMs: number;
  #files: ReadonlyMap<string, ReadFile> = new Map();
  /** What is wrong now, by path; it was said. */
  #problems: ReadonlyMap<string, string> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(
    folders: readonly string[],
    book: EndpointBook,
    onChange: () => void,
    logger: Logger,
    pollMs: number = POLL_MS,
  ) {
    this.#folders = folders;
    this.#book = book;
    this.#onChange = onChange;
    this.#logger = logger;
    this.#pollMs = pollMs;
  }

  /** Reads once, then follows the folders. */
  async start(): Promise<void> {
    await this.#look();
    const tick = () => {
      if (!this.#stopped) this.#timer = setTimeout(() => void this.#look().finally(tick), this.#pollMs);
    };
    tick();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const scan = await scanManifests(this.#folders);
    const files = new Map<string, ReadFile>();
    const problems = new Map(scan.problems);
    // What cannot be seen keeps its endpoints: stale ones beat none.
    const hidden = [...scan.problems.keys()];
    for (const [path, file] of this.#files) if (hidden.some((away) => isWithin(path, away))) files.set(path, file);
    for (const [path, stamp] of scan.files) {
      const before = this.#files.get(path);
      const after = before?.stamp === stamp ? before : await readFile(path, stamp, before);
      files.set(path, after);
      if (after.problem !== undefined) problems.set(path, after.problem);
    }
    this.#say(problems);
    const changed = hasChanged(this.#files, files);
    this.#files = files;
    if (!changed) return;
    this.#book.replaceAll([...files.values()].flatMap((file) => file.objects));
    this.#onChange();
  }

  /** Each problem once, until it is another one or comes back. */
  #say(problems: ReadonlyMap<string, string>): void {
    for (const [path, reason] of problems) {
      if (this.#problems.get(path) !== reason)
        this.#logger.warn({ path, reason }, 'endpoints cannot be read; keeping those known');
    }
    this.#problems = problems;
  }
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

function hasChanged(before: ReadonlyMap<string, ReadFile>, after: ReadonlyMap<string, ReadFile>): boolean {
  const objectsOf = (files: ReadonlyMap<string, ReadFile>, path: string) => files.get(path)?.objects ?? NOTHING;
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].some((path) => objectsOf(before, path) !== objectsOf(after, path));
}

/** A file that is wrong keeps the endpoints that it had, and is read again when it changes. */
async function readFile(path: string, stamp: string, before: ReadFile | undefined): Promise<ReadFile> {
  const known = before?.objects ?? NOTHING;
  const bytes = await attempt(async () => readBounded(NODE_FILE_SYSTEM, path, limit('inputFileBytes')));
  // Without a stamp it is read with every look: the next may fare better, though the file is the same.
  if (!bytes.ok) return { stamp: '', objects: known, problem: bytes.error.message };
  try {
    return { stamp, objects: parseObjects(bytes.value.toString('utf8')), problem: undefined };
  } catch (error) {
    return { stamp, objects: known, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Throws on text that is no YAML, or that uses aliases to grow beyond all bounds. */
function parseObjects(text: string): EndpointObject[] {
  const options = {
    version: '1.2',
    uniqueKeys: true,
    stringKeys: true,
    prettyErrors: false,
    logLevel: 'error',
  } as const;
  const documents = parseAllDocuments(text, options);
  return [...documents].flatMap((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    const value: unknown = document.toJS({ maxAliasCount: limit('yamlAliases') });
    return itemsOf(value).flatMap((item) => readEndpointSlice(item) ?? readService(item) ?? []);
  });
}

/** The objects of a `List`, as `kubectl get -o yaml` prints them, or the one object. */
function itemsOf(value: unknown): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  const isList =
    'kind' in value && (value.kind === 'List' || value.kind === 'EndpointSliceList' || value.kind === 'ServiceList');
  return isList && 'items' in value && Array.isArray(value.items) ? value.items : [value];
}
