/**
 * A store in a folder, for one machine (or a shared file system with hard links):
 *
 *     <root>/<namespace>/<name>/objects/<sha256>.gz
 *     <root>/<namespace>/<name>/heads/<n>.json        the highest n is the head
 *
 * A head is replaced by linking the next number, which succeeds for one writer only; so there is no lock that a killed
 * process could leave behind. An object is deleted by moving it aside, looking whether it is still what was listed, and
 * only then unlinking it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { unpack, pack } from '../bundle/storedForm.ts';
import type { BundleObject } from '../contract/bundle.ts';
import { canonicalBytes, digestOf, isDigest, type Digest } from '../contract/canonical.ts';
import type { HeadFile } from '../contract/head.ts';
import { limit } from '../contract/limits.ts';
import { fail, ok, type Result } from '../contract/result.ts';
import {
  attempt,
  errorCode,
  isTemporary,
  NODE_FILE_SYSTEM,
  readBounded,
  writeWhole,
  type FileSystem,
  type WriteOptions,
} from './files.ts';
import type { Store, StoredHead, StoredObject, StoreError } from './types.ts';

/** Names of Kubernetes (RFC 1123), which keeps `..`, separators and control characters out of paths. */
const FLEET = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\/[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
const HEAD_NAME = /^([1-9][0-9]{0,14})\.json$/;
const OBJECT_NAME = /^([0-9a-f]{64})\.gz$/;
/** Gzip may make incompressible bytes a little longer. */
const MAX_STORED_BYTES = limit('shardObjectBytes') + 64 * 1024;
/** Heads before the current one that are kept: as long as a number is among them, whoever linked it came next in turn. */
const EARLIER_HEADS = 8;
/** An object moved aside on its way to deletion. */
const ASIDE = /^\.([0-9a-f]{64}\.gz)\.[0-9a-f]{16}\.aside$/;
/** What is older than this and not finished belongs to a process that was killed. */
const LEFT_OVER_AFTER_MS = 60_000;

export class FolderStore implements Store {
  readonly #root: string;
  readonly #fs: FileSystem;
  readonly #prepared = new Set<string>();

  constructor(root: string, fs: FileSystem = NODE_FILE_SYSTEM) {
    this.#root = root;
    this.#fs = fs;
  }

  /** The folder that changes with every new head, for watchers. Throws on a name that is no fleet. */
  headsFolder(fleet: string): string {
    if (!FLEET.test(fleet)) throw new TypeError(`${JSON.stringify(fleet)} is not the name of a fleet`);
    return join(this.#root, fleet, 'heads');
  }

  async putObject(fleet: string, object: BundleObject): Promise<Result<void, StoreError>> {
    return this.#inFleet(fleet, object.digest, async () => {
      const most = limit('shardObjectBytes');
      if (object.bytes.length > most) return fail({ reason: 'TooLarge', message: `an object is over ${most} bytes` });
      await this.#prepare(fleet);
      if (await this.#touch(fleet, object.digest)) return ok(undefined);
      await this.#write(fleet, this.#objectsFolder(fleet), objectName(object.digest), await pack(object.bytes));
      return ok(undefined);
    });
  }

  async getObject(fleet: string, digest: Digest): Promise<Result<Buffer, StoreError>> {
    return this.#inFleet(fleet, digest, async () => {
      const stored = await readBounded(this.#fs, this.#objectPath(fleet, digest), MAX_STORED_BYTES);
      if (!stored.ok) return stored;
      const bytes = await unpack(stored.value, limit('shardObjectBytes'));
      if (bytes.ok) return bytes;
      const reason = bytes.error.reason === 'TooLarge' ? 'TooLarge' : 'Corrupt';
      return fail({ reason, message: bytes.error.message });
    });
  }

  async listObjects(fleet: string): Promise<Result<readonly StoredObject[], StoreError>> {
    return this.#inFleet(fleet, undefined, async () => {
      const objects: StoredObject[] = [];
      for (const name of await this.#list(this.#objectsFolder(fleet))) {
        const hex = OBJECT_NAME.exec(name)?.[1];
        if (hex === undefined) continue;
        const digest: Digest = `sha256:${hex}`;
        const seen = await this.#version(this.#objectPath(fleet, digest));
        if (seen !== undefined) objects.push({ digest, ...seen });
      }
      return ok(objects);
    });
  }

  async deleteObject(fleet: string, object: StoredObject): Promise<Result<void, StoreError>> {
    return this.#inFleet(fleet, object.digest, async () => {
      const path = this.#objectPath(fleet, object.digest);
      const random = randomBytes(8).toString('hex');
      const aside = join(this.#objectsFolder(fleet), `.${objectName(object.digest)}.${random}.aside`);
      try {
        await this.#fs.rename(path, aside);
      } catch (error) {
        if (errorCode(error) === 'ENOENT') return ok(undefined);
        throw error;
      }
      const unchanged = (await this.#version(aside))?.version === object.version;
      if (!unchanged) await this.#putBack(aside, path);
      await this.#fs.unlink(aside);
      return unchanged ? ok(undefined) : fail({ reason: 'Conflict', message: `${object.digest} was written again` });
    });
  }

  async getHead(fleet: string): Promise<Result<StoredHead, StoreError>> {
    return this.#inFleet(fleet, undefined, async () => {
      // A writer may replace the head twice, and so remove the one just listed, between listing and reading.
      for (let tries = 0; tries < 5; tries++) {
        const [newest] = await this.#headNumbers(fleet);
        if (newest === undefined) return fail({ reason: 'NotFound', message: `fleet ${fleet} has no head` });
        const head = await this.#readHead(fleet, newest);
        if (head.ok || head.error.reason !== 'NotFound') return head;
      }
      return fail({ reason: 'Unavailable', message: `the head of ${fleet} is replaced faster than it can be read` });
    });
  }

  async putHead(fleet: string, file: HeadFile, expected: string | null): Promise<Result<StoredHead, StoreError>> {
    return this.#inFleet(fleet, undefined, async () => {
      const bytes = canonicalBytes(file);
      const most = limit('headBytes');
      if (bytes.length > most) return fail({ reason: 'TooLarge', message: `the head is over ${most} bytes` });
      const [newest] = await this.#headNumbers(fleet);
      const conflict = fail<StoreError>({ reason: 'Conflict', message: `the head of ${fleet} was written by another` });
      if ((await this.#headVersion(fleet, newest)) !== expected) return conflict;
      const number = (newest ?? 0) + 1;
      await this.#write(fleet, this.headsFolder(fleet), `${number}.json`, bytes, { exclusive: true });
      // After a pause in which others wrote many heads and tidied up, a number can be free without being next.
      const [after] = await this.#headNumbers(fleet);
      if (after === undefined || after - number > EARLIER_HEADS) return conflict;
      await this.#forgetHeads(fleet, number - EARLIER_HEADS);
      return ok({ file, version: versionOf(number, bytes) });
    });
  }

  async listEarlierHeads(fleet: string): Promise<Result<readonly StoredHead[], StoreError>> {
    return this.#inFleet(fleet, undefined, async () => {
      const [, ...earlier] = await this.#headNumbers(fleet);
      const heads: StoredHead[] = [];
      for (const number of earlier.slice(0, EARLIER_HEADS)) {
        const head = await this.#readHead(fleet, number);
        if (head.ok) heads.push(head.value);
      }
      return ok(heads);
    });
  }

  #objectsFolder(fleet: string): string {
    return join(this.#root, fleet, 'objects');
  }

  #objectPath(fleet: string, digest: Digest): string {
    return join(this.#objectsFolder(fleet), objectName(digest));
  }

  async #inFleet<T>(
    fleet: string,
    digest: Digest | undefined,
    run: () => Promise<Result<T, StoreError>>,
  ): Promise<Result<T, StoreError>> {
    if (!FLEET.test(fleet)) return fail({ reason: 'Invalid', message: `${JSON.stringify(fleet)} is no fleet` });
    if (digest !== undefined && !isDigest(digest)) return fail({ reason: 'Invalid', message: 'not a digest' });
    return attempt(run);
  }

  async #write(fleet: string, folder: string, name: string, bytes: Buffer, options: WriteOptions = {}): Promise<void> {
    await this.#prepare(fleet);
    try {
      await writeWhole(this.#fs, folder, name, bytes, options);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      // Somebody removed the folder under us: begin anew.
      this.#prepared.delete(fleet);
      await this.#prepare(fleet);
      await writeWhole(this.#fs, folder, name, bytes, options);
    }
  }

  /** Makes the folders, and once per process clears up after killed ones. */
  async #prepare(fleet: string): Promise<void> {
    if (this.#prepared.has(fleet)) return;
    for (const folder of [this.#objectsFolder(fleet), this.headsFolder(fleet)]) {
      await this.#fs.mkdir(folder, { recursive: true });
      for (const name of await this.#fs.readdir(folder)) await this.#clearLeftOver(folder, name);
    }
    this.#prepared.add(fleet);
  }

  async #clearLeftOver(folder: string, name: string): Promise<void> {
    const object = ASIDE.exec(name)?.[1];
    if (object === undefined && !isTemporary(name)) return;
    const path = join(folder, name);
    try {
      if (Date.now() - (await this.#fs.stat(path)).ctimeMs < LEFT_OVER_AFTER_MS) return;
      // Whether it was still unused is not known any more: the next collection decides again.
      if (object !== undefined) await this.#putBack(path, join(folder, object));
      await this.#fs.unlink(path);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }

  /** Gives an object that is there and whole a new version. */
  async #touch(fleet: string, digest: Digest): Promise<boolean> {
    const there = await this.getObject(fleet, digest);
    if (!there.ok || digestOf(there.value) !== digest) return false;
    const now = new Date();
    try {
      await this.#fs.utimes(this.#objectPath(fleet, digest), now, now);
      return true;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return false;
      throw error;
    }
  }

  async #version(path: string): Promise<{ readonly modifiedAtMs: number; readonly version: string } | undefined> {
    try {
      const stats = await this.#fs.stat(path, { bigint: true });
      return { modifiedAtMs: Number(stats.mtimeMs), version: `${stats.mtimeNs}-${stats.ino}-${stats.size}` };
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #putBack(aside: string, path: string): Promise<void> {
    try {
      await this.#fs.link(aside, path);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
  }

  async #list(folder: string): Promise<string[]> {
    try {
      return await this.#fs.readdir(folder);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  /** Highest first. */
  async #headNumbers(fleet: string): Promise<number[]> {
    const names = await this.#list(this.headsFolder(fleet));
    return names
      .flatMap((name) => HEAD_NAME.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => b - a);
  }

  async #headVersion(fleet: string, number: number | undefined): Promise<string | null> {
    if (number === undefined) return null;
    const head = await this.#readHead(fleet, number);
    return (head.ok ? head.value.version : head.error.version) ?? null;
  }

  async #readHead(fleet: string, number: number): Promise<Result<StoredHead, StoreError>> {
    return attempt(async () => {
      const path = join(this.headsFolder(fleet), `${number}.json`);
      const bytes = await readBounded(this.#fs, path, limit('headBytes'));
      if (!bytes.ok) return fail({ ...bytes.error, version: versionOf(number, Buffer.alloc(0)) });
      const version = versionOf(number, bytes.value);
      try {
        // The shape is for whoever verifies the signature to check.
        return ok({ file: JSON.parse(bytes.value.toString('utf8')) as HeadFile, version });
      } catch {
        return fail({ reason: 'Corrupt', message: `${path} is not JSON`, version });
      }
    });
  }

  async #forgetHeads(fleet: string, below: number): Promise<void> {
    for (const number of await this.#headNumbers(fleet)) {
      if (number < below) await this.#fs.unlink(join(this.headsFolder(fleet), `${number}.json`)).catch(errorCode);
    }
  }
}

function objectName(digest: Digest): string {
  return `${digest.slice('sha256:'.length)}.gz`;
}

/** Number and content: a folder that was emptied and begun anew has other versions. */
function versionOf(number: number, bytes: Buffer): string {
  return `${number}-${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
}
