/** Fleets as a table, with the columns and the layout of `kubectl get proxyrollouts`. */
import type { ProxyRolloutStatus } from '../../crds/proxyRollout.ts';

export interface RolloutRow {
  readonly name: string;
  readonly status: ProxyRolloutStatus | null;
  readonly createdAtMs: number;
}

const COLUMNS = ['NAME', 'PHASE', 'STAGE', 'CANDIDATE', 'STABLE', 'PROXIES', 'AGE'] as const;

/** Aligned text, header first, one line for each row; without a line break at its end. */
export function rolloutTable(rows: readonly RolloutRow[], nowMs: number): string {
  const cells = [COLUMNS, ...rows.map((row) => cellsOf(row, nowMs))];
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd((widths[column] ?? 0) + 3))
        .join('')
        .trimEnd(),
    )
    .join('\n');
}

function cellsOf({ name, status, createdAtMs }: RolloutRow, nowMs: number): readonly string[] {
  const { stage = '', candidate = '', stable = '', proxies = '' } = status?.summary ?? {};
  return [name, status?.phase ?? '', stage, candidate, stable, proxies, age(nowMs - createdAtMs)];
}

/** An age as kubectl rounds it: two units while the first is small, then one. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3_600), Math.floor(seconds / 86_400)];
  if (seconds < 120) return `${seconds}s`;
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  if (days < 8) return two(days, 'd', hours % 24, 'h');
  return `${days}d`;
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}
