/** The command line: flags with one dash or two, and the subcommands. */
import { Command, CommanderError, Option } from 'commander';
import { fail, ok, type Result } from '../contract/result.ts';
import { flagSpecs, type FlagName } from './flags.ts';
import type { RawFlags } from './options.ts';

export type Invocation =
  | { readonly command: 'run'; readonly flags: RawFlags }
  | { readonly command: 'validate' | 'compile'; readonly files: readonly string[]; readonly json: boolean }
  | { readonly command: 'help'; readonly text: string };

const SUBCOMMANDS = new Set(['validate', 'compile', 'help']);

/** `-config-file x` means what `--config-file x` means. */
function doubleDashes(args: readonly string[]): string[] {
  return args.map((arg) => (/^-[a-z][a-z0-9-]+(=|$)/.test(arg) ? `-${arg}` : arg));
}

function camel(name: string): string {
  return name.replace(/-([a-z])/g, (_, c: string) => c.toUpperCase());
}

/** @param args without node and script */
export function parseCommandLine(args: readonly string[], name: string): Result<Invocation> {
  let invocation: Invocation | undefined;
  let output = '';
  const quiet = (command: Command) =>
    command
      .exitOverride()
      .allowExcessArguments(false)
      .configureOutput({ writeOut: (text) => (output += text), writeErr: (text) => (output += text) });
  const program = quiet(new Command(name)).description(
    'Serves requests from one immutable, verified snapshot at a time.',
  );
  for (const spec of flagSpecs()) {
    const env = spec.env === undefined ? '' : ` (${spec.env})`;
    const value = spec.type === 'boolean' ? '[true|false]' : `<${spec.type}>`;
    const shown = spec.default === undefined || spec.default === '' ? '' : ` Default ${spec.default}.`;
    program.addOption(new Option(`--${spec.name} ${value}`, `${spec.description}${shown}${env}`).preset('true'));
  }
  program.action((options: Record<string, string>) => {
    const flags: RawFlags = {};
    for (const spec of flagSpecs()) {
      const value = options[camel(spec.name)];
      if (value !== undefined) flags[spec.name as FlagName] = value;
    }
    invocation = { command: 'run', flags };
  });
  for (const [command, description] of [
    ['validate', 'Checks documents and prints findings; exit code 0: valid, 1: errors, 2: cannot be read.'],
    ['compile', 'Checks a document and prints its digest and compiled plan.'],
  ] as const) {
    quiet(program.command(command))
      .description(description)
      .argument('<files...>', 'JSON or YAML documents')
      .option('--json', 'findings (and plan) as one JSON object', false)
      .action((files: string[], options: { json: boolean }) => {
        invocation = { command, files, json: options.json };
      });
  }
  try {
    const first = args[0] ?? '';
    program.parse(SUBCOMMANDS.has(first) ? args.map((a) => (a === '-json' ? '--json' : a)) : doubleDashes(args), {
      from: 'user',
    });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return ok({ command: 'help', text: output });
    return fail(output.trim().replace(/^error: /, ''));
  }
  return invocation === undefined ? ok({ command: 'help', text: output }) : ok(invocation);
}
