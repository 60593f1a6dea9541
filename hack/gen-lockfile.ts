/**
 * Completes package-lock.json with the optional packages of other platforms. `npm install` leaves out those that its
 * registry doesn't hold (mirrors often have some platforms only), and `npm ci` then refuses the whole lockfile.
 * Entries made here have no hash, since nothing was fetched; npm takes them by exact version where their platform needs them.
 * Run after every `npm install`. With `--check` it only says what is missing, and fails.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { missingOptionals, type LockedPackage } from './lockfile.ts';

const FILE = 'package-lock.json';

/** npm's own file of a known format, committed by us. */
const lock = JSON.parse(readFileSync(FILE, 'utf8')) as { packages: Record<string, LockedPackage> };
const missing = missingOptionals(new Map(Object.entries(lock.packages)));

if (missing.size > 0 && process.argv.includes('--check')) {
  console.error(`${FILE} lacks optional packages, so npm ci would fail: ${[...missing.keys()].join(', ')}`);
  process.exitCode = 1;
} else if (missing.size > 0) {
  const entries = Object.entries(lock.packages).concat([...missing]);
  lock.packages = Object.fromEntries(entries.toSorted(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
}
