/** Where an operator keeps bundles and heads: a folder, ConfigMaps. */
import type { Digest } from '../contract/canonical.ts';
import type { BundleObject } from '../contract/bundle.ts';
import type { HeadFile } from '../contract/head.ts';
import type { Result } from '../contract/result.ts';

/** Why a store could not do what it was asked: said as it is, retried by the caller. */
export interface StoreError {
  readonly reason: 'Conflict' | 'NotFound' | 'Full' | 'ReadOnly' | 'TooLarge' | 'Unavailable';
  readonly message: string;
}

/** A head with the version that a conditional write names. */
export interface StoredHead {
  readonly file: HeadFile;
  readonly version: string;
}

export interface StoredObject {
  readonly digest: Digest;
  readonly modifiedAtMs: number;
  readonly version: string;
}

/** Every method may be retried: objects are content-addressed, and the head is written by compare-and-swap. */
export interface Store {
  /** Idempotent; an existing object of that digest is left alone. */
  putObject(fleet: string, object: BundleObject): Promise<Result<void, StoreError>>;
  getObject(fleet: string, digest: Digest): Promise<Result<Buffer, StoreError>>;
  listObjects(fleet: string): Promise<Result<readonly StoredObject[], StoreError>>;
  /** Deletes only the version that was listed. */
  deleteObject(fleet: string, object: StoredObject): Promise<Result<void, StoreError>>;
  getHead(fleet: string): Promise<Result<StoredHead, StoreError>>;
  /** `expected` is the version read, or null when there was none; otherwise Conflict. */
  putHead(fleet: string, file: HeadFile, expected: string | null): Promise<Result<StoredHead, StoreError>>;
}
