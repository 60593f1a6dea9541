/** A bundle's bytes back to entries; nothing is believed that does not follow from the digest that was asked for. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Manifest, ShardRef } from '../contract/bundle.ts';
import { digestOf, shortDigest, type Digest } from '../contract/canonical.ts';
import { entryKey, type Entry } from '../contract/document/entries.ts';
import { limit } from '../contract/limits.ts';
import { ok, type Result } from '../contract/result.ts';
import { hasPrefix, keyBits } from './entryBytes.ts';
import { parseCanonical } from './json.ts';
import { refuse, type Refused, type Supports } from './refused.ts';
import { checkManifest, checkShard, checkValue } from './schemas.ts';

/**
 * Reads a manifest's uncompressed bytes.
 *
 * @param digest what the bytes were asked for by; it is the bundle's digest
 * @param supports what this process can run; left out by those who only keep or collect bundles
 */
export function readManifest(bytes: Buffer, digest: Digest, supports?: Supports): Result<Manifest, Refused> {
  if (bytes.length > limit('manifestBytes')) return refuse('TooLarge', `the manifest has ${bytes.length} bytes`);
  if (digestOf(bytes) !== digest) return refuse('DigestMismatch', `the manifest is not ${shortDigest(digest)}`);
  const parsed = parseCanonical(bytes, 'the manifest');
  if (!parsed.ok) return parsed;
  const checked = checkManifest(parsed.value);
  if (!checked.ok) return checked;
  return checkTrie(checked.value.shards) ?? checkRequirements(checked.value, supports) ?? checked;
}

type Refusing = ReturnType<typeof refuse>;

/** Leaves in order and apart: none is the beginning of another, so that a key has one place. */
function checkTrie(shards: readonly ShardRef[]): Refusing | undefined {
  let total = 0;
  let previous: ShardRef | undefined;
  for (const shard of shards) {
    if (previous !== undefined && (shard.prefix <= previous.prefix || shard.prefix.startsWith(previous.prefix))) {
      return refuse('Malformed', `the manifest's shards overlap or are out of order at ${shard.prefix}`);
    }
    if (shard.bytes > limit('shardObjectBytes')) return refuse('TooLarge', `a shard has ${shard.bytes} bytes`);
    total += shard.bytes;
    previous = shard;
  }
  return total > limit('bundleBytes') ? refuse('TooLarge', `the bundle has ${total} bytes`) : undefined;
}

function checkRequirements(manifest: Manifest, supports: Supports | undefined): Refusing | undefined {
  if (supports === undefined) return undefined;
  const { documentVersion, features } = manifest.requires;
  if (!supports.documentVersions.includes(documentVersion)) {
    return refuse('Unsupported', `the bundle needs document version ${documentVersion}`);
  }
  const missing = features.find((feature) => !supports.features.includes(feature));
  return missing === undefined
    ? undefined
    : refuse('Unsupported', `the bundle needs feature ${JSON.stringify(missing)}`);
}

/** Reads one shard's uncompressed bytes against its line in the manifest. */
export function readShard(bytes: Buffer, ref: ShardRef): Result<readonly Entry[], Refused> {
  const name = shortDigest(ref.digest);
  if (bytes.length > limit('shardObjectBytes')) return refuse('TooLarge', `shard ${name} has ${bytes.length} bytes`);
  if (digestOf(bytes) !== ref.digest) return refuse('DigestMismatch', `the bytes are not those of shard ${name}`);
  if (bytes.length !== ref.bytes) return refuse('Malformed', `shard ${name} has not the size in the manifest`);
  const parsed = parseCanonical(bytes, `shard ${name}`);
  if (!parsed.ok) return parsed;
  const checked = checkShard(parsed.value);
  if (!checked.ok) return checked;
  const raw = checked.value.entries;
  if (raw.length !== ref.entries) return refuse('Malformed', `shard ${name} has not the entries in the manifest`);
  let previousKey = '';
  for (const entry of raw) {
    const key = entryKey(entry);
    if (key <= previousKey) return refuse('Malformed', `shard ${name} has entries twice or out of order`);
    if (!hasPrefix(keyBits(key), ref.prefix)) return refuse('Malformed', `shard ${name} has an entry of another shard`);
    const value = checkValue.get(entry.section)?.(entry.value);
    if (value?.ok !== true) return value ?? refuse('Malformed', `shard ${name} has an unknown section`);
    previousKey = key;
  }
  // The loop above checked every value against the schema of its section.
  return ok(raw as readonly Entry[]);
}

/** A shard that was read before; a manifest that has the same line takes it over unread. */
export interface ReadShard {
  readonly ref: ShardRef;
  readonly entries: readonly Entry[];
}

export interface AssembledBundle {
  readonly manifest: Manifest;
  readonly entries: readonly Entry[];
  readonly shards: ReadonlyMap<Digest, ReadShard>;
}

/**
 * Puts the entries of all shards together. Yields between shards, so that a thread that serves is never held for long.
 * Prefixes that exclude each other and sorted shards make keys unique.
 *
 * @param getShard uncompressed bytes by digest; undefined refuses the bundle as Missing
 * @param known shards read before (of the running bundle); their entries stay the same objects
 */
export async function assembleEntries(
  manifest: Manifest,
  getShard: (digest: Digest) => Buffer | undefined,
  known: ReadonlyMap<Digest, ReadShard> = new Map(),
): Promise<Result<AssembledBundle, Refused>> {
  const shards = new Map<Digest, ReadShard>();
  const entries: Entry[] = [];
  for (const ref of manifest.shards) {
    let shard = known.get(ref.digest);
    if (shard === undefined || !sameRef(shard.ref, ref)) {
      const bytes = getShard(ref.digest);
      if (bytes === undefined) return refuse('Missing', `shard ${shortDigest(ref.digest)} is not there`);
      const read = readShard(bytes, ref);
      if (!read.ok) return read;
      shard = { ref, entries: read.value };
      await nextTurn();
    }
    shards.set(ref.digest, shard);
    for (const entry of shard.entries) entries.push(entry);
  }
  return ok({ manifest, entries, shards });
}

/** Whether what was read under one line of a manifest holds under another. */
export function sameRef(a: ShardRef, b: ShardRef): boolean {
  return a.digest === b.digest && a.prefix === b.prefix && a.bytes === b.bytes && a.entries === b.entries;
}
