/** A whole bundle by its digest: manifest, then the shards that are not known yet, a bounded number at once. */
import { digestOf, shortDigest, type Digest } from '../contract/canonical.ts';
import { limit } from '../contract/limits.ts';
import { ok, type Result } from '../contract/result.ts';
import { assembleEntries, readManifest, sameRef, type AssembledBundle, type ReadShard } from '../bundle/readBundle.ts';
import { refuse, type Refused, type Supports } from '../bundle/refused.ts';
import type { StoreError } from './types.ts';

/** Uncompressed bytes by digest, from wherever they are. */
export type ReadObject = (digest: Digest) => Promise<Result<Buffer, StoreError>>;

export interface FetchOptions {
  readonly supports: Supports;
  /** Shards read before; the same lines are taken over unfetched. */
  readonly known?: ReadonlyMap<Digest, ReadShard>;
}

export interface FetchedBundle extends AssembledBundle {
  readonly digest: Digest;
  /** Bytes of what was fetched: the manifest and the shards that were not known. */
  readonly objects: ReadonlyMap<Digest, Buffer>;
}

/** Fetches and verifies a bundle. What cannot be read now is refused as Missing, which the caller may try again. */
export async function fetchBundle(
  digest: Digest,
  read: ReadObject,
  options: FetchOptions,
): Promise<Result<FetchedBundle, Refused>> {
  const manifestBytes = await readOne(digest, read);
  if (!manifestBytes.ok) return manifestBytes;
  const manifest = readManifest(manifestBytes.value, digest, options.supports);
  if (!manifest.ok) return manifest;
  const objects = new Map<Digest, Buffer>([[digest, manifestBytes.value]]);
  const wanted = manifest.value.shards.filter((ref) => {
    const known = options.known?.get(ref.digest);
    return known === undefined || !sameRef(known.ref, ref);
  });
  const failed = await forEachBounded(wanted, async (ref) => {
    const bytes = await readOne(ref.digest, read);
    if (!bytes.ok) return bytes;
    // Before the others are fetched in vain; assembling hashes it again, with everything else about it.
    if (digestOf(bytes.value) !== ref.digest) {
      return refuse('DigestMismatch', `the bytes are not those of shard ${shortDigest(ref.digest)}`);
    }
    objects.set(ref.digest, bytes.value);
    return undefined;
  });
  if (failed !== undefined) return failed;
  const assembled = await assembleEntries(manifest.value, (shard) => objects.get(shard), options.known);
  return assembled.ok ? ok({ digest, objects, ...assembled.value }) : assembled;
}

type Refusing = ReturnType<typeof refuse>;

async function readOne(digest: Digest, read: ReadObject): Promise<Result<Buffer, Refused>> {
  const bytes = await read(digest);
  if (bytes.ok) return bytes;
  const { reason, message } = bytes.error;
  if (reason === 'TooLarge') return refuse('TooLarge', message);
  if (reason === 'Corrupt') return refuse('Malformed', message);
  return refuse('Missing', `${shortDigest(digest)}: ${message}`);
}

/** Runs at most `fetchConcurrency` at once; stops taking new ones after the first refusal, and returns it. */
export async function forEachBounded<T>(
  items: readonly T[],
  run: (item: T) => Promise<Refusing | undefined>,
): Promise<Refusing | undefined> {
  const queue = items.values();
  let failed: Refusing | undefined;
  const worker = async () => {
    for (const item of queue) {
      if (failed !== undefined) return;
      const outcome = await run(item);
      failed ??= outcome;
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit('fetchConcurrency'), items.length) }, worker));
  return failed;
}
