/**
 * The head: the one mutable, signed object of a fleet. It says what is stable, what is being tried on whom, and all that
 * a rollout must remember; any operator can go on from it. Generations only grow.
 */
import { hash } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { DIGEST_PATTERN, type Digest } from './canonical.ts';
import { limit } from './limits.ts';

export const HEAD_FORMAT = 1;

const digest = () => Type.Unsafe<Digest>(Type.String({ pattern: DIGEST_PATTERN }));
const object = () => Type.String({ minLength: 1, maxLength: 3 * limit('idLength') });
const unixMs = () => Type.Integer({ minimum: 0 });
const listed = <T extends Type.TSchema>(item: T) => Type.Array(item, { maxItems: limit('headListEntries') });
const closed = <P extends Type.TProperties>(properties: P) => Type.Object(properties, { additionalProperties: false });

/** Sixteen hex digits: a point on the ring that decides which pods try a candidate. */
const ringPoint = () => Type.String({ pattern: '^[0-9a-f]{16}$' });

export const candidateSchema = closed({
  digest: digest(),
  /** Mixed into every pod's hash, so that another rollout tries other pods first. */
  seed: Type.String({ minLength: 1, maxLength: 128 }),
  /** A process runs the candidate iff `ringPosition(podUid, seed) <= threshold`. */
  threshold: ringPoint(),
  /** Index into the stages of the strategy; as many as there are stages: past the last one, with the whole fleet. */
  stage: Type.Integer({ minimum: 0, maximum: limit('stages') }),
  /** When this stage's threshold was published, and when the candidate was first. Wall time of the operator. */
  stageStartedAt: unixMs(),
  startedAt: unixMs(),
  /** The fleet's generation before the candidate: what a proxy refused at or before it was another attempt. */
  afterGeneration: Type.Integer({ minimum: 0 }),
  /** Time already healthy in this stage; grows only while the gates pass. */
  bakedMs: Type.Integer({ minimum: 0 }),
  /** Time in this stage that was neither healthy nor paused; the progress deadline counts it. */
  waitedMs: Type.Integer({ minimum: 0 }),
  /** Why it runs: a normal change, a fast return to a recent digest, a pinned digest, or the trial of held objects. */
  cause: Type.Enum(['Change', 'Rollback', 'Pin', 'Trial']),
  /** Cause Trial: the group of `heldRanges` that it lifts. */
  trial: Type.Optional(Type.Integer({ minimum: 0 })),
  /** In how many objects it differs from stable, and the first of them for people. Both bundles tell the rest. */
  changes: Type.Integer({ minimum: 0 }),
  objects: listed(object()),
  /**
   * What proxies already missed on stable, as the first 64 bits of sha256 in hex: a Secret that was gone before does not
   * speak against the candidate.
   */
  missingBefore: Type.Array(ringPoint(), { maxItems: limit('missingRemembered') }),
});

/** An object that failed alone, or that a person aborted. It waits for a change, or for a retry by name. */
export const holdSchema = closed({
  object: object(),
  /** The fragment that is kept out; `null` holds back a deletion. It is lifted by itself when the object's fragment changes. */
  digest: Type.Union([digest(), Type.Null()]),
  reason: Type.String({ maxLength: 1024 }),
  since: unixMs(),
  /** The candidates that failed with it: the first, and the last. A retry may name either. */
  failedIn: Type.Array(digest(), { minItems: 1, maxItems: 2 }),
});

/**
 * Objects that failed together, however many: those between `first` and `last` (by namespace, name, kind) in which the
 * bundle `to` differs from the bundle `from`. What changed since is not held.
 */
export const heldRangeSchema = closed({
  /** Unique among the ranges. */
  group: Type.Integer({ minimum: 0 }),
  /** Suspect: will be tried again by itself, in smaller parts until the culprit is alone. Culprit: waits, as a hold does. */
  state: Type.Enum(['Suspect', 'Culprit']),
  from: digest(),
  to: digest(),
  first: object(),
  last: object(),
  reason: Type.String({ maxLength: 1024 }),
  since: unixMs(),
  /** The last candidate that failed with them. */
  failedIn: digest(),
});

