/** Runs one suite and says how it went: a line per file while it runs, failures in full at its end. */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { run } from 'node:test';
import { spec, type TestEvent } from 'node:test/reporters';
import type { Suite } from './suites.ts';
import { Tally, type FileResult } from './tally.ts';
import { dim, formatElapsed, green, red } from './terminal.ts';

/** Two cores is what the smallest machine has; more would make timeouts of others' tests a matter of luck. */
const CONCURRENCY = 2;

export interface SuiteResult {
  readonly passed: number;
  readonly failed: number;
  /** Reasons beside failed tests for which the suite counts as failed. */
  readonly problems: readonly string[];
}

export interface SuiteOptions {
  /** In CI a test that was skipped is a failure. */
  readonly failOnSkip: boolean;
  readonly root: string;
  /** By how much every limit of time is stretched: long forms of tests take long. */
  readonly patience: number;
}

/** Files that take longer than this are shown with their time. */
const SLOW_MS = 1_000;

function showFile(root: string, file: FileResult, elapsedMs: number): void {
  const mark = file.failed > 0 ? red('✖') : green('✔');
  const skipped = file.skipped.length > 0 ? `, ${file.skipped.length} skipped` : '';
  const failed = file.failed > 0 ? `, ${file.failed} failed` : '';
  const slow = elapsedMs < SLOW_MS ? '' : `, ${formatElapsed(elapsedMs)}`;
  console.log(`  ${mark} ${relative(root, file.file)} ${dim(`${file.passed} passed${failed}${skipped}${slow}`)}`);
}

async function showFailures(tally: Tally): Promise<void> {
  if (tally.failures.length === 0) return;
  for await (const text of Readable.from(tally.failures).compose(new spec())) process.stdout.write(String(text));
}

function problemsOf(tally: Tally, options: SuiteOptions): string[] {
  const problems = tally.empty.map((file) => `${relative(options.root, file)} has no test`);
  if (tally.passed + tally.failed === 0) problems.push('no test ran');
  if (options.failOnSkip) problems.push(...tally.skipped.map((name) => `skipped: ${relative(options.root, name)}`));
  return problems;
}

async function runFiles(suite: Extract<Suite, { files: unknown }>, options: SuiteOptions): Promise<SuiteResult> {
  const files = suite.files
    .flatMap((pattern) => globSync(pattern, { cwd: options.root, exclude: (path) => path.includes('node_modules') }))
    .filter((file) => !file.startsWith('test/fixtures/'))
    .map((file) => resolve(options.root, file))
    .toSorted();
  if (files.length === 0) return { passed: 0, failed: 0, problems: [`no file matches ${suite.files.join(' ')}`] };

  const tally = new Tally();
  const signal = AbortSignal.timeout(suite.suiteTimeoutMs * options.patience);
  const events: AsyncIterable<TestEvent> = run({
    files,
    concurrency: CONCURRENCY,
    timeout: suite.testTimeoutMs * options.patience,
    signal,
    cwd: options.root,
  });
  for await (const event of events) {
    tally.add(event);
    if (event.type === 'test:stderr') process.stderr.write(event.data.message);
    if (event.type !== 'test:summary' || event.data.file === undefined) continue;
    const result = tally.files.get(event.data.file);
    if (result !== undefined) showFile(options.root, result, event.data.duration_ms);
  }
  await showFailures(tally);
  return { passed: tally.passed, failed: tally.failed, problems: problemsOf(tally, options) };
}

async function runProgram(suite: Extract<Suite, { program: string }>, options: SuiteOptions): Promise<SuiteResult> {
  const program = resolve(options.root, suite.program);
  const child = spawn(process.execPath, [program], {
    cwd: options.root,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: suite.suiteTimeoutMs * options.patience,
  });
  const end = await new Promise<string>((done) => {
    child.on('error', (error) => done(error.message));
    child.on('close', (code, signal) => done(signal === null ? `status ${code}` : `ended by ${signal}`));
  });
  if (end === 'status 0') return { passed: 1, failed: 0, problems: [] };
  return { passed: 0, failed: 1, problems: [`${suite.program}: ${end}`] };
}

/** Runs a suite to its end; never throws for what its tests do. */
export async function runSuite(suite: Suite, options: SuiteOptions): Promise<SuiteResult> {
  const startedMs = performance.now();
  console.log(`==> ${suite.title}`);
  const result = 'program' in suite ? await runProgram(suite, options) : await runFiles(suite, options);
  const good = result.failed === 0 && result.problems.length === 0;
  for (const problem of result.problems) console.log(red(`  ${suite.name}: ${problem}`));
  const counts = `${result.passed} passed, ${result.failed} failed`;
  const verdict = `${suite.name}: ${counts}, ${formatElapsed(performance.now() - startedMs)}`;
  console.log(good ? green(verdict) : red(verdict));
  return result;
}
