/** Where an operator keeps bundles and heads: a folder, ConfigMaps. */
import type { Digest } from '../contract/canonical.ts';
import type { BundleObject } from '../contract/bundle.ts';
import type { HeadFile } from '../contract/head.ts';
import type { Result } from '../contract/result.ts';

/** Why a store could not do what it was asked: said as it is, retried by the caller. */
export interface StoreError {
  /** Invalid: a name that is no fleet or digest. Corrupt: what is stored is not of its format. */
  readonly reason: 'Conflict' | 'NotFound' | 'Full' | 'ReadOnly' | 'TooLarge' | 'Unavailable' | 'Invalid' | 'Corrupt';
  readonly message: string;
  /** Of a head that is Corrupt or TooLarge, so that it can be replaced. */
  readonly version?: string;
}

/** A head with the version that a conditional write names. */
export interface StoredHead {
  /** As it was read: the signature is for the reader to verify. */
  readonly file: HeadFile;
  readonly version: string;
}

export interface StoredObject {
  readonly digest: Digest;
  readonly modifiedAtMs: number;
  readonly version: string;
}

/** The part of a store that proxies see. */
export interface StoreReader {
  /** Uncompressed bytes, bounded, but not yet compared with the digest: whoever reads them does. */
  getObject(fleet: string, digest: Digest): Promise<Result<Buffer, StoreError>>;
  getHead(fleet: string): Promise<Result<StoredHead, StoreError>>;
}

/** Every method may be retried: objects are content-addressed, and the head is written by compare-and-swap. */
export interface Store extends StoreReader {
  /** Idempotent. An existing object gets a new version, so that no collection that listed it before deletes it. */
  putObject(fleet: string, object: BundleObject): Promise<Result<void, StoreError>>;
  listObjects(fleet: string): Promise<Result<readonly StoredObject[], StoreError>>;
  /** Deletes only the version that was listed. */
  deleteObject(fleet: string, object: StoredObject): Promise<Result<void, StoreError>>;
  /** `expected` is the version read, or null when there was none; otherwise Conflict. */
  putHead(fleet: string, file: HeadFile, expected: string | null): Promise<Result<StoredHead, StoreError>>;
  /** Heads before the current one that are still there, newest first; absent where a store keeps none. */
  listEarlierHeads?(fleet: string): Promise<Result<readonly StoredHead[], StoreError>>;
}
