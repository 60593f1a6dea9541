/**
 * A folder of manifests, read as a cluster would be. What is broken changes nothing: a file keeps the objects last read
 * from it for as long as it cannot be told what became of them. Only what is plainly gone is gone.
 */
import { open } from 'node:fs/promises';
import { normalize, relative, sep } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorAt, type Finding } from '../../proxy/contract/finding.ts';
import { limit } from '../../proxy/contract/limits.ts';
import { buildObjectSet, emptyObjectSet, type ObjectSet } from '../objects/objectSet.ts';
import { objectId, type AnyObject, type Stored } from '../objects/objects.ts';
import { identify } from './identify.ts';
import { malformed, parseManifest, splitDocuments, type DocumentText } from './manifest.ts';
import { messageOf, scanFolder, stampOf, type FileStamp } from './scan.ts';

export interface FolderReading {
  readonly objects: ObjectSet;
  readonly findings: readonly Finding[];
}

/** What one document holds, with lines relative to it. Kept by text, so that an unchanged document is the same objects. */
interface DocumentReading {
  readonly objects: readonly { readonly object: AnyObject; readonly line: number }[];
  readonly findings: readonly { readonly finding: Finding; readonly line: number }[];
  /** Something in it could not be identified, so it may have been any object. `foreign`: or none of ours. */
  readonly unknown: 'none' | 'foreign' | 'ours';
}

interface FileReading {
  readonly stamp: string;
  readonly documents: ReadonlyMap<string, DocumentReading>;
  readonly objects: readonly Stored<AnyObject>[];
  readonly findings: readonly Finding[];
  /** It was read at least once without anything of ours being unclear. */
  readonly wasWhole: boolean;
}

export class FolderReader {
  readonly #folder: string;
  #files: ReadonlyMap<string, FileReading> = new Map();
  /** Folders that could be listed at least once: what was in them is known. */
  readonly #listed = new Set<string>();
  #reading: FolderReading = { objects: emptyObjectSet(), findings: [] };
  #scanned = '';

  /** @param folder as findings shall name it, absolute or relative */
  constructor(folder: string) {
    this.#folder = normalize(folder);
  }

  /** Reads what changed. Returns the same object as the last time where nothing did. */
  async read(): Promise<FolderReading> {
    const scan = await scanFolder(this.#folder);
    const files = new Map<string, FileReading>();
    for (const file of scan.files) {
      const before = this.#files.get(file.path);
      files.set(file.path, before?.stamp === file.stamp ? before : await readFile(file, before));
    }
    for (const [path, file] of this.#files) {
      if (!files.has(path) && scan.unreadable.some((folder) => isWithin(path, folder))) files.set(path, file);
    }
    for (const folder of scan.folders) this.#listed.add(folder);
    const scanned = JSON.stringify([scan.unreadable, scan.findings]);
    if (scanned === this.#scanned && sameFiles(files, this.#files)) return this.#reading;
    this.#files = files;
    this.#scanned = scanned;
    const isListed = scan.unreadable.every((folder) => this.#listed.has(folder));
    this.#reading = combine(files, scan.findings, isListed);
    return this.#reading;
  }
}

function combine(
  files: ReadonlyMap<string, FileReading>,
  scanned: readonly Finding[],
  isListed: boolean,
): FolderReading {
  const ordered = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file);
  const all = ordered.flatMap((file) => file.objects);
  const most = limit('objects');
  const complete = isListed && all.length <= most && ordered.every((file) => file.wasWhole);
  const { set, duplicates } = buildObjectSet(all.slice(0, most), complete);
  const findings = [...scanned, ...ordered.flatMap((file) => file.findings)];
  for (const { kept, dropped } of duplicates) {
    const { kind, metadata } = dropped.object;
    const message = `is already defined in ${kept.source}, which counts; this one is ignored`;
    const id = objectId(kind, metadata.namespace, metadata.name);
    findings.push({ ...errorAt(id, '', 'Duplicate', message), source: dropped.source });
  }
  if (all.length > most) {
    findings.push(errorAt('', '', 'TooLarge', `${all.length - most} objects beyond the ${most} allowed are ignored`));
  }
  return { objects: set, findings };
}

async function readFile(file: FileStamp, before: FileReading | undefined): Promise<FileReading> {
  if (file.sizeBytes > limit('inputFileBytes')) {
    const message = `has ${file.sizeBytes} bytes, over the limit of ${limit('inputFileBytes')}`;
    return keep(file, before, { ...errorAt('', '', 'TooLarge', message), source: file.path });
  }
  const text = await readText(file);
  if (typeof text !== 'string') return keep(file, before, malformed(file.path, 1, text.message));
  const documents = new Map<string, DocumentReading>();
  const read: { document: DocumentText; reading: DocumentReading }[] = [];
  let sliceStartedAt = performance.now();
  for (const document of splitDocuments(text)) {
    const reading = before?.documents.get(document.text) ?? readDocument(document.text);
    documents.set(document.text, reading);
    read.push({ document, reading });
    if (performance.now() - sliceStartedAt > limit('parseSliceMs')) {
      await nextTurn();
      sliceStartedAt = performance.now();
    }
  }
  const source = (document: DocumentText, line: number) => `${file.path}:${document.line + line}`;
  const objects = read.flatMap(({ document, reading }) =>
    reading.objects.map(({ object, line }) => ({ object, source: source(document, line) })),
  );
  const findings = read.flatMap(({ document, reading }) =>
    reading.findings.map(({ finding, line }) => ({ ...finding, source: source(document, line) })),
  );
  const isClear = read.every(({ reading }) => reading.unknown === 'none');
  const isWhole = read.every(({ reading }) => reading.unknown !== 'ours');
  return {
    stamp: file.stamp,
    documents,
    objects: isClear ? objects : [...objects, ...missing(before?.objects ?? [], objects)],
    findings,
    wasWhole: isWhole || before?.wasWhole === true,
  };
}

/** Bounds and decodes a file that may change while it is read; a change leaves a stamp for the next reading. */
async function readText({ path, stamp, sizeBytes }: FileStamp): Promise<string | { readonly message: string }> {
  try {
    await using handle = await open(path);
    // One byte more than there should be: a file that grew is read again, not cut.
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(sizeBytes + 1), 0, sizeBytes + 1, 0);
    if (bytesRead !== sizeBytes || stampOf(await handle.stat({ bigint: true })) !== stamp) {
      return { message: 'changed while it was read' };
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytesRead));
  } catch (cause) {
    return { message: `cannot be read: ${messageOf(cause)}` };
  }
}

