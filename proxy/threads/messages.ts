/** What the main thread and the serving threads say to each other. */
import type { EndpointPlan, PlanDelta } from '../compiler/plan.ts';
import type { SeriesDescriptor } from '../observability/columns.ts';

/** Slots of the control array, shared by all threads. */
export const CONTROL = {
  /** Epoch of the snapshot that new requests run on; stored once per swap, read once per request. */
  epoch: 0,
  /** Access log bytes handed to the main thread and not written yet. */
  pendingLogBytes: 1,
} as const;
export const CONTROL_SLOTS = 2;

export interface ThreadOptions {
  readonly thread: number;
  readonly control: SharedArrayBuffer;
  readonly host: string | undefined;
  readonly port: number;
  readonly reusePort: boolean;
  readonly maxSeries: number;
  /** No upstream of anybody. */
  readonly adminPorts: readonly number[];
}

export interface ServiceEndpoints {
  readonly namespace: string;
  readonly name: string;
  readonly port: string;
  /** Null: no slice of the Service is known. */
  readonly endpoints: readonly EndpointPlan[] | null;
}

export type DrainStep = 'stopAccepting' | 'closeIdle' | 'forceClose';

export type ToThread =
  /**
   * Part of a delta, answered with `partTaken`; the thread builds when `last` has come. Parts are sent one after the other,
   * since a port decodes all messages that wait in one go.
   */
  | {
      readonly type: 'prepare';
      readonly epoch: number;
      readonly version: string;
      readonly part: PlanDelta;
      readonly last: boolean;
    }
  | { readonly type: 'committed'; readonly epoch: number }
  /** Answered with `listening` or `listenFailed`. */
  | { readonly type: 'listen' }
  | { readonly type: 'abort'; readonly epoch: number }
  | { readonly type: 'endpoints'; readonly list: readonly ServiceEndpoints[] }
  | { readonly type: 'drain'; readonly step: DrainStep }
  /** Answered with `active`. */
  | { readonly type: 'ask' }
  | { readonly type: 'stop' };

export type FromThread =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'listenFailed'; readonly message: string }
  | { readonly type: 'partTaken'; readonly epoch: number }
  | { readonly type: 'prepared'; readonly epoch: number; readonly prepareMs: number }
  | { readonly type: 'prepareFailed'; readonly epoch: number; readonly message: string }
  | {
      readonly type: 'active';
      readonly requests: number;
      readonly connections: number;
      readonly missing: readonly string[];
      readonly stallMs: number;
      readonly droppedLines: number;
    }
  | { readonly type: 'log'; readonly lines: string }
  | { readonly type: 'error'; readonly message: string; readonly stack: string }
  | { readonly type: 'block'; readonly index: number; readonly buffer: SharedArrayBuffer }
  | { readonly type: 'series'; readonly series: SeriesDescriptor }
  | { readonly type: 'seriesReleased'; readonly id: number }
  | { readonly type: 'stopped' };

/** Routes or pools in one message: about a millisecond of decoding. */
const ITEMS_PER_PART = 100;

/** Cuts a delta into parts; a small one is a single part. */
export function deltaParts(delta: PlanDelta): PlanDelta[] {
  const { setRoutes, deleteRoutes, setPools, deletePools } = delta;
  if (setRoutes.length + setPools.length <= ITEMS_PER_PART) return [delta];
  const empty = { setRoutes: [], deleteRoutes: [], setPools: [], deletePools: [] };
  const parts: PlanDelta[] = [{ ...delta, setRoutes: [], setPools: [], deleteRoutes, deletePools }];
  for (const some of chunks(setPools)) parts.push({ ...empty, setPools: some });
  for (const some of chunks(setRoutes)) parts.push({ ...empty, setRoutes: some });
  return parts;
}

function chunks<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / ITEMS_PER_PART) }, (_, i) =>
    items.slice(i * ITEMS_PER_PART, (i + 1) * ITEMS_PER_PART),
  );
}

/** Puts parts together again. */
export function joinParts(parts: readonly PlanDelta[]): PlanDelta {
  const fleet = parts.find((p) => p.fleet !== undefined)?.fleet;
  return {
    setRoutes: parts.flatMap((p) => p.setRoutes),
    deleteRoutes: parts.flatMap((p) => p.deleteRoutes),
    setPools: parts.flatMap((p) => p.setPools),
    deletePools: parts.flatMap((p) => p.deletePools),
    ...(fleet === undefined ? {} : { fleet }),
  };
}
