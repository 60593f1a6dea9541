/** `make bench`: runs all measurements, or those named as arguments, one after the other. Prints figures, judges none. */
import { spawnSync } from 'node:child_process';
import { formatElapsed } from './terminal.ts';

const BENCHES = [
  { name: 'codec', program: 'test/bench/http1-parse.ts', title: 'HTTP/1.1 codec: nanoseconds per head' },
  { name: 'proxy', program: 'test/bench/proxy-h1.ts', title: 'CPU per proxied request, beside a bare pipe and nginx' },
  { name: 'swap', program: 'test/bench/swap.ts', title: 'compile, swap, memory and stalls at 5,000 routes' },
];

const names = process.argv.slice(2);
const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name));
if (unknown.length > 0) {
  console.error(`error: no such bench: ${unknown.join(', ')}; there are ${BENCHES.map((b) => b.name).join(', ')}`);
  process.exit(2);
}
for (const bench of BENCHES) {
  if (names.length > 0 && !names.includes(bench.name)) continue;
  console.log(`==> ${bench.name}: ${bench.title}`);
  const startedMs = performance.now();
  const { status } = spawnSync(process.execPath, [bench.program], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
  console.log(`    ${status === 0 ? 'done' : 'FAILED'} in ${formatElapsed(performance.now() - startedMs)}`);
}
