/** Keeps two runs from sharing a state folder, and names what an earlier run that was killed left behind. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Lock {
  readonly pid: number;
  readonly children: readonly number[];
}

function read(file: string): Lock | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Lock;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Why the folder cannot be used, or undefined after it was taken. */
export function lockState(folder: string): string | undefined {
  const lock = read(join(folder, 'lock.json'));
  if (lock !== undefined && isAlive(lock.pid))
    return `${folder} is in use by another run (pid ${lock.pid}); choose another with --state`;
  const left = (lock?.children ?? []).filter(isAlive);
  if (left.length > 0)
    return `an earlier run that was killed left processes behind; end them with: kill ${left.join(' ')}`;
  noteChildren(folder, []);
  process.on('exit', () => rmSync(join(folder, 'lock.json'), { force: true }));
  return undefined;
}

export function noteChildren(folder: string, children: readonly number[]): void {
  writeFileSync(join(folder, 'lock.json'), JSON.stringify({ pid: process.pid, children } satisfies Lock));
}
