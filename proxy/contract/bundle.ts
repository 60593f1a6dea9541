/**
 * The stored form of a document: shards of entries, and a manifest that names them by digest.
 * A bundle's digest is its manifest's. Nothing in either tells who made it or when: the same content is the same bytes.
 */
import Type, { type Static } from 'typebox';
import { DIGEST_PATTERN, type Digest } from './canonical.ts';
import { limit } from './limits.ts';

export const BUNDLE_FORMAT = 1;

const digest = () => Type.Unsafe<Digest>(Type.String({ pattern: DIGEST_PATTERN }));

/** What a proxy must support to run the bundle. */
export const requirementsSchema = Type.Object(
  {
    documentVersion: Type.Integer({ minimum: 1 }),
    features: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 64, uniqueItems: true }),
  },
  { additionalProperties: false },
);
export type Requirements = Static<typeof requirementsSchema>;

export const manifestSchema = Type.Object(
  {
    format: Type.Literal(BUNDLE_FORMAT),
    requires: requirementsSchema,
    /** Leaves of the trie in order: `prefix` is the bits of the entries' key hashes that this shard holds. */
    shards: Type.Array(
      Type.Object(
        {
          prefix: Type.String({ pattern: '^[01]*$', maxLength: 64 }),
          digest: digest(),
          bytes: Type.Integer({ minimum: 0 }),
          entries: Type.Integer({ minimum: 0 }),
        },
        { additionalProperties: false },
      ),
      { maxItems: limit('shardsPerBundle') },
    ),
  },
  { additionalProperties: false },
);
export type Manifest = Static<typeof manifestSchema>;

/** Uncompressed bytes by digest: a manifest or a shard. */
export interface BundleObject {
  readonly digest: Digest;
  readonly bytes: Buffer;
}

/** A whole bundle in memory. */
export interface Bundle {
  /** Digest of the manifest's canonical bytes. */
  readonly digest: Digest;
  readonly manifest: BundleObject;
  readonly shards: readonly BundleObject[];
}
