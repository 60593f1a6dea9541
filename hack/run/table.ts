/** The live table of `make run`: what `kubectl get proxyrollouts -w` shows, from the operator’s status files. */
import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { rolloutTable } from '../../operator/status/rolloutTable.ts';
import type { ProxyRolloutStatus } from '../../crds/proxyRollout.ts';

export interface TableOptions {
  readonly statusFolder: string;
  readonly fleet: string;
  /** The operator’s log: its warnings and errors are shown beside the table. */
  readonly logFile: string;
  /** A terminal gets one table that is redrawn, anything else a line per change. */
  readonly isTerminal: boolean;
  readonly say: (line: string) => void;
}

const REFRESH_MS = 200;

/** Follows a fleet’s status and the operator’s findings until stopped. */
export function followRollout(options: TableOptions): { stop(): void } {
  const { fleet, say, isTerminal } = options;
  const name = fleet.split('/')[1] ?? fleet;
  const startedAtMs = Date.now();
  const problems = newProblems(options.logFile);
  let shown = '';
  let drawn = 0;
  const erase = () => {
    if (isTerminal && drawn > 0) process.stdout.write(`\u001b[${drawn}A\u001b[J`);
    drawn = 0;
  };
  const refresh = () => {
    for (const problem of problems()) {
      erase();
      shown = '';
      say(problem);
    }
    const status = readStatus(options);
    const table = rolloutTable([{ name, status, createdAtMs: startedAtMs }], Date.now());
    const [header = '', row = ''] = table.split('\n');
    // The age alone is no change worth a line.
    const text = isTerminal ? table : row.replace(/\S+$/, '').trimEnd();
    if (text === shown) return;
    erase();
    if (!isTerminal && shown === '') say(header);
    say(isTerminal ? table : row);
    drawn = isTerminal ? 2 : 0;
    shown = text;
  };
  const timer = setInterval(refresh, REFRESH_MS);
  return { stop: () => clearInterval(timer) };
}

function readStatus({ statusFolder, fleet }: TableOptions): ProxyRolloutStatus | null {
  try {
    const text = readFileSync(join(statusFolder, 'ProxyRollout', `${fleet}.json`), 'utf8');
    return (JSON.parse(text) as { status: ProxyRolloutStatus }).status;
  } catch {
    return null;
  }
}

/** Lines of severity warn and error that came since the last call. */
function newProblems(file: string): () => string[] {
  let offset = sizeOf(file);
  let rest = '';
  return () => {
    const size = sizeOf(file);
    if (size <= offset) return [];
    const lines = (rest + readFrom(file, offset)).split('\n');
    offset = size;
    rest = lines.pop() ?? '';
    return lines.filter((line) => /^\S+ (warn|error) /.test(line)).map((line) => line.slice(13));
  };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function readFrom(file: string, offset: number): string {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(fstatSync(descriptor).size - offset);
    readSync(descriptor, bytes, 0, bytes.length, offset);
    return bytes.toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}
