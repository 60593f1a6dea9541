/** Durations and sizes of schema-checked fields. */
import { limit } from '../contract/limits.ts';
import { parseDurationMs, parseSizeBytes } from '../contract/units.ts';
import type { Problems } from './problem.ts';

/** A timeout in milliseconds. Every wait ends, so 0 is no timeout, and neither is more than a day. */
export function readTimeout(text: string | undefined, defaultMs: number, path: string, problems: Problems): number {
  if (text === undefined) return defaultMs;
  const parsed = parseDurationMs(text);
  if (!parsed.ok) problems.error(path, 'Invalid', parsed.error);
  else if (parsed.value === 0) problems.error(path, 'Invalid', 'must be longer than zero: every wait has an end');
  else if (parsed.value > limit('timeoutMs')) problems.error(path, 'Invalid', 'must not be longer than 24h');
  return parsed.ok ? parsed.value : defaultMs;
}

/** A size in bytes. */
export function readSize(
  size: number | string | undefined,
  defaultBytes: number,
  path: string,
  problems: Problems,
): number {
  if (size === undefined || typeof size === 'number') return size ?? defaultBytes;
  const parsed = parseSizeBytes(size);
  if (!parsed.ok) problems.error(path, 'Invalid', parsed.error);
  return parsed.ok ? parsed.value : defaultBytes;
}
