/**
 * The stored form of a document: shards of entries, and a manifest that names them by digest.
 * A bundle's digest is its manifest's. Nothing in either tells who made it or when: the same content is the same bytes.
 */
import Type, { type Static } from 'typebox';
import { DIGEST_PATTERN, type Digest } from './canonical.ts';
import { SECTIONS } from './document/entries.ts';
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
export type ShardRef = Manifest['shards'][number];

/** A shard: its entries, sorted by key. Values are checked by the document's schema, section by section. */
export const shardSchema = Type.Object(
  {
    format: Type.Literal(BUNDLE_FORMAT),
    entries: Type.Array(
      Type.Object(
        {
          section: Type.Enum(SECTIONS),
          id: Type.String({ minLength: 1, maxLength: 3 * limit('idLength') }),
          object: Type.String({ maxLength: 3 * limit('idLength') }),
          value: Type.Unknown(),
        },
        { additionalProperties: false },
      ),
      { minItems: 1 },
    ),
  },
  { additionalProperties: false },
);

export const EXPORT_FORMAT = 1;

/** A whole bundle as one file: what is signed names the manifest, and the objects follow by digest (base64 of gzip). */
export const exportFileSchema = Type.Object(
  {
    jws: Type.String({ minLength: 1, maxLength: 4096 }),
    objects: Type.Record(Type.String({ pattern: DIGEST_PATTERN }), Type.String(), {
      maxProperties: limit('shardsPerBundle') + 1,
      additionalProperties: false,
    }),
  },
  { additionalProperties: false },
);
export type ExportFile = Static<typeof exportFileSchema>;

export const exportPayloadSchema = Type.Object(
  { format: Type.Literal(EXPORT_FORMAT), digest: digest() },
  { additionalProperties: false },
);
export type ExportPayload = Static<typeof exportPayloadSchema>;

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

/** What this version runs. A bundle that requires more is refused as Unsupported; acks carry it to the operator. */
export const SUPPORTS = { documentVersions: [1], features: [] } as const satisfies {
  readonly documentVersions: readonly number[];
  readonly features: readonly string[];
};
