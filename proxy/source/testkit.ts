/** A signed fleet in a folder, and what a source said, for tests. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import { packInline, signHead } from '../bundle/head.ts';
import { generateSigningKey, keySetOf, type KeySet } from '../bundle/keys.ts';
import { CLUSTER, FLEET, headOf, SUPPORTS, unwrap } from '../bundle/testkit.ts';
import type { Refusal } from '../contract/ack.ts';
import type { Bundle, BundleObject } from '../contract/bundle.ts';
import { shortDigest, type Digest } from '../contract/canonical.ts';
import type { Finding } from '../contract/finding.ts';
import type { Head } from '../contract/head.ts';
import type { Logger } from '../observability/logger.ts';
import { FolderStore } from '../store/folderStore.ts';
import { temporaryFolder } from '../store/testkit.ts';
import { StoreSource, type StoreSourceOptions } from './storeSource.ts';
import type { Candidate, Source, SourceEvents } from './types.ts';
import { watchFolder } from './watching.ts';

export const KEY = generateSigningKey();
export const KEYS: KeySet = keySetOf([KEY]);

/** Waits that no test has to sit through. */
const TIMING = { storeTimeoutMs: 500, firstTimeoutMs: 200, retryMs: 5, lookAgainMs: 40, settleTimeoutMs: 5_000 };
const POLL_MS = 10;

/** Until something holds; the limit is for when it never does. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 10_000; !(await holds());) {
    assert.ok(performance.now() < end, `never happened: ${what}`);
    await sleep(2);
  }
}

/** Long enough for a source to have looked several times. */
export async function aWhile(): Promise<void> {
  await sleep(12 * POLL_MS);
}

/** What a source said, as short lines; answers each configuration with `answer`. */
export class Recorder implements SourceEvents {
  readonly lines: string[] = [];
  readonly candidates: Candidate[] = [];
  readonly refusals: Refusal[] = [];
  readonly findings: Finding[] = [];
  readonly logged: string[] = [];
  answer: 'running' | 'refused' | 'failed' | null = 'running';
  source: Source | undefined;

  onCandidate(candidate: Candidate): void {
    this.candidates.push(candidate);
    this.lines.push(`${candidate.role} ${shortDigest(candidate.digest)}`);
    if (this.answer !== null) void this.source?.settled(candidate.digest, this.answer);
  }

  onHead(head: Head, role: 'stable' | 'candidate'): void {
    this.lines.push(`head ${head.generation} ${role}`);
  }

  onUnchanged(digest: Digest): void {
    this.lines.push(`unchanged ${shortDigest(digest)}`);
  }

  onRefused(refusal: Refusal, findings: readonly Finding[]): void {
    this.refusals.push(refusal);
    this.findings.push(...findings);
    this.lines.push(`refused ${refusal.reason}`);
  }

  readonly log: Logger = {
    debug: () => undefined,
    info: (_keys, message) => void this.logged.push(message),
    warn: (_keys, message) => void this.logged.push(message),
    error: (_keys, message) => void this.logged.push(message),
  };

  async said(line: string): Promise<void> {
    await until(`${line} (but ${this.lines.join(', ')})`, () => this.lines.includes(line));
  }
}

export async function newFleet(t: TestContext) {
  const sources: Source[] = [];
  // Hooks run in the order in which they were set: sources stop before their folders go.
  t.after(async () => Promise.all(sources.map(async (source) => source.stop())));
  const root = await temporaryFolder(t);
  const store = new FolderStore(root);
  let generation = 1_000;

  const putObjects = async (objects: readonly BundleObject[]) => {
    for (const object of objects) unwrap(await store.putObject(FLEET, object));
  };
  const putBundle = async (bundle: Bundle) => putObjects([...bundle.shards, bundle.manifest]);

  /** Signs and writes the next head; what it names is the test’s to put there. */
  const putHead = async (
    stable: Bundle,
    changes: Partial<Head> = {},
    inline: readonly BundleObject[] = [],
    by = KEY,
  ) => {
    const head = headOf(stable.digest, { generation: ++generation, ...changes });
    const file = await signHead(head, by);
    const parts = await Promise.all(
      inline.map(async (object) => [object.digest, await packInline(object.bytes)] as const),
    );
    const whole = inline.length === 0 ? file : { ...file, inline: Object.fromEntries(parts) };
    const current = await store.getHead(FLEET);
    const version = current.ok ? current.value.version : (current.error.version ?? null);
    unwrap(await store.putHead(FLEET, whole, version));
    return head;
  };

  /** A source on this store that stops with the test. */
  const follow = async (changes: Partial<StoreSourceOptions> = {}, recorder = new Recorder()) => {
    const source = new StoreSource({
      store,
      watch: watchFolder(store.headsFolder(FLEET), POLL_MS),
      fleet: FLEET,
      clusterUid: CLUSTER,
      podUid: 'pod-1',
      keys: () => KEYS,
      supports: SUPPORTS,
      disk: null,
      log: recorder.log,
      random: () => 0.5,
      timing: TIMING,
      ...changes,
    });
    recorder.source = source;
    sources.push(source);
    await source.start(recorder);
    return { source, recorder };
  };
  return { root, store, putObjects, putBundle, putHead, follow };
}
