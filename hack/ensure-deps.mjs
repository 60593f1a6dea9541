// Exits with 0 where node_modules holds what package-lock.json asks for, with 1 where `npm ci` is needed.
// Plain JavaScript, since it runs on whatever Node.js the machine has, before the project's own is there.
import { readFileSync } from 'node:fs';

/** Entries of a lockfile: install path → package. */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
  } catch {
    return undefined;
  }
}

const wanted = packagesOf('package-lock.json');
// npm writes this file last, so an interrupted install has none.
const installed = packagesOf('node_modules/.package-lock.json');
if (wanted === undefined) {
  console.error('error: package-lock.json is missing or malformed');
  process.exit(2);
}

/** Packages for another operating system or CPU are skipped by npm, and are no difference. */
function differs([path, entry]) {
  const present = installed?.[path];
  if (present === undefined) return entry.optional !== true;
  if (present.version !== entry.version) return true;
  return entry.integrity !== undefined && present.integrity !== entry.integrity; // see hack/gen-lockfile.ts
}

const entries = Object.entries(wanted).filter(([path]) => path !== '');
process.exit(installed !== undefined && !entries.some(differs) ? 0 : 1);
