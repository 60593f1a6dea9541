/** Durations, sizes and percentages as users write them. */
import { fail, ok, type Result } from './result.ts';

const DURATION = /^([0-9]{1,5}(h|m|s|ms)){1,4}$/;
const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** The pattern of GEP-2257, for schemas. */
export const DURATION_PATTERN = DURATION.source;

/** Parses a GEP-2257 duration (`3s`, `1h30m`, `500ms`) to milliseconds. */
export function parseDurationMs(text: string): Result<number> {
  if (!DURATION.test(text)) return fail(`"${text}" is not a duration such as 500ms, 3s or 1h30m`);
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9]+)(ms|h|m|s)/g))
    totalMs += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  return ok(totalMs);
}

const SIZE = /^([0-9]{1,12})(B|kB|KB|MB|GB|k|K|M|G|Ki|Mi|Gi|KiB|MiB|GiB)?$/;
const UNIT_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  k: 1e3,
  K: 1e3,
  kB: 1e3,
  KB: 1e3,
  M: 1e6,
  MB: 1e6,
  G: 1e9,
  GB: 1e9,
  Ki: 2 ** 10,
  KiB: 2 ** 10,
  Mi: 2 ** 20,
  MiB: 2 ** 20,
  Gi: 2 ** 30,
  GiB: 2 ** 30,
};

/** The pattern of sizes, for schemas. */
export const SIZE_PATTERN = SIZE.source;

/** Parses a size to bytes. `MB` is 10⁶, `Mi` is 2²⁰; a bare number is bytes. */
export function parseSizeBytes(text: string): Result<number> {
  const match = SIZE.exec(text);
  if (match === null) return fail(`"${text}" is not a size such as 512, 64Ki or 1MB`);
  return ok(Number(match[1]) * (UNIT_BYTES[match[2] ?? 'B'] ?? 1));
}

/** Parses `"1%"` or `"0.5%"` to a ratio between 0 and 1. */
export function parsePercentRatio(text: string): Result<number> {
  const match = /^([0-9]{1,3}(?:\.[0-9]{1,4})?)%$/.exec(text);
  const ratio = match === null ? Number.NaN : Number(match[1]) / 100;
  if (!(ratio >= 0 && ratio <= 1)) return fail(`"${text}" is not a percentage between 0% and 100%`);
  return ok(ratio);
}