export const rejectionSchema = closed({ digest: digest(), reason: Type.String({ maxLength: 1024 }), at: unixMs() });

export const historySchema = closed({
  digest: digest(),
  outcome: Type.Enum(['Initial', 'Promoted', 'RolledBack', 'Aborted', 'Stalled', 'Superseded']),
  /** Reason of the condition that tells of the outcome, such as StagesPassed or CandidateRefused. */
  reason: Type.String({ maxLength: 64 }),
  message: Type.String({ maxLength: 1024 }),
  cause: Type.Enum(['Initial', 'Change', 'Rollback', 'Pin', 'Trial', 'Revocation']),
  at: unixMs(),
});

export const headSchema = closed({
  format: Type.Literal(HEAD_FORMAT),
  clusterUid: Type.String({ minLength: 1, maxLength: 128 }),
  /** `namespace/name` of the ProxyRollout. */
  fleet: Type.String({ minLength: 3, maxLength: 2 * limit('idLength') }),
  generation: Type.Integer({ minimum: 1 }),
  stable: closed({ digest: digest(), since: unixMs() }),
  candidate: Type.Optional(candidateSchema),
  holds: listed(holdSchema),
  /** Absent: none. */
  heldRanges: Type.Optional(Type.Array(heldRangeSchema, { maxItems: limit('heldRanges') })),
  rejected: listed(rejectionSchema),
  /** Newest first; a digest within the rollback window skips the stages. */
  recentStable: listed(closed({ digest: digest(), until: unixMs() })),
  history: listed(historySchema),
  /** The request (`spec.request`) carried out last, so that it is carried out once. Absent once the request is gone. */
  handledRequest: Type.Optional(Type.String({ maxLength: 512 })),
});

export type Head = Static<typeof headSchema>;
export type Candidate = Static<typeof candidateSchema>;
export type Hold = Static<typeof holdSchema>;
export type HeldRange = Static<typeof heldRangeSchema>;
export type Rejection = Static<typeof rejectionSchema>;
export type HistoryEntry = Static<typeof historySchema>;

/** A threshold that takes every pod. */
export const FULL_THRESHOLD = 'f'.repeat(16);

/** A pod's place for a candidate: the first 64 bits of sha256 over seed and pod uid, as hex (compares as text). */
export function ringPosition(podUid: string, seed: string): string {
  return hash('sha256', `${seed}\n${podUid}`, 'hex').slice(0, 16);
}

/**
 * The candidate rule: which digest a process runs. Every process starts on stable, and takes part in a candidate only
 * through a head that is newer than the one at its start: a candidate that crashes its proxy cannot crash-loop.
 */
export function digestToRun(
  head: Head,
  podUid: string,
  startGeneration: number,
): { readonly digest: Digest; readonly role: 'stable' | 'candidate' } {
  const candidate = head.candidate;
  if (
    candidate !== undefined &&
    head.generation > startGeneration &&
    ringPosition(podUid, candidate.seed) <= candidate.threshold
  ) {
    return { digest: candidate.digest, role: 'candidate' };
  }
  return { digest: head.stable.digest, role: 'stable' };
}

/** Stored form of a head: the compact JWS, and objects of the bundle that ride along (base64 of gzip, checked by digest). */
export const headFileSchema = closed({
  jws: Type.String({
    minLength: 1,
    maxLength: limit('headBytes'),
    pattern: '^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$',
  }),
  inline: Type.Optional(
    Type.Record(Type.String({ pattern: DIGEST_PATTERN }), Type.String({ maxLength: limit('inlineShardBytes') * 2 }), {
      maxProperties: limit('inlineObjects'),
      additionalProperties: false,
    }),
  ),
});
export type HeadFile = Static<typeof headFileSchema>;
