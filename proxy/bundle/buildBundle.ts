/** Entries to a bundle: shards as a hash-prefix trie, and the manifest that names them. */
import { BUNDLE_FORMAT, type Bundle, type BundleObject, type Requirements } from '../contract/bundle.ts';
import { canonicalBytes, digestOf } from '../contract/canonical.ts';
import { entryKey, type Entry } from '../contract/document/entries.ts';
import { errorAt, type Finding } from '../contract/finding.ts';
import { limit } from '../contract/limits.ts';
import { fail, ok, type Result } from '../contract/result.ts';
import { bitAt, MAX_PREFIX_BITS, prepareEntry, type PreparedEntry } from './entryBytes.ts';

interface Leaf {
  readonly prefix: string;
  readonly members: readonly PreparedEntry[];
  readonly bytes: number;
}

interface Layout {
  /** In the order in which the caller gave them. */
  readonly members: readonly PreparedEntry[];
  readonly object: BundleObject;
}

/** Which entries made which shard of a bundle built here, by prefix; the next build takes over what is the same. */
const layouts = new WeakMap<Bundle, ReadonlyMap<string, Layout>>();

const SHARD_OPEN = '{"entries":[';
const SHARD_CLOSE = `],"format":${BUNDLE_FORMAT}}`;

/**
 * Builds the bundle of a set of entries. Their order has no effect; the same entries give the same bytes.
 *
 * @param previous an earlier bundle of the fleet: shards whose entries are the same objects are taken over unhashed
 * @returns error findings for entries over `entryBytes`, without canonical form or with a key used twice, and for a
 * bundle over `bundleBytes`, `shardsPerBundle` or `manifestBytes`
 */
export function buildBundle(
  entries: readonly Entry[],
  requires: Requirements,
  previous?: Bundle,
): Result<Bundle, readonly Finding[]> {
  const prepared = prepareAll(entries);
  if (!prepared.ok) return prepared;
  const leaves: Leaf[] = [];
  split(prepared.value, '', leaves);
  const findings = checkLeaves(leaves);
  if (findings.length > 0) return fail(findings);

  const before = previous === undefined ? undefined : layouts.get(previous);
  const layout = new Map<string, Layout>();
  for (const leaf of leaves) {
    const made = reused(leaf, before?.get(leaf.prefix)) ?? shardOf(leaf, findings);
    layout.set(leaf.prefix, made);
  }
  if (findings.length > 0) return fail(findings.slice(0, limit('findings')));
  const shards = [...layout.values()].map((l) => l.object);
  const manifestBytes = canonicalBytes({
    format: BUNDLE_FORMAT,
    requires: { documentVersion: requires.documentVersion, features: [...requires.features].sort() },
    shards: [...layout].map(([prefix, { members, object }]) => ({
      prefix,
      digest: object.digest,
      bytes: object.bytes.length,
      entries: members.length,
    })),
  });
  if (manifestBytes.length > limit('manifestBytes')) {
    return fail([tooLarge('', `the manifest has ${manifestBytes.length} bytes, over ${limit('manifestBytes')}`)]);
  }
  const manifest = { digest: digestOf(manifestBytes), bytes: manifestBytes };
  const bundle: Bundle = { digest: manifest.digest, manifest, shards };
  layouts.set(bundle, layout);
  return ok(bundle);
}

function tooLarge(object: string, message: string): Finding {
  return errorAt(object, '', 'TooLarge', message);
}

function prepareAll(entries: readonly Entry[]): Result<readonly PreparedEntry[], readonly Finding[]> {
  const prepared: PreparedEntry[] = [];
  const findings: Finding[] = [];
  const maxBytes = limit('entryBytes');
  for (const entry of entries) {
    let made: PreparedEntry;
    try {
      made = prepareEntry(entry);
    } catch {
      const message = `${entryKey(entry)} has a string with half a surrogate pair, or a number that is not finite`;
      findings.push(errorAt(entry.object, '', 'Invalid', message));
      continue;
    }
    if (made.bytes > maxBytes) {
      findings.push(tooLarge(entry.object, `${made.key} has ${made.bytes} bytes, over ${maxBytes}`));
    }
    prepared.push(made);
  }
  return findings.length === 0 ? ok(prepared) : fail(findings.slice(0, limit('findings')));
}

function shardSize(members: readonly PreparedEntry[]): number {
  let bytes = SHARD_OPEN.length + SHARD_CLOSE.length + members.length - 1;
  for (const member of members) bytes += member.bytes;
  return bytes;
}

/** A node becomes a leaf as soon as its entries fit; empty leaves are left out. Leaves come in the order of prefixes. */
function split(members: readonly PreparedEntry[], prefix: string, leaves: Leaf[]): void {
  if (members.length === 0) return;
  const bytes = shardSize(members);
  if (bytes <= limit('shardBytes') || members.length === 1 || prefix.length === MAX_PREFIX_BITS) {
    leaves.push({ prefix, members, bytes });
    return;
  }
  const zeros: PreparedEntry[] = [];
  const ones: PreparedEntry[] = [];
  for (const member of members) (bitAt(member.bits, prefix.length) === 0 ? zeros : ones).push(member);
  split(zeros, `${prefix}0`, leaves);
  split(ones, `${prefix}1`, leaves);
}

function checkLeaves(leaves: readonly Leaf[]): Finding[] {
  let total = 0;
  for (const leaf of leaves) {
    total += leaf.bytes;
    if (leaf.bytes > limit('shardObjectBytes')) {
      // Only keys that share 64 bits of sha256 come here: nobody meets them by chance.
      const keys = leaf.members.map((m) => m.key).join(', ');
      return [tooLarge(leaf.members[0]?.entry.object ?? '', `the keys ${keys} cannot be told apart by their hash`)];
    }
  }
  if (total > limit('bundleBytes'))
    return [tooLarge('', `all entries have ${total} bytes, over ${limit('bundleBytes')}`)];
  if (leaves.length > limit('shardsPerBundle')) {
    return [tooLarge('', `the entries need ${leaves.length} shards, over ${limit('shardsPerBundle')}`)];
  }
  return [];
}

/** The usual case is the same entries in the same order; another order is only slower. */
function reused(leaf: Leaf, before: Layout | undefined): Layout | undefined {
  if (before === undefined || before.members.length !== leaf.members.length) return undefined;
  if (leaf.members.every((member, i) => member === before.members[i])) return before;
  const members = new Set(leaf.members);
  const same = members.size === before.members.length && before.members.every((member) => members.has(member));
  return same ? before : undefined;
}

/** Entries of one key have one hash, so they meet in one shard. */
function shardOf(leaf: Leaf, findings: Finding[]): Layout {
  const sorted = [...leaf.members].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  for (const [i, member] of sorted.entries()) {
    const other = sorted[i - 1];
    if (other?.key !== member.key) continue;
    const by = other.entry.object === '' ? '' : ` by ${other.entry.object}`;
    findings.push(errorAt(member.entry.object, '', 'Duplicate', `${member.key} is already defined${by}`));
  }
  const bytes = Buffer.from(`${SHARD_OPEN}${sorted.map((m) => m.text).join(',')}${SHARD_CLOSE}`, 'utf8');
  return { members: leaf.members, object: { digest: digestOf(bytes), bytes } };
}
