/** What a proxy tells the operator that polls it. Nothing else flows upstream. */
import Type, { type Static } from 'typebox';
import { DIGEST_PATTERN, type Digest } from './canonical.ts';
import { requirementsSchema } from './bundle.ts';

const digest = () => Type.Unsafe<Digest>(Type.String({ pattern: DIGEST_PATTERN }));
const counter = () => Type.Number({ minimum: 0 });

/** Stable reasons for refusing a head or bundle. */
export const REFUSAL_REASONS = {
  Signature: 'The head’s signature does not verify, or its encoding is not canonical.',
  UnknownKey: 'The head is signed with a key that this proxy does not know.',
  WrongCluster: 'The head is of another cluster.',
  WrongFleet: 'The head is of another fleet.',
  OlderGeneration: 'The head’s generation is below one already seen.',
  Malformed: 'The head, manifest or shard is not of its format.',
  DigestMismatch: 'Bytes do not match the digest they were asked for by.',
  TooLarge: 'An object is over its size limit.',
  Missing: 'An object of the bundle could not be fetched.',
  Unsupported: 'The bundle needs a document version or feature that this proxy lacks.',
  CompileFailed: 'The document has errors.',
  PrepareFailed: 'A thread could not prepare the snapshot in time.',
} as const;
export type RefusalReason = keyof typeof REFUSAL_REASONS;

export const ackSchema = Type.Object({
  podUid: Type.String({ minLength: 1, maxLength: 128 }),
  /** New at every start of the process. */
  bootId: Type.String({ minLength: 1, maxLength: 128 }),
  version: Type.String({ maxLength: 64 }),
  fleet: Type.String({ maxLength: 512 }),
  /** Newest generation verified, and the one at start. 0 when none. */
  generation: Type.Integer({ minimum: 0 }),
  startGeneration: Type.Integer({ minimum: 0 }),
  running: Type.Union([digest(), Type.Null()]),
  role: Type.Enum(['stable', 'candidate']),
  ready: Type.Boolean(),
  draining: Type.Boolean(),
  refused: Type.Optional(
    Type.Object({
      digest: Type.Union([digest(), Type.Null()]),
      reason: Type.Enum(Object.keys(REFUSAL_REASONS) as RefusalReason[]),
      message: Type.String({ maxLength: 2048 }),
      generation: Type.Integer({ minimum: 0 }),
    }),
  ),
  /** Secrets and services that the running document names and this proxy does not have. */
  missing: Type.Array(Type.String({ maxLength: 600 }), { maxItems: 256 }),
  knownKids: Type.Array(Type.String({ maxLength: 128 }), { maxItems: 16 }),
  supports: Type.Object({
    documentVersions: Type.Array(Type.Integer(), { maxItems: 16 }),
    features: requirementsSchema.properties.features,
  }),
  /** Since the start of the process. */
  counters: Type.Object({ requests: counter(), errors5xx: counter(), swaps: counter(), refusals: counter() }),
});
export type Ack = Static<typeof ackSchema>;
export type Refusal = NonNullable<Ack['refused']>;
