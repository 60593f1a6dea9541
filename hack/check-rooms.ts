/** Fails where an import breaks the table of rooms. Usage: check-rooms.ts [root] */
import { checkTable, checkTree } from './room-rules.ts';

const findings = [...checkTable(), ...checkTree(process.argv[2] ?? '.')];
for (const finding of findings) console.error(finding);
process.exitCode = findings.length === 0 ? 0 : 1;
