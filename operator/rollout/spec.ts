/** The part of a ProxyRollout that says how changes go through its fleet, with defaults and in milliseconds. */
import type { ProxyRolloutSpec } from '../../crds/proxyRollout.ts';
import { isDigest, type Digest } from '../../proxy/contract/canonical.ts';
import { parseDurationMs } from '../../proxy/contract/units.ts';
import type { RolloutSpec } from './types.ts';

/** Defaults of the schema (crds/proxyRollout.ts documents them; nothing is defaulted into objects). */
const DEFAULTS = { progressDeadline: '30m', rollbackWindow: 3, revisionHistoryLimit: 10 } as const;

/** Reads a spec that its schema accepted. Throws on durations it should have refused: a programming error. */
export function rolloutSpecOf(spec: ProxyRolloutSpec): RolloutSpec {
  const { strategy = {}, request } = spec;
  return {
    stages: (strategy.stages ?? []).map(({ name, fleetPercent, bakeTime }) => ({
      name,
      fleetPercent,
      bakeTimeMs: milliseconds(bakeTime ?? '0s'),
    })),
    progressDeadlineMs: milliseconds(strategy.progressDeadline ?? DEFAULTS.progressDeadline),
    rollbackWindow: strategy.rollbackWindow ?? DEFAULTS.rollbackWindow,
    revisionHistoryLimit: spec.revisionHistoryLimit ?? DEFAULTS.revisionHistoryLimit,
    paused: spec.paused ?? false,
    pin: digestOrNull(spec.pin?.digest),
    request:
      request === undefined
        ? null
        : {
            action: request.action,
            digest: digestOrNull(request.digest),
            objects: [...(request.objects ?? [])].sort(),
          },
  };
}

function milliseconds(duration: string): number {
  const parsed = parseDurationMs(duration);
  if (!parsed.ok) throw new TypeError(parsed.error);
  return parsed.value;
}

function digestOrNull(text: string | undefined): Digest | null {
  if (text === undefined) return null;
  if (!isDigest(text)) throw new TypeError(`"${text}" is not a digest`);
  return text;
}
