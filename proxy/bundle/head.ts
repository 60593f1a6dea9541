/** Signing and verifying heads, and the objects that ride inside their files. */
import { canonicalBytes, digestOf, isDigest, type Digest } from '../contract/canonical.ts';
import type { Head, HeadFile } from '../contract/head.ts';
import { limit } from '../contract/limits.ts';
import { ok, type Result } from '../contract/result.ts';
import { signJws, verifyJws } from './jws.ts';
import type { KeySet, SigningKey } from './keys.ts';
import { refuse, type Refused } from './refused.ts';
import { checkHead, checkHeadFile } from './schemas.ts';
import { pack, unpack } from './storedForm.ts';

/** What a head must fit, to be believed. */
export interface HeadTrust {
  readonly keys: KeySet;
  readonly clusterUid: string;
  readonly fleet: string;
  /** Lowest generation accepted: the highest one seen. */
  readonly minGeneration: number;
}

export interface VerifiedHead {
  readonly head: Head;
  /** Digest of what was signed: two heads of one generation are the same only if this is. */
  readonly digest: Digest;
  readonly kid: string;
  readonly file: HeadFile;
}

/** Signs a head. Throws on one that its own schema refuses: a programming error. */
export async function signHead(head: Head, key: SigningKey): Promise<HeadFile> {
  const checked = checkHead(head);
  if (!checked.ok) throw new TypeError(checked.error.message);
  return { jws: await signJws(head, 'mrp-head+jws', key) };
}

/**
 * Verifies a head file as it was read.
 *
 * @param file the parsed JSON, unchecked
 * @returns Malformed, Signature, UnknownKey, WrongCluster, WrongFleet or OlderGeneration, in this order
 */
export async function verifyHead(file: unknown, trust: HeadTrust): Promise<Result<VerifiedHead, Refused>> {
  const checkedFile = checkHeadFile(file);
  if (!checkedFile.ok) return checkedFile;
  const verified = await verifyJws(checkedFile.value.jws, 'mrp-head+jws', trust.keys);
  if (!verified.ok) return verified;
  const checked = checkHead(verified.value.payload);
  if (!checked.ok) return checked;
  const head = checked.value;
  if (head.clusterUid !== trust.clusterUid) return refuse('WrongCluster', 'the head is of another cluster');
  if (head.fleet !== trust.fleet) return refuse('WrongFleet', `the head is of fleet ${JSON.stringify(head.fleet)}`);
  if (head.generation < trust.minGeneration) {
    const message = `the head has generation ${head.generation}; ${trust.minGeneration} was already seen`;
    return refuse('OlderGeneration', message);
  }
  const digest = digestOf(canonicalBytes(head));
  return ok({ head, digest, kid: verified.value.kid, file: checkedFile.value });
}

/** The form in which an object rides in a head file. */
export async function packInline(bytes: Buffer): Promise<string> {
  return (await pack(bytes)).toString('base64');
}

/**
 * The bytes of an object that rides in the head file, or undefined where there is none. Nothing but its digest vouches
 * for it, so a damaged one is like one that is not there: the object in the store is read instead.
 */
export async function readInline(file: HeadFile, digest: Digest): Promise<Buffer | undefined> {
  const inline = file.inline;
  if (inline === undefined || !isDigest(digest) || !Object.hasOwn(inline, digest)) return undefined;
  const stored = Buffer.from(inline[digest] ?? '', 'base64');
  const bytes = await unpack(stored, limit('shardObjectBytes'));
  return bytes.ok && digestOf(bytes.value) === digest ? bytes.value : undefined;
}

/** Room left in a head file for its other members, so that it fits a ConfigMap together with small inline objects. */
const RESERVE_BYTES = 4 * 1024;

/**
 * Makes a head fit its limits by leaving out what it can best do without: the oldest history, the oldest rejections,
 * the long texts of reasons, the list of the candidate's objects, and at last the oldest holds (which fail and are held
 * again).
 */
export function fitHead(head: Head): Head {
  const most = limit('headListEntries');
  let fitted: Head = {
    ...head,
    history: head.history.slice(0, Math.min(most, limit('rolloutHistory'))),
    rejected: newest(head.rejected, most, (r) => r.at),
    holds: newest(head.holds, most, (h) => h.since),
    recentStable: head.recentStable.slice(0, most),
  };
  if (fitted.candidate !== undefined) {
    fitted = { ...fitted, candidate: { ...fitted.candidate, objects: fitted.candidate.objects.slice(0, most) } };
  }
  for (const shrink of SHRINKS) {
    for (let before = -1; tooLarge(fitted) && sizeOf(fitted) !== before;) {
      before = sizeOf(fitted);
      fitted = shrink(fitted);
    }
  }
  return fitted;
}

const half = <T>(list: readonly T[]): T[] => list.slice(0, Math.floor(list.length / 2));

const SHRINKS: readonly ((head: Head) => Head)[] = [
  (head) => ({ ...head, history: half(head.history) }),
  (head) => ({ ...head, rejected: newest(head.rejected, Math.floor(head.rejected.length / 2), (r) => r.at) }),
  (head) => ({ ...head, holds: head.holds.map((hold) => ({ ...hold, reason: hold.reason.slice(0, 100) })) }),
  (head) => {
    const { candidate, ...rest } = head;
    return candidate === undefined ? head : { ...rest, candidate: { ...candidate, objects: half(candidate.objects) } };
  },
  (head) => ({ ...head, holds: newest(head.holds, Math.floor(head.holds.length / 2), (h) => h.since) }),
];

/** The newest `count` in their order. */
function newest<T>(list: readonly T[], count: number, at: (item: T) => number): T[] {
  if (list.length <= count) return [...list];
  const kept = new Set([...list].sort((a, b) => at(b) - at(a)).slice(0, count));
  return list.filter((item) => kept.has(item));
}

function sizeOf(head: Head): number {
  return canonicalBytes(head).length;
}

/** Base64url makes four bytes of three. */
function tooLarge(head: Head): boolean {
  return (sizeOf(head) * 4) / 3 > limit('headBytes') - RESERVE_BYTES;
}
