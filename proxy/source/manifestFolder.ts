/** Manifests below a folder: which files there are, with limits on how many and how deep. Checks nothing of what they hold. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { limit } from '../contract/limits.ts';

export interface ManifestScan {
  /** Path of each file, and a stamp that differs when its content may differ. */
  readonly files: ReadonlyMap<string, string>;
  /** What is wrong, by the path of a folder or file; what was known of it, and of all below it, still holds. */
  readonly problems: ReadonlyMap<string, string>;
}

const MANIFEST = /\.(ya?ml|json)$/;

/**
 * Lists regular files recursively, in the order of their paths, as the operator does. Names that begin with a dot are not
 * looked at: they are editors' and mounts' own.
 */
export async function scanManifests(roots: readonly string[]): Promise<ManifestScan> {
  const files = new Map<string, string>();
  const problems = new Map<string, string>();
  for (const root of roots) {
    const found = await scanRoot(root, problems);
    if (files.size + found.length > limit('inputFolderFiles'))
      problems.set(root, `has more than ${limit('inputFolderFiles')} manifests; nothing of it is read`);
    else for (const [path, stamp] of found) files.set(path, stamp);
  }
  return { files, problems };
}

type Found = readonly [path: string, stamp: string];

async function scanRoot(root: string, problems: Map<string, string>): Promise<Found[]> {
  const found: Found[] = [];
  const seen = new Set<string>();
  const waiting = [{ path: root, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { path, depth } = next;
    try {
      const { dev, ino, size, mtimeNs, ctimeNs, ...kind } = await statOf(path);
      if (kind.isFolder) {
        // Symbolic links may lead back up; each folder is read once.
        if (seen.has(`${dev}:${ino}`)) continue;
        seen.add(`${dev}:${ino}`);
        if (depth > limit('folderDepth')) {
          problems.set(path, `is more than ${limit('folderDepth')} folders deep; not read`);
          continue;
        }
        const names = (await readdir(path)).filter((name) => !name.startsWith('.')).sort();
        waiting.push(...names.map((name) => ({ path: join(path, name), depth: depth + 1 })));
      } else if (kind.isFile && MANIFEST.test(path)) {
        // The change time cannot be set by programs: it tells what the modification time may hide.
        found.push([path, `${size}:${mtimeNs}:${ctimeNs}:${ino}`]);
        if (found.length > limit('inputFolderFiles')) return found;
      }
    } catch (error) {
      // A file may go between being listed and being looked at; a link may lead nowhere.
      if (path !== root && codeOf(error) === 'ENOENT') continue;
      problems.set(path, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return found.sort(([a], [b]) => (a < b ? -1 : 1));
}

async function statOf(path: string) {
  const found = await stat(path, { bigint: true });
  const { dev, ino, size, mtimeNs, ctimeNs } = found;
  return { dev, ino, size, mtimeNs, ctimeNs, isFolder: found.isDirectory(), isFile: found.isFile() };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
