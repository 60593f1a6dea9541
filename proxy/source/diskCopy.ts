/**
 * The last good head and its bundle on the proxy’s own disk, so that it starts while the store is away. Everything is
 * verified again when it is read: the disk is believed as little as the store.
 *
 *     good/     the head whose stable bundle ran here last, and the objects of bundles
 *     earlier/  the head before that had another stable bundle: the way out when `good` is damaged
 *     seen/     the newest head verified, whatever became of it: no process takes part in a candidate that an earlier
 *               one already saw, so a candidate that crashes its proxy does not crash it twice
 */
import { join } from 'node:path';
import { verifyHead, type HeadTrust, type VerifiedHead } from '../bundle/head.ts';
import { readManifest } from '../bundle/readBundle.ts';
import type { Refused, Supports } from '../bundle/refused.ts';
import { digestOf, type Digest } from '../contract/canonical.ts';
import type { HeadFile } from '../contract/head.ts';
import { limit } from '../contract/limits.ts';
import { ok, type Result } from '../contract/result.ts';
import type { Logger } from '../observability/logger.ts';
import { fetchBundle, type FetchedBundle, type ReadObject } from '../store/fetchBundle.ts';
import { NODE_FILE_SYSTEM, type FileSystem } from '../store/files.ts';
import { FolderStore } from '../store/folderStore.ts';
import type { StoreError } from '../store/types.ts';

export interface DiskContent {
  /** Newest head verified by this process’s predecessors. */
  readonly seen: VerifiedHead | null;
  /** What to start from. */
  readonly good: { readonly head: VerifiedHead; readonly bundle: FetchedBundle } | null;
}

export class DiskCopy {
  readonly #fleet: string;
  readonly #good: FolderStore;
  readonly #earlier: FolderStore;
  readonly #seen: FolderStore;
  readonly #log: Logger;
  /** Digests of the bundles on disk, the last one used first. */
  #bundles: Digest[] = [];
  /** The head that is kept, and can be started from. */
  #kept: VerifiedHead | null = null;
  #failing = false;

  constructor(folder: string, fleet: string, log: Logger, fs: FileSystem = NODE_FILE_SYSTEM) {
    this.#fleet = fleet;
    this.#log = log;
    this.#good = new FolderStore(join(folder, 'good'), fs);
    this.#earlier = new FolderStore(join(folder, 'earlier'), fs);
    this.#seen = new FolderStore(join(folder, 'seen'), fs);
  }

