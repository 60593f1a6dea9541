import assert from 'node:assert/strict';
import { appendFileSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ROOT, update } from './outputs.ts';

const FILES = [
  'charts/modern-reverse-proxy/crds/proxyrollouts.yaml',
  'charts/modern-reverse-proxy/crds/proxyroutes.yaml',
  'charts/modern-reverse-proxy/crds/trafficpolicies.yaml',
  'charts/modern-reverse-proxy/crds/upstreampools.yaml',
  'docs/reference/README.md',
  'docs/reference/proxyrollout.md',
  'docs/reference/proxyroute.md',
  'docs/reference/trafficpolicy.md',
  'docs/reference/upstreampool.md',
];

const folder = mkdtempSync(join(tmpdir(), 'crds-'));
after(() => rmSync(folder, { recursive: true }));
const written = () => globSync('**/*.{yaml,md}', { cwd: folder }).toSorted();

test('one CRD and one page per kind, and an index; a check writes none of them', async () => {
  assert.deepEqual((await update(folder, true)).toSorted(), FILES);
  assert.deepEqual(written(), []);
  await update(folder, false);
  assert.deepEqual(written(), FILES);
  assert.deepEqual(await update(folder, true), []);
});

test('a file that was edited is named, and written anew', async () => {
  const [edited = ''] = FILES;
  await update(folder, false);
  appendFileSync(join(folder, edited), '\n');
  assert.deepEqual(await update(folder, true), [edited]);
  assert.deepEqual(await update(folder, false), [edited]);
  assert.deepEqual(await update(folder, true), []);
});

test('the files in the repository are current', async () => {
  assert.deepEqual(await update(ROOT, true), []);
});
