/** Reading with a bound and writing whole: the few steps on which the folder store’s promises rest. */
import { randomBytes } from 'node:crypto';
import * as nodeFs from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../contract/result.ts';
import type { StoreError } from './types.ts';

/** What is used of node:fs/promises; tests put failing ones in its place. */
export type FileSystem = Pick<
  typeof nodeFs,
  'open' | 'rename' | 'link' | 'unlink' | 'readdir' | 'stat' | 'mkdir' | 'utimes'
>;
export const NODE_FILE_SYSTEM: FileSystem = nodeFs;

const REASON_BY_CODE: ReadonlyMap<string, StoreError['reason']> = new Map([
  ['ENOENT', 'NotFound'],
  ['EEXIST', 'Conflict'],
  ['ENOSPC', 'Full'],
  ['EDQUOT', 'Full'],
  ['EROFS', 'ReadOnly'],
  ['EACCES', 'ReadOnly'],
  ['EPERM', 'ReadOnly'],
]);

/** The code of an operating system error; anything else is a programming error and is thrown on. */
export function errorCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  throw error;
}

function storeError(error: unknown): StoreError {
  const code = errorCode(error);
  const message = error instanceof Error ? error.message : code;
  return { reason: REASON_BY_CODE.get(code) ?? 'Unavailable', message };
}

/** Runs file operations; errors of the operating system become store errors. */
export async function attempt<T>(run: () => Promise<Result<T, StoreError>>): Promise<Result<T, StoreError>> {
  try {
    return await run();
  } catch (error) {
    return fail(storeError(error));
  }
}

/** Reads a regular file of at most `maxBytes`. Throws operating system errors. */
export async function readBounded(fs: FileSystem, path: string, maxBytes: number): Promise<Result<Buffer, StoreError>> {
  const handle = await fs.open(path, 'r');
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return fail({ reason: 'Unavailable', message: `${path} is not a regular file` });
    // One byte more than allowed tells a file that is too large from one that fits, also while somebody appends to it.
    const buffer = Buffer.allocUnsafe(Math.min(stats.size, maxBytes) + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > maxBytes || stats.size > maxBytes) {
      return fail({ reason: 'TooLarge', message: `${path} is over ${maxBytes} bytes` });
    }
    return ok(buffer.subarray(0, length));
  } finally {
    await handle.close();
  }
}

const TEMPORARY = /^\.[^/]{1,200}\.tmp$/;

export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

function temporaryName(name: string): string {
  return `.${name}.${randomBytes(8).toString('hex')}.tmp`;
}

/** Makes a rename or link outlast a power cut; file systems that cannot sync folders say EINVAL. */
async function syncFolder(fs: FileSystem, folder: string): Promise<void> {
  const handle = await fs.open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EBADF'].includes(errorCode(error))) throw error;
  } finally {
    await handle.close();
  }
}

export interface WriteOptions {
  /** Throws EEXIST instead of replacing a file of that name. */
  readonly exclusive?: boolean;
  readonly mode?: number;
}

/**
 * Writes a file that others see whole or not at all: into a temporary file beside it, synced, then renamed (or linked,
 * which fails where the name is taken). Throws operating system errors and leaves no temporary file behind.
 */
export async function writeWhole(
  fs: FileSystem,
  folder: string,
  name: string,
  bytes: Buffer,
  options: WriteOptions = {},
): Promise<void> {
  const temporary = join(folder, temporaryName(name));
  let leftOver = true;
  try {
    const handle = await fs.open(temporary, 'wx', options.mode ?? 0o644);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (options.exclusive === true) {
      await fs.link(temporary, join(folder, name));
    } else {
      await fs.rename(temporary, join(folder, name));
      leftOver = false;
    }
    await syncFolder(fs, folder);
  } finally {
    if (leftOver) await fs.unlink(temporary).catch(errorCode);
  }
}
