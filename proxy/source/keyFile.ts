/** The file of verifying keys, followed: a key that is added to it is known without a restart. */
import { dirname } from 'node:path';
import type { KeySet } from '../bundle/keys.ts';
import { ok, type Result } from '../contract/result.ts';
import type { Logger } from '../observability/logger.ts';
import { loadKeySet } from '../store/keyFolder.ts';
import { errorCode, NODE_FILE_SYSTEM } from '../store/files.ts';
import type { StoreError } from '../store/types.ts';
import { POLL_MS, watchFolder } from './watching.ts';

export class KeyFile {
  readonly #path: string;
  readonly #log: Logger;
  readonly #stop: () => void;
  #keys: KeySet;
  #signature: string;

  private constructor(path: string, keys: KeySet, signature: string, log: Logger, pollMs: number) {
    this.#path = path;
    this.#log = log;
    this.#keys = keys;
    this.#signature = signature;
    this.#stop = watchFolder(dirname(path), pollMs)(() => void this.refresh());
  }

  /** Reads the file, which must be good, and follows it. */
  static async open(path: string, log: Logger, pollMs: number = 4 * POLL_MS): Promise<Result<KeyFile, StoreError>> {
    const signature = await fileSignature(path);
    const keys = await loadKeySet(path);
    return keys.ok ? ok(new KeyFile(path, keys.value, signature, log, pollMs)) : keys;
  }

  /** The same object as long as the file is the same. */
  current(): KeySet {
    return this.#keys;
  }

  /** Kids for acks. */
  kids(): string[] {
    return [...this.#keys.keys()];
  }

  /** Reads the file if it changed. One that is not good changes nothing. */
  async refresh(): Promise<void> {
    const signature = await fileSignature(this.#path);
    if (signature === this.#signature) return;
    this.#signature = signature;
    const keys = await loadKeySet(this.#path);
    if (keys.ok) {
      this.#keys = keys.value;
      this.#log.info({ kids: this.kids() }, 'verifying keys read');
    } else {
      this.#log.error({ ...keys.error }, 'verifying keys cannot be read; the known ones stay');
    }
  }

  stop(): void {
    this.#stop();
  }
}

/** What tells one state of a file from another without reading it; '' while it is not there. */
export async function fileSignature(path: string): Promise<string> {
  try {
    const stats = await NODE_FILE_SYSTEM.stat(path, { bigint: true });
    return `${stats.mtimeNs}-${stats.size}-${stats.ino}`;
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? '' : errorCode(error);
  }
}
