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
  /** Part of a delta; the thread builds when `last` has come. Parts keep each message’s decoding short. */
  | {
      readonly type: 'prepare';
      readonly epoch: number;
      readonly version: string;
      readonly part: PlanDelta;
      readonly last: boolean;
    }
  | { readonly type: 'committed'; readonly epoch: number }
  | { readonly type: 'abort'; readonly epoch: number }
  | { readonly type: 'endpoints'; readonly list: readonly ServiceEndpoints[] }
  | { readonly type: 'drain'; readonly step: DrainStep }
  /** Answered with `active`. */
  | { readonly type: 'ask' }
  | { readonly type: 'stop' };

export type FromThread =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'listenFailed'; readonly message: string }
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

/** Cuts a delta into parts. */
export function* deltaParts(delta: PlanDelta): Generator<PlanDelta> {
  const { setRoutes, deleteRoutes, setPools, deletePools, fleet } = delta;
  const empty: PlanDelta = { setRoutes: [], deleteRoutes: [], setPools: [], deletePools: [] };
  yield { ...empty, deleteRoutes, deletePools, ...(fleet === undefined ? {} : { fleet }) };
  for (let i = 0; i < setPools.length; i += ITEMS_PER_PART)
    yield { ...empty, setPools: setPools.slice(i, i + ITEMS_PER_PART) };
  for (let i = 0; i < setRoutes.length; i += ITEMS_PER_PART)
    yield { ...empty, setRoutes: setRoutes.slice(i, i + ITEMS_PER_PART) };
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
