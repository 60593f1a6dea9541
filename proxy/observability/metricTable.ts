/** Every metric with its help text and labels; docs/METRICS.md is generated from this table. */

export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
  /** Upper bounds of the buckets, in the metric’s unit. */
  readonly buckets?: readonly number[];
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
const BYTES = [1e3, 1e4, 1e5, 1e6, 1e7] as const;

export const METRICS = {
  // Per route and pool, kept in each thread’s columns and summed at scrape.
  proxy_requests_total: {
    type: 'counter',
    labels: ['route', 'pool', 'status'],
    help: 'Requests finished, by status sent (499: the client went away).',
  },
  proxy_request_duration_seconds: {
    type: 'histogram',
    labels: ['route', 'pool'],
    help: 'Time from the end of the request’s head to the handing over of the response’s last byte to the socket.',
    buckets: SECONDS,
  },
  proxy_request_size_bytes: {
    type: 'histogram',
    labels: ['route'],
    help: 'Body bytes received from clients.',
    buckets: BYTES,
  },
  proxy_response_size_bytes: {
    type: 'histogram',
    labels: ['route'],
    help: 'Body bytes sent to clients.',
    buckets: BYTES,
  },
  proxy_upstream_requests_total: {
    type: 'counter',
    labels: ['pool', 'endpoint'],
    help: 'Requests sent to an endpoint.',
  },
  proxy_upstream_duration_seconds: {
    type: 'histogram',
    labels: ['pool', 'endpoint'],
    help: 'Time from sending a request to the end of the endpoint’s response.',
    buckets: SECONDS,
  },
  // Of each thread, for as long as the process lives.
  proxy_responses_total: {
    type: 'counter',
    labels: ['class'],
    help: 'Requests finished, by class of the status sent (5xx); unlike proxy_requests_total it keeps those of routes that are gone.',
  },
  proxy_connections_refused_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Client connections that were not served: over the limit, or not accepted (out of descriptors).',
  },
  // Of the process.
  proxy_snapshot_info: { type: 'gauge', labels: ['digest', 'role'], help: '1 for the digest that runs now.' },
  proxy_snapshot_generation: { type: 'gauge', labels: [], help: 'Generation of the newest head verified.' },
  proxy_snapshot_routes: { type: 'gauge', labels: [], help: 'Routes of the running snapshot.' },
  proxy_snapshot_swaps_total: { type: 'counter', labels: [], help: 'Snapshots that came to run.' },
  proxy_snapshot_swap_seconds: {
    type: 'gauge',
    labels: ['step'],
    help: 'Duration of the last swap by step: compile, prepare, total.',
  },
  proxy_config_refused_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Heads, bundles and documents refused; what ran before runs on.',
  },
  proxy_config_missing: {
    type: 'gauge',
    labels: [],
    help: 'Secrets and services that the running document names and this proxy lacks.',
  },
  proxy_pool_total_endpoints: { type: 'gauge', labels: ['pool'], help: 'Endpoints of a pool.' },
  proxy_access_log_dropped_total: {
    type: 'counter',
    labels: [],
    help: 'Access log lines dropped because the sink was too slow, or failed.',
  },
  proxy_metric_series_dropped_total: {
    type: 'counter',
    labels: [],
    help: 'Observations folded into route="other" because max_series was reached.',
  },
  proxy_threads: { type: 'gauge', labels: [], help: 'Threads that serve.' },
  proxy_thread_restarts_total: { type: 'counter', labels: [], help: 'Threads replaced after a crash.' },
  proxy_thread_stall_max_seconds: {
    type: 'gauge',
    labels: ['thread'],
    help: 'Longest event-loop stall of a serving thread since its start.',
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;

export type MetricName = keyof typeof METRICS;

export function metricSpec(name: MetricName): MetricSpec {
  return METRICS[name];
}
