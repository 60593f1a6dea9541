/** Bounds of durations and sizes: text to users, so their bounds are rules rather than `minimum` and `maximum`. */
import { parseDurationMs, parseSizeBytes } from '../../proxy/contract/units.ts';
import type { Amount } from '../schema.ts';

/** By what letters of its unit a size is multiplied, the longest first: `Ki` is also in `KiB`, `k` in `kB`. */
const SIZE_FACTORS = [
  ['Gi', 2 ** 30],
  ['Mi', 2 ** 20],
  ['Ki', 2 ** 10],
  ['G', 1e9],
  ['M', 1e6],
  ['K', 1e3],
  ['k', 1e3],
] as const;

/** Milliseconds or bytes; undefined for text that is neither. */
function valueOf(text: string, unit: Amount['unit']): number | undefined {
  const parsed = unit === 'duration' ? parseDurationMs(text) : parseSizeBytes(text);
  return parsed.ok ? parsed.value : undefined;
}

/** The amount in a schema; throws where the schema itself is wrong. */
function bound(text: string, unit: Amount['unit']): number {
  const value = valueOf(text, unit);
  if (value === undefined) throw new TypeError(`"${text}" is no ${unit}`);
  return value;
}

export function withinAmount(text: string, { unit, min, max }: Amount): boolean {
  const value = valueOf(text, unit);
  return value !== undefined && value >= bound(min, unit) && value <= bound(max, unit);
}

export function amountMessage({ min, max }: Amount): string {
  return `must be between ${min} and ${max}`;
}

/** The same test for the API server. Sizes are computed as doubles, since twelve digits of Gi overflow an integer. */
export function amountCel({ unit, min, max }: Amount): string {
  if (unit === 'duration') {
    return `duration(self) >= duration('${min}') && duration(self) <= duration('${max}')`;
  }
  const factor = SIZE_FACTORS.reduceRight(
    (otherwise, [letters, value]) => `self.contains('${letters}') ? ${value}.0 : ${otherwise}`,
    '1.0',
  );
  const bytes = `double(self.find('^[0-9]+')) * (${factor})`;
  return `${bytes} >= ${bound(min, unit)}.0 && ${bytes} <= ${bound(max, unit)}.0`;
}