  /** Reads what is there: the good bundle, else the one before, else nothing. */
  async load(trust: Omit<HeadTrust, 'minGeneration'>, supports: Supports): Promise<DiskContent> {
    const seen = await this.#readHead(this.#seen, trust);
    let good: DiskContent['good'] = null;
    for (const store of [this.#good, this.#earlier]) {
      const head = await this.#readHead(store, trust);
      if (head === null) continue;
      const digest = head.head.stable.digest;
      if (good !== null) {
        this.#bundles.push(digest);
        continue;
      }
      const bundle = await fetchBundle(digest, this.read, { supports });
      if (bundle.ok) {
        good = { head, bundle: bundle.value };
        this.#kept = head;
        this.#bundles.push(digest);
      } else this.#log.error({ ...bundle.error, digest }, 'bundle on disk refused');
    }
    return { seen, good };
  }

  /** Object bytes from disk, unverified, as from any store. */
  readonly read: ReadObject = async (digest) => this.#good.getObject(this.#fleet, digest);

  /** Remembers a verified head. To be awaited before taking part in its candidate. */
  async saw(file: HeadFile): Promise<void> {
    this.#report(await replaceHead(this.#seen, this.#fleet, { jws: file.jws }));
  }

  /**
   * Keeps a head whose stable bundle ran here, with its bundles.
   *
   * @param bundles digests to keep with it: the stable one first, then a candidate that runs
   * @param read where objects come from that are not on disk yet
   */
  async keepGood(head: VerifiedHead, bundles: readonly Digest[], read: ReadObject): Promise<void> {
    for (const digest of bundles) {
      const kept = await this.#keepBundle(digest, read);
      if (!kept.ok) {
        this.#report(kept);
        return;
      }
    }
    const kept = this.#kept;
    if (kept !== null && kept.head.stable.digest !== head.head.stable.digest) {
      this.#report(await replaceHead(this.#earlier, this.#fleet, { jws: kept.file.jws }));
    }
    const written = await replaceHead(this.#good, this.#fleet, { jws: head.file.jws });
    this.#report(written);
    if (!written.ok) return;
    this.#kept = head;
    this.#bundles = [...new Set([...bundles, ...this.#bundles])].slice(0, limit('diskBundles'));
    await this.#prune();
  }

  async #readHead(store: FolderStore, trust: Omit<HeadTrust, 'minGeneration'>): Promise<VerifiedHead | null> {
    const stored = await store.getHead(this.#fleet);
    if (!stored.ok) {
      if (stored.error.reason !== 'NotFound') this.#log.error({ ...stored.error }, 'head on disk cannot be read');
      return null;
    }
    const head = await verifyHead(stored.value.file, { ...trust, minGeneration: 0 });
    if (head.ok) return head.value;
    this.#log.error({ ...head.error }, 'head on disk refused');
    return null;
  }

  async #keepBundle(digest: Digest, read: ReadObject): Promise<Result<void, StoreError>> {
    const manifestBytes = await read(digest);
    if (!manifestBytes.ok) return manifestBytes;
    const manifest = readManifest(manifestBytes.value, digest);
    if (!manifest.ok) return asStoreError(manifest.error);
    for (const shard of manifest.value.shards) {
      if (await this.#has(shard.digest)) continue;
      const bytes = await read(shard.digest);
      const put = bytes.ok
        ? await this.#good.putObject(this.#fleet, { digest: shard.digest, bytes: bytes.value })
        : bytes;
      if (!put.ok) return put;
    }
    return this.#good.putObject(this.#fleet, { digest, bytes: manifestBytes.value });
  }

  async #has(digest: Digest): Promise<boolean> {
    const bytes = await this.read(digest);
    return bytes.ok && digestOf(bytes.value) === digest;
  }

  /** Deletes the objects of bundles that are not kept any more. */
  async #prune(): Promise<void> {
    const kept = new Set<Digest>(this.#bundles);
    for (const digest of this.#bundles) {
      const bytes = await this.read(digest);
      const manifest = bytes.ok ? readManifest(bytes.value, digest) : bytes;
      if (manifest.ok) for (const shard of manifest.value.shards) kept.add(shard.digest);
    }
    const listed = await this.#good.listObjects(this.#fleet);
    for (const object of listed.ok ? listed.value : []) {
      if (!kept.has(object.digest)) await this.#good.deleteObject(this.#fleet, object);
    }
  }

  /** A disk that fails costs the copy, never what is served; said when it begins and when it ends. */
  #report(outcome: Result<unknown, StoreError>): void {
    if (outcome.ok === !this.#failing) return;
    this.#failing = !outcome.ok;
    if (outcome.ok) this.#log.info({}, 'disk copy is written again');
    else this.#log.error({ ...outcome.error }, 'disk copy cannot be written; serving goes on without it');
  }
}

function asStoreError(refused: Refused): { readonly ok: false; readonly error: StoreError } {
  return { ok: false, error: { reason: 'Corrupt', message: refused.message } };
}

/** This process is the only writer of its folder, so the version is the one that is there. */
async function replaceHead(store: FolderStore, fleet: string, file: HeadFile): Promise<Result<void, StoreError>> {
  const current = await store.getHead(fleet);
  const version = current.ok ? current.value.version : (current.error.version ?? null);
  if (!current.ok && version === null && current.error.reason !== 'NotFound') return current;
  const put = await store.putHead(fleet, file, version);
  return put.ok ? ok(undefined) : put;
}
