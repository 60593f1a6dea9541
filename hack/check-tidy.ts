/** Fails where a file has left-over marks, unexplained exceptions or machine paths. Usage: check-tidy.ts [root] */
import { checkTidy } from './tidy-rules.ts';

const findings = checkTidy(process.argv[2] ?? '.');
for (const finding of findings) console.error(finding);
process.exitCode = findings.length === 0 ? 0 : 1;
