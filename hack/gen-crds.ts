/**
 * Writes charts/modern-reverse-proxy/crds/*.yaml and docs/reference/*.md from crds/. With `--check` it writes nothing, names
 * the files that differ, and ends with 1.
 */
import { ROOT, update } from './crds/outputs.ts';

const check = process.argv.includes('--check');
for (const path of await update(ROOT, check)) {
  console.log(check ? `${path} is not what hack/gen-crds.ts writes` : `wrote ${path}`);
  if (check) process.exitCode = 1;
}
