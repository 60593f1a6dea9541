/**
 * The plan: a document after all references, defaults and units are resolved. Plain data: it is cloned to threads in
 * pieces, compared piece by piece, and written as YAML in golden tests. A snapshot brings it to life.
 */

/** How a host pattern is matched, in order of precedence. */
export type HostPlan =
  | { readonly kind: 'exact'; readonly host: string }
  /** `*.example.com` as suffix `.example.com`: one or more labels before it. */
  | { readonly kind: 'wildcard'; readonly suffix: string }
  | { readonly kind: 'regex'; readonly source: string }
  | { readonly kind: 'any' };

export type PathPlan =
  | { readonly kind: 'exact'; readonly path: string }
  /** Whole segments; kept without trailing slash, so `/` is ''. */
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'regex'; readonly source: string };

/** A header or query condition. Header names are lower-case. */
export type ConditionPlan =
  | { readonly name: string; readonly kind: 'exact'; readonly value: string }
  | { readonly name: string; readonly kind: 'regex'; readonly source: string }
  | { readonly name: string; readonly kind: 'present' };

export interface MatchPlan {
  readonly hosts: readonly HostPlan[];
  readonly path: PathPlan;
  /** Empty: every method. */
  readonly methods: readonly string[];
  readonly headers: readonly ConditionPlan[];
  readonly query: readonly ConditionPlan[];
}

export interface RoutePlan {
  readonly id: string;
  /** `Kind/namespace/name`, or '' for a hand-written document. */
  readonly object: string;
  readonly matches: readonly MatchPlan[];
  /** Null where the named pool does not exist: answered with `unresolved_ref`. */
  readonly pool: string | null;
  /** Whole time for the upstream to answer. */
  readonly timeoutMs: number;
  readonly bodyLimitBytes: number;
}

export interface EndpointPlan {
  /** As written, and as the `endpoint` label shows it. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly weight: number;
}

export interface ConnectionsPlan {
  readonly max: number;
  readonly maxPending: number;
  /** 0: never replaced. */
  readonly maxRequests: number;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

export interface PoolPlan {
  readonly id: string;
  readonly object: string;
  readonly endpoints:
    | { readonly kind: 'static'; readonly list: readonly EndpointPlan[] }
    | { readonly kind: 'service'; readonly namespace: string; readonly name: string; readonly port: string };
  readonly connections: ConnectionsPlan;
}

export interface HttpPlan {
  readonly headersTimeoutMs: number;
  readonly bodyIdleTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
  readonly maxBodyBytes: number;
  readonly maxConnections: number;
  /** CIDRs. */
  readonly trustedProxies: readonly string[];
}

/** Settings of the whole fleet. */
export interface FleetPlan {
  readonly http: HttpPlan;
  readonly metrics: {
    readonly enabled: boolean;
    readonly path: string;
    readonly requireToken: boolean;
    readonly tokenEnv: string | null;
    readonly maxSeries: number;
  };
  readonly accessLog: { readonly samplingRatio: number; readonly redact: readonly string[] };
}

export interface Plan {
  readonly routes: ReadonlyMap<string, RoutePlan>;
  readonly pools: ReadonlyMap<string, PoolPlan>;
  readonly fleet: FleetPlan;
}

/** What turns one plan into another: all that threads are sent. */
export interface PlanDelta {
  readonly setRoutes: readonly RoutePlan[];
  readonly deleteRoutes: readonly string[];
  readonly setPools: readonly PoolPlan[];
  readonly deletePools: readonly string[];
  /** Only when it changed. */
  readonly fleet?: FleetPlan;
}
