/** The project's own files, as the checks see them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Folders that hold what tools made, or inputs of tests that break the rules on purpose. */
const SKIPPED = new Set(['.git', 'node_modules', 'dist', 'coverage', '.state', 'test/fixtures']);

/** Paths of all files under `root`, relative to it, with forward slashes, sorted. */
export function listFiles(root: string, folder = ''): string[] {
  const files: string[] = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (SKIPPED.has(path)) continue;
    if (entry.isDirectory()) files.push(...listFiles(root, path));
    else if (entry.isFile()) files.push(path);
  }
  return files.toSorted();
}

/** Tests beside their source (`x.test.ts`), and what only they use (`testkit.ts`, `testMessages.ts`). None is built. */
export function isTest(file: string): boolean {
  return /(\.test|(^|\/)test\w*)\.ts$/.test(file);
}
