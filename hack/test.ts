/** `make test`: runs all suites, or those named as arguments, one after the other; the last line counts. */
import { runSuite } from './run-suite.ts';
import { SUITES, type Suite } from './suites.ts';
import { formatElapsed } from './terminal.ts';

function selected(names: readonly string[]): readonly Suite[] {
  const unknown = names.filter((name) => !SUITES.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    console.error(`error: no such suite: ${unknown.join(', ')}; there are ${SUITES.map((s) => s.name).join(', ')}`);
    process.exit(2);
  }
  return names.length === 0 ? SUITES : SUITES.filter((suite) => names.includes(suite.name));
}

const startedMs = performance.now();
/** TORTURE=1 lengthens the tests, so their limits grow with them; tests of the limits themselves shorten these. */
const patience = process.env['TORTURE'] === '1' ? 40 : Number(process.env['PATIENCE'] ?? 1);
const options = { failOnSkip: process.env['CI'] === 'true', root: process.cwd(), patience };
let passed = 0;
let failed = 0;
for (const suite of selected(process.argv.slice(2))) {
  const result = await runSuite(suite, options);
  passed += result.passed;
  // A suite with a problem and no failed test (a skip in CI, no tests at all) is a failure too.
  failed += result.failed === 0 && result.problems.length > 0 ? result.problems.length : result.failed;
}
console.log(`all suites: ${formatElapsed(performance.now() - startedMs)}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
