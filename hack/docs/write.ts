import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';

const ROOT = join(import.meta.dirname, '..', '..');

/** Writes generated files, or with --check names those that differ and fails. Paths are relative to the repository. */
export async function writeGenerated(files: Readonly<Record<string, string>>): Promise<void> {
  const stale: string[] = [];
  for (const [path, text] of Object.entries(files)) {
    const file = join(ROOT, path);
    const formatted = await format(text, { ...(await resolveConfig(file)), filepath: file });
    const current = await readFile(file, 'utf8').catch(() => undefined);
    if (current === formatted) continue;
    stale.push(path);
    if (process.argv.includes('--check')) continue;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, formatted);
  }
  if (process.argv.includes('--check') && stale.length > 0) {
    console.error(`stale, run \`make generate\`: ${stale.join(', ')}`);
    process.exitCode = 1;
  } else console.log(stale.length === 0 ? 'up to date' : `wrote ${stale.join(', ')}`);
}
