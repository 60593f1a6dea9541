/** The checks of `make check`: one row each, and the commands that do it on the tree in the working directory. */
import { globSync } from 'node:fs';
import { join } from 'node:path';

export interface Check {
  readonly name: string;
  readonly title: string;
  /** Program and arguments. A check fails when any of its commands ends with another status than 0. */
  readonly commands: readonly (readonly string[])[];
  /** What to do about a failure. */
  readonly remedy: string;
}

const ROOT = join(import.meta.dirname, '..');
const program = (file: string, ...args: string[]): string[] => [process.execPath, join(ROOT, file), ...args];
const bin = (tool: string, ...args: string[]): string[] => program(`node_modules/.bin/${tool}`, ...args);

/** Generators write committed files; with `--check` they compare instead and fail on a difference. */
function generators(): string[] {
  return globSync('hack/gen-*.ts')
    .filter((file) => !file.endsWith('.test.ts'))
    .toSorted();
}

export function checks(): Check[] {
  return [
    {
      name: 'types',
      title: 'types (tsc, strict)',
      commands: [bin('tsc', '--project', 'tsconfig.json', '--pretty', 'false')],
      remedy: 'Correct the types.',
    },
    {
      name: 'lint',
      title: 'lint (oxlint, type-aware)',
      commands: [bin('oxlint', '--type-aware', '--deny-warnings', '--report-unused-disable-directives')],
      remedy: 'Correct the code; a rule is only switched off on one line, with the reason beside it.',
    },
    {
      name: 'format',
      title: 'format (prettier)',
      // The cache goes by content, and saves most of the time from the second run on.
      commands: [bin('prettier', '--check', '--log-level', 'warn', '--cache', '--cache-strategy', 'content', '.')],
      remedy: 'Run: make fmt',
    },
    {
      name: 'dead-code',
      title: 'dead code (knip)',
      commands: [bin('knip', '--no-progress', '--no-config-hints')],
      remedy: 'Delete what nothing uses, or stop exporting it.',
    },
    {
      name: 'rooms',
      title: 'rooms (who may import whom)',
      commands: [program('hack/check-rooms.ts')],
      remedy: 'Move the code, or change the table in hack/rooms.ts and say why in its row.',
    },
    {
      name: 'tidy',
      title: 'tidiness (left-over marks, casts without reason, machine paths)',
      commands: [program('hack/check-tidy.ts')],
      remedy: 'Correct the lines named above.',
    },
    {
      name: 'generated',
      title: 'generated files are current',
      commands: generators().map((file) => [process.execPath, file, '--check']),
      remedy: 'Run: make generate',
    },
  ];
}
