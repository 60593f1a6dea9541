/** A whole bundle as one signed file: carried where there is no store, and read by `-config-file` with `-public-key-file`. */
import {
  EXPORT_FORMAT,
  exportFileSchema,
  exportPayloadSchema,
  type Bundle,
  type ExportFile,
  type ExportPayload,
} from '../contract/bundle.ts';
import { isDigest, type Digest } from '../contract/canonical.ts';
import { limit } from '../contract/limits.ts';
import { ok, type Result } from '../contract/result.ts';
import { parseJson } from './json.ts';
import { signJws, verifyJws } from './jws.ts';
import type { KeySet, SigningKey } from './keys.ts';
import { assembleEntries, readManifest, type AssembledBundle } from './readBundle.ts';
import { refuse, type Refused, type Supports } from './refused.ts';
import { checker } from './schemas.ts';
import { pack, unpack } from './storedForm.ts';

const checkFile = checker<ExportFile>(exportFileSchema, 'bundle file');
const checkPayload = checker<ExportPayload>(exportPayloadSchema, 'bundle file');

/** The text of the file. */
export async function exportBundle(bundle: Bundle, key: SigningKey): Promise<string> {
  const objects: Record<string, string> = {};
  for (const object of [bundle.manifest, ...bundle.shards]) {
    objects[object.digest] = (await pack(object.bytes)).toString('base64');
  }
  const jws = await signJws({ format: EXPORT_FORMAT, digest: bundle.digest }, 'mrp-bundle+jws', key);
  return `${JSON.stringify({ jws, objects })}\n`;
}

export interface ImportedBundle extends AssembledBundle {
  readonly digest: Digest;
}

/** Verifies the text of a file and reads its entries. The caller bounds the text (`inputFileBytes`). */
export async function importBundle(
  text: string,
  keys: KeySet,
  supports: Supports,
): Promise<Result<ImportedBundle, Refused>> {
  const parsed = parseJson(text, 'the bundle file');
  const file = parsed.ok ? checkFile(parsed.value) : parsed;
  if (!file.ok) return file;
  const verified = await verifyJws(file.value.jws, 'mrp-bundle+jws', keys);
  const payload = verified.ok ? checkPayload(verified.value.payload) : verified;
  if (!payload.ok) return payload;
  const { digest } = payload.value;
  const objects = await unpackAll(file.value.objects);
  if (!objects.ok) return objects;
  const manifestBytes = objects.value.get(digest);
  if (manifestBytes === undefined) return refuse('Missing', 'the bundle file has no manifest');
  const manifest = readManifest(manifestBytes, digest, supports);
  if (!manifest.ok) return manifest;
  const assembled = await assembleEntries(manifest.value, (shard) => objects.value.get(shard));
  return assembled.ok ? ok({ digest, ...assembled.value }) : assembled;
}

/** Unpacks under one limit for all of them: a file of many small bombs is still bounded. */
async function unpackAll(stored: Readonly<Record<string, string>>): Promise<Result<Map<Digest, Buffer>, Refused>> {
  const objects = new Map<Digest, Buffer>();
  let total = 0;
  for (const [digest, text] of Object.entries(stored)) {
    const bytes = await unpack(Buffer.from(text, 'base64'), limit('shardObjectBytes'));
    if (!bytes.ok) return bytes;
    total += bytes.value.length;
    if (total > limit('bundleBytes')) return refuse('TooLarge', `the bundle has over ${limit('bundleBytes')} bytes`);
    if (isDigest(digest)) objects.set(digest, bytes.value);
  }
  return ok(objects);
}

/** Whether a text is meant to be a signed bundle (and not a document), to say the right thing when it is refused. */
export function looksLikeBundleFile(text: string): boolean {
  return /^\s*\{\s*"jws"\s*:/.test(text.slice(0, 1024));
}
