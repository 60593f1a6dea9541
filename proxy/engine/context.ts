/** What the engine of one thread works with; passed in by whoever wires the thread. */
import { limit } from '../contract/limits.ts';
import type { AccessLog } from '../observability/types.ts';
import type { TimerWheel } from '../registries/wheel.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

export interface EngineOptions {
  /** The snapshot that new requests run on; undefined before the first. Called once per request. */
  readonly currentSnapshot: () => Snapshot | undefined;
  readonly accessLog: AccessLog;
  /** Monotonic milliseconds, with fractions. */
  readonly now: () => number;
  /** Wall clock, in milliseconds. */
  readonly wallNow: () => number;
  readonly wheel: TimerWheel;
  readonly nextRequestId: () => string;
  /** A programming error; the request it happened in is answered with `internal`. */
  readonly onInternalError: (error: unknown) => void;
}

export interface EngineContext extends EngineOptions {
  /** Date header of this second (RFC 9110 §5.6.7). */
  readonly date: () => string;
}

export function createContext(options: EngineOptions): EngineContext {
  let second = -1;
  let text = '';
  const date = () => {
    const current = Math.floor(options.wallNow() / 1000);
    if (current !== second) {
      second = current;
      text = new Date(current * 1000).toUTCString();
    }
    return text;
  };
  return { ...options, date };
}

/** Settings of connections, before there is a snapshot to take them from. */
export const DEFAULT_HTTP: Snapshot['fleet']['http'] = {
  headersTimeoutMs: limit('headersTimeoutMs'),
  bodyIdleTimeoutMs: limit('bodyIdleTimeoutMs'),
  keepAliveTimeoutMs: limit('keepAliveTimeoutMs'),
  maxHeaderBytes: limit('headerBytes'),
  maxHeaders: limit('headerCount'),
  maxBodyBytes: limit('requestBodyBytes'),
  maxConnections: limit('connectionsPerThread'),
  trustedProxies: [],
};
