/** The suites of `make test`, in their order: what fails fastest comes first. */

/** A suite of test files, run by node:test, each file in a process of its own. */
interface FileSuite {
  readonly name: string;
  readonly title: string;
  readonly files: readonly string[];
  /** Limit for each test; a test that needs more belongs to `make torture`. */
  readonly testTimeoutMs: number;
  /** Limit for the suite; what still runs is ended and counts as failed. */
  readonly suiteTimeoutMs: number;
}

/** A suite that is one program: passed when it ends with status 0. */
interface ProgramSuite {
  readonly name: string;
  readonly title: string;
  readonly program: string;
  readonly suiteTimeoutMs: number;
}

export type Suite = FileSuite | ProgramSuite;

const MINUTE_MS = 60_000;

export const SUITES: readonly Suite[] = [
  { name: 'check', title: 'checks', program: 'hack/check.ts', suiteTimeoutMs: 5 * MINUTE_MS },
  {
    name: 'unit',
    title: 'unit tests',
    files: ['{crds,operator,proxy}/**/!(*.long).test.ts'],
    testTimeoutMs: MINUTE_MS,
    suiteTimeoutMs: 5 * MINUTE_MS,
  },
  {
    name: 'long',
    title: 'long unit tests (simulations, bit flips, crash points, fuzz, real files and disks)',
    files: ['{crds,operator,proxy}/**/*.long.test.ts'],
    testTimeoutMs: 2 * MINUTE_MS,
    suiteTimeoutMs: 8 * MINUTE_MS,
  },
  {
    name: 'tools',
    title: 'tests of the checks and generators themselves',
    files: ['hack/**/*.test.ts'],
    testTimeoutMs: MINUTE_MS,
    suiteTimeoutMs: 5 * MINUTE_MS,
  },
  {
    name: 'feature',
    title: 'feature tests (apply, request, expect)',
    files: ['test/features/**/*.test.ts'],
    testTimeoutMs: 2 * MINUTE_MS,
    suiteTimeoutMs: 8 * MINUTE_MS,
  },
  {
    name: 'fault',
    title: 'fault tests (what breaks, and what is served meanwhile)',
    files: ['test/faults/**/*.test.ts'],
    testTimeoutMs: 2 * MINUTE_MS,
    suiteTimeoutMs: 8 * MINUTE_MS,
  },
  { name: 'smoke', title: 'smoke test of `make run`', program: 'hack/smoke.ts', suiteTimeoutMs: 3 * MINUTE_MS },
];
