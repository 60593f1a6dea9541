/** `make check`: runs all checks, or those named as arguments, two at a time; ends with 1 when one fails. */
import { spawn } from 'node:child_process';
import { checks, type Check } from './checks.ts';
import { dim, formatElapsed, green, red } from './terminal.ts';

const CONCURRENCY = 2;
const TIMEOUT_MS = 5 * 60_000;

interface Outcome {
  readonly check: Check;
  readonly passed: boolean;
  readonly output: string;
  readonly elapsedMs: number;
}

/** Runs one command to its end; stdout and stderr in the order they came. */
async function runCommand(command: readonly string[]): Promise<{ passed: boolean; output: string }> {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const end = await new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(`cannot be started: ${error.message}`));
    child.on('close', (code, signal) => resolve(signal === null ? `status ${code}` : `ended by ${signal}`));
  });
  const output = Buffer.concat(chunks).toString('utf8').trimEnd();
  const passed = end === 'status 0';
  return { passed, output: passed || output !== '' ? output : `${args[0] ?? file}: ${end}` };
}

async function runCheck(check: Check): Promise<Outcome> {
  const startedMs = performance.now();
  const outputs: string[] = [];
  let passed = true;
  for (const command of check.commands) {
    const result = await runCommand(command);
    passed &&= result.passed;
    if (result.output !== '' && !result.passed) outputs.push(result.output);
  }
  return { check, passed, output: outputs.join('\n'), elapsedMs: performance.now() - startedMs };
}

function report(outcome: Outcome): void {
  const mark = outcome.passed ? green('ok    ') : red('FAILED');
  console.log(`check ${mark} ${outcome.check.title} ${dim(formatElapsed(outcome.elapsedMs))}`);
  if (outcome.passed) return;
  console.log(outcome.output.replace(/^/gm, '    '));
  console.log(`    → ${outcome.check.remedy}`);
}

/** The checks that were asked for; ends the process where a name is unknown. */
function selected(names: readonly string[]): Check[] {
  const all = checks();
  const unknown = names.filter((name) => !all.some((check) => check.name === name));
  if (unknown.length > 0) {
    console.error(`error: no such check: ${unknown.join(', ')}; there are ${all.map((c) => c.name).join(', ')}`);
    process.exit(2);
  }
  return names.length === 0 ? all : all.filter((check) => names.includes(check.name));
}

const startedMs = performance.now();
const queue = selected(process.argv.slice(2));
const total = queue.length;
const failed: string[] = [];

async function work(): Promise<void> {
  for (let check = queue.shift(); check !== undefined; check = queue.shift()) {
    const outcome = await runCheck(check);
    report(outcome);
    if (!outcome.passed) failed.push(check.name);
  }
}

await Promise.all(Array.from({ length: CONCURRENCY }, work));
const elapsed = formatElapsed(performance.now() - startedMs);
if (failed.length === 0) console.log(green(`${total} checks passed in ${elapsed}`));
else console.log(red(`${failed.length} of ${total} checks failed in ${elapsed}: ${failed.join(', ')}`));
process.exitCode = failed.length === 0 ? 0 : 1;
