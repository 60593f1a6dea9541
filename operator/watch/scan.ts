/** The manifest files below a folder, with limits on how many and how deep. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorAt, type Finding } from '../../proxy/contract/finding.ts';
import { limit } from '../../proxy/contract/limits.ts';

export interface FileStamp {
  /** As the folder was named, and below it. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Differs when the content may differ. */
  readonly stamp: string;
}

export interface Scan {
  /** In order of their paths. */
  readonly files: readonly FileStamp[];
  /** Folders that were listed. */
  readonly folders: readonly string[];
  /** Folders and files that could not be read: what was there may still be. */
  readonly unreadable: readonly string[];
  readonly findings: readonly Finding[];
}

const MANIFEST = /\.(ya?ml|json)$/;

/** Lists manifests recursively. Names that begin with a dot are not looked at: they are editors' and mounts' own. */
export async function scanFolder(root: string): Promise<Scan> {
  const files: FileStamp[] = [];
  const folders: string[] = [];
  const unreadable: string[] = [];
  const findings: Finding[] = [];
  const seen = new Set<string>();
  const waiting = [{ path: root, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { path, depth } = next;
    try {
      const found = await stat(path, { bigint: true });
      if (found.isDirectory()) {
        // Symbolic links may lead back up; each folder is read once, under the name that was found first.
        if (seen.has(`${found.dev}:${found.ino}`)) continue;
        seen.add(`${found.dev}:${found.ino}`);
        if (depth > limit('folderDepth')) {
          findings.push(at(path, 'TooLarge', `is more than ${limit('folderDepth')} folders deep; not read`));
          continue;
        }
        const names = (await readdir(path)).filter((name) => !name.startsWith('.')).sort();
        waiting.push(...names.map((name) => ({ path: join(path, name), depth: depth + 1 })));
        folders.push(path);
      } else if (found.isFile() && MANIFEST.test(path)) {
        if (files.length === limit('inputFolderFiles')) return tooManyFiles(root, findings);
        files.push({ path, sizeBytes: Number(found.size), stamp: stampOf(found) });
      }
    } catch (cause) {
      // A file may go between being listed and being looked at; a link may lead nowhere.
      if (path !== root && codeOf(cause) === 'ENOENT') continue;
      unreadable.push(path);
      findings.push(at(path, 'Malformed', `cannot be read: ${messageOf(cause)}`));
    }
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, folders, unreadable, findings };
}

interface Stat {
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly ino: bigint;
}

/** The change time cannot be set by programs, so that it tells what the modification time may hide. */
export function stampOf({ size, mtimeNs, ctimeNs, ino }: Stat): string {
  return `${size}:${mtimeNs}:${ctimeNs}:${ino}`;
}

export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined;
}

function tooManyFiles(root: string, findings: readonly Finding[]): Scan {
  const finding = at(root, 'TooLarge', `has more than ${limit('inputFolderFiles')} manifests; nothing of it is read`);
  return { files: [], unreadable: [root], folders: [], findings: [...findings, finding] };
}

function at(path: string, reason: 'TooLarge' | 'Malformed', message: string): Finding {
  return { ...errorAt('', '', reason, message), source: path };
}