/** A file of which nothing can be said but what it was. Without a stamp it is read again, unless its size will not do. */
function keep(file: FileStamp, before: FileReading | undefined, finding: Finding): FileReading {
  const stamp = finding.reason === 'TooLarge' ? file.stamp : '';
  // The same trouble as before is no news.
  if (before?.stamp === stamp && before.findings[0]?.message === finding.message) return before;
  return {
    stamp,
    documents: before?.documents ?? new Map<string, DocumentReading>(),
    objects: before?.objects ?? [],
    findings: [finding],
    wasWhole: before?.wasWhole === true,
  };
}

function readDocument(text: string): DocumentReading {
  const { objects: raw, problems } = parseManifest(text);
  const objects: { object: AnyObject; line: number }[] = [];
  const findings = problems.map(({ line, message }) => ({ finding: errorAt('', '', 'Malformed', message), line }));
  let unknown: DocumentReading['unknown'] = problems.length === 0 ? 'none' : 'ours';
  for (const { value, line } of raw) {
    const identified = identify(value);
    if (identified.is === 'object') objects.push({ object: identified.object, line });
    else if (identified.is === 'unknown') {
      findings.push({ finding: identified.finding, line });
      if (!identified.foreign || unknown === 'ours') unknown = 'ours';
      else unknown = 'foreign';
    }
  }
  return { objects, findings, unknown };
}

/** Objects of before that are not among those of now: the unclear part of the file may be them. */
function missing(before: readonly Stored<AnyObject>[], now: readonly Stored<AnyObject>[]): Stored<AnyObject>[] {
  const ids = new Set(now.map(({ object }) => idOf(object)));
  return before.filter(({ object }) => !ids.has(idOf(object)));
}

function idOf({ kind, metadata }: AnyObject): string {
  return objectId(kind, metadata.namespace, metadata.name);
}

function isWithin(path: string, folder: string): boolean {
  const below = relative(folder, path);
  return below !== '..' && !below.startsWith(`..${sep}`);
}

function sameFiles(a: ReadonlyMap<string, FileReading>, b: ReadonlyMap<string, FileReading>): boolean {
  return a.size === b.size && [...a].every(([path, file]) => b.get(path) === file);
}
