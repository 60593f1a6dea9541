/** Assemblies are asked for by what they keep out, and found again by a key over that. */
import { hash } from 'node:crypto';
import type { HoldSet } from './types.ts';

const keys = new WeakMap<HoldSet, string>();

/** The same holds have the same key, whoever made the set. */
export function holdKey(holds: HoldSet): string {
  let key = keys.get(holds);
  if (key === undefined) keys.set(holds, (key = computeKey(holds)));
  return key;
}

function computeKey(holds: HoldSet): string {
  const lines = [...holds].map(([object, digest]) => `${object} ${digest ?? 'deleted'}\n`).sort();
  return hash('sha256', lines.join(''), 'hex');
}
