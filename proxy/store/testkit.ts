/** Folders, file systems that fail on demand, and small disks for tests. */
import { execFileSync } from 'node:child_process';
import type { FileHandle } from 'node:fs/promises';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { NODE_FILE_SYSTEM, type FileSystem } from './files.ts';

export async function temporaryFolder(t: Pick<TestContext, 'after'>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'store-test-'));
  t.after(async () => {
    await unmount(folder);
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Does nothing where nothing is mounted. */
async function unmount(folder: string): Promise<void> {
  const mounts = await readFile('/proc/self/mounts', 'utf8').catch(() => '');
  if (mounts.includes(` ${folder} `)) execFileSync('umount', ['--lazy', folder], { stdio: 'ignore' });
}

export type Operation = keyof FileSystem | 'write' | 'sync';

/** Says with which code an operation fails, if it does. Called before each operation takes effect. */
export type Fault = (operation: Operation, path: string) => string | undefined;

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: injected, '${path}'`), { code });
}

/** The real file system, with faults. */
export function faultyFileSystem(fault: Fault): FileSystem {
  const check = (operation: Operation, path: string) => {
    const code = fault(operation, path);
    if (code !== undefined) throw systemError(code, path);
  };
  const wrapHandle = (handle: FileHandle, path: string): FileHandle =>
    new Proxy(handle, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return async (...values: unknown[]) => {
          if (name === 'writeFile') check('write', path);
          if (name === 'sync') check('sync', path);
          return Reflect.apply(value, target, values) as unknown;
        };
      },
    });
  return new Proxy(NODE_FILE_SYSTEM, {
    get(target, name: keyof FileSystem) {
      const real = target[name] as (...values: unknown[]) => Promise<unknown>;
      return async (path: string, ...values: unknown[]) => {
        check(name, path);
        const result = await real(path, ...values);
        return name === 'open' ? wrapHandle(result as FileHandle, path) : result;
      };
    },
  });
}

export interface SmallDisk {
  readonly folder: string;
  readonly fs: FileSystem;
  /** Everything fails that writes. */
  makeReadOnly(): void;
}

/** A real small disk where the test may mount one, else a counted one. */
export async function smallDisk(t: Pick<TestContext, 'after'>, bytes: number): Promise<SmallDisk> {
  const folder = await temporaryFolder(t);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return countedDisk(t, bytes);
  }
  return {
    folder,
    fs: NODE_FILE_SYSTEM,
    makeReadOnly: () => execFileSync('mount', ['-o', 'remount,ro', folder], { stdio: 'ignore' }),
  };
}

/** Needs no rights. */
export async function countedDisk(t: Pick<TestContext, 'after'>, bytes: number): Promise<SmallDisk> {
  const folder = await temporaryFolder(t);
  // Coarse: every write takes a page, nothing is given back.
  let left = Math.floor(bytes / 4096);
  let readOnly = false;
  const fs = faultyFileSystem((operation) => {
    if (readOnly && operation !== 'readdir' && operation !== 'stat' && operation !== 'open') return 'EROFS';
    if (operation === 'write' && left-- <= 0) return 'ENOSPC';
    return undefined;
  });
  const makeReadOnly = () => {
    readOnly = true;
  };
  return { folder, fs, makeReadOnly };
}
