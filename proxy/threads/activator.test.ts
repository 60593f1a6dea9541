import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Refusal } from '../contract/ack.ts';
import { documentEntries } from '../contract/document/entries.ts';
import { ok, type Result } from '../contract/result.ts';
import type { Logger } from '../observability/logger.ts';
import { Metrics } from '../observability/metrics.ts';
import type { Candidate } from '../source/types.ts';
import { Activator } from './activator.ts';

const quiet: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function candidate(letter: string, pool = 'p'): Candidate {
  const document = {
    routes: [{ id: 'r', path_prefix: '/', pool }],
    pools: [{ id: 'p', endpoints: [{ address: '10.0.0.1:80' }] }],
  };
  return {
    digest: `sha256:${letter.repeat(64)}`,
    entries: documentEntries(document, ''),
    role: 'stable',
    head: null,
    findings: [],
  };
}

function activatorWith(swap: (version: string) => Promise<Result<{ prepareMs: number }>>) {
  const settled: [string, Refusal['reason'] | undefined][] = [];
  const activator = new Activator({
    swap,
    provideData: async () => undefined,
    onSettled: (c, refusal) => settled.push([c.digest.slice(7, 8), refusal?.reason]),
    metrics: new Metrics(),
    logger: quiet,
    now: () => 0,
  });
  return { activator, settled };
}

const turns = async (count = 20) => {
  for (let i = 0; i < count; i += 1) await Promise.resolve();
};

test('while a configuration is taken, only the newest of those that come waits', async () => {
  const release: (() => void)[] = [];
  const { activator, settled } = activatorWith(
    () => new Promise((resolve) => release.push(() => resolve(ok({ prepareMs: 0 })))),
  );
  for (const letter of ['a', 'b', 'c']) activator.offer(candidate(letter));
  await turns();
  release.shift()?.();
  await turns();
  release.shift()?.();
  await turns();
  assert.deepEqual(settled, [
    ['a', undefined],
    ['c', undefined],
  ]);
  assert.equal(activator.running?.candidate.digest.slice(7, 8), 'c');
});

test('what does not compile is refused with its findings, and what ran before runs on', async () => {
  const { activator, settled } = activatorWith(async () => ok({ prepareMs: 0 }));
  activator.offer(candidate('a'));
  await turns();
  activator.offer(candidate('b', 'nowhere'));
  await turns();
  assert.deepEqual(settled, [
    ['a', undefined],
    ['b', 'CompileFailed'],
  ]);
  assert.equal(activator.running?.candidate.digest.slice(7, 8), 'a');
});

test('a mistake of ours while activating refuses that configuration, and the next one is taken', async () => {
  let broken = true;
  const { activator, settled } = activatorWith(async () => {
    if (broken) throw new Error('a mistake');
    return ok({ prepareMs: 0 });
  });
  activator.offer(candidate('a'));
  await turns();
  broken = false;
  activator.offer(candidate('b'));
  await turns();
  assert.deepEqual(settled, [
    ['a', 'PrepareFailed'],
    ['b', undefined],
  ]);
});
