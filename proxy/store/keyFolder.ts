/** Signing keys as files that only their owner may read, and the file of verifying keys for proxies. */
import { chmod } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  generateSigningKey,
  keySetText,
  readKeySet,
  readSigningKey,
  signingKeyPem,
  type KeySet,
  type SigningKey,
} from '../bundle/keys.ts';
import { limit } from '../contract/limits.ts';
import { fail, ok, type Result } from '../contract/result.ts';
import { Secret } from '../contract/secret.ts';
import { attempt, NODE_FILE_SYSTEM as fs, readBounded, writeWhole } from './files.ts';
import type { StoreError } from './types.ts';

/** Age first, so that names sort from the oldest to the newest. */
const KEY_NAME = /^[0-9]{15}-[A-Za-z0-9_-]{43}\.pem$/;
const MAX_KEY_BYTES = 16 * 1024;

/** Makes a new key in the folder (mode 0600 in 0700). Proxies must know it before it signs: see `signingKeyFor`. */
export async function addSigningKey(folder: string, nowMs: number): Promise<Result<SigningKey, StoreError>> {
  return attempt(async () => {
    await fs.mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    const key = generateSigningKey();
    const name = `${String(Math.trunc(nowMs)).padStart(15, '0')}-${key.kid}.pem`;
    await writeWhole(fs, folder, name, Buffer.from(signingKeyPem(key).reveal()), { mode: 0o600, exclusive: true });
    return ok(key);
  });
}

/** All keys of the folder, oldest first. A key that others may read is refused: it is not known who has it. */
export async function loadSigningKeys(folder: string): Promise<Result<SigningKey[], StoreError>> {
  return attempt(async () => {
    const names = (await fs.readdir(folder)).filter((name) => KEY_NAME.test(name)).sort();
    if (names.length > limit('keysPerKeySet')) {
      return fail({ reason: 'TooLarge', message: `${folder} holds ${names.length} keys` });
    }
    const keys: SigningKey[] = [];
    for (const name of names) {
      const path = join(folder, name);
      if (((await fs.stat(path)).mode & 0o077) !== 0) {
        return fail({ reason: 'Invalid', message: `${path} can be read by others: chmod 600, or make a new key` });
      }
      const bytes = await readBounded(fs, path, MAX_KEY_BYTES);
      if (!bytes.ok) return bytes;
      const key = readSigningKey(new Secret(bytes.value.toString('utf8')));
      if (!key.ok) return fail({ reason: 'Corrupt', message: `${path}: ${key.error}` });
      keys.push(key.value);
    }
    return ok(keys);
  });
}

/** The keys of the folder; makes the first one where there is none. */
export async function ensureSigningKeys(folder: string, nowMs: number): Promise<Result<SigningKey[], StoreError>> {
  const loaded = await loadSigningKeys(folder);
  const none = loaded.ok ? loaded.value.length === 0 : loaded.error.reason === 'NotFound';
  if (!none) return loaded;
  const added = await addSigningKey(folder, nowMs);
  return added.ok ? ok([added.value]) : added;
}

/** Writes the file of verifying keys that proxies are given. */
export async function writeKeySet(path: string, keys: readonly SigningKey[]): Promise<Result<void, StoreError>> {
  return attempt(async () => {
    await fs.mkdir(dirname(path), { recursive: true });
    await writeWhole(fs, dirname(path), basename(path), Buffer.from(keySetText(keys)));
    return ok(undefined);
  });
}

/** Reads a file of verifying keys: a JWK set or PEM. */
export async function loadKeySet(path: string): Promise<Result<KeySet, StoreError>> {
  return attempt(async () => {
    const bytes = await readBounded(fs, path, limit('keysPerKeySet') * MAX_KEY_BYTES);
    if (!bytes.ok) return bytes;
    const keys = readKeySet(bytes.value.toString('utf8'));
    return keys.ok ? keys : fail({ reason: 'Corrupt', message: `${path}: ${keys.error}` });
  });
}
