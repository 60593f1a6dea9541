/**
 * What the API has and this version does not carry out yet. An object (or document) that asks for one of these is
 * refused with NotImplemented, so that nobody believes in a protection that is not there. The list may only shrink.
 */
export interface NotImplementedField {
  /** Path in the document; `[]` stands for every item. */
  readonly document?: string;
  /** Kind and path in the objects, such as `TrafficPolicy spec.retries`. */
  readonly objects?: readonly string[];
  /** Command-line flag (and its environment variable). */
  readonly flag?: string;
  /** Values that are meant, when not all are. */
  readonly values?: readonly string[];
}

export const NOT_IMPLEMENTED: readonly NotImplementedField[] = [
  // Traffic
  { document: 'traffic_management[].canary_pool', objects: ['ProxyRoute spec.canary'] },
  { document: 'traffic_management[].canary_weight' },
  { document: 'traffic_management[].brake' },
  { document: 'traffic_management[].cohort_routing', objects: ['ProxyRoute spec.cohorts'] },
  { document: 'traffic_management[].mirror', objects: ['ProxyRoute spec.mirror'] },
  { document: 'traffic_management[].overload_protection', objects: ['ProxyRoute spec.overload'] },
  // Resilience
  { document: 'policies[].retries', objects: ['TrafficPolicy spec.retries'] },
  { document: 'policies[].per_try_timeout', objects: ['TrafficPolicy spec.perTryTimeout'] },
  { document: 'policies[].hedging', objects: ['TrafficPolicy spec.hedging'] },
  { document: 'policies[].rate_limit', objects: ['TrafficPolicy spec.rateLimit'] },
  { document: 'policies[].circuit_breaker', objects: ['TrafficPolicy spec.circuitBreaker'] },
  { document: 'pools[].circuit_breaker', objects: ['UpstreamPool spec.circuitBreaker'] },
  { document: 'pools[].outlier_detection', objects: ['UpstreamPool spec.outlierDetection'] },
  { document: 'pools[].health', objects: ['UpstreamPool spec.health'] },
  {
    document: 'pools[].balancer',
    objects: ['UpstreamPool spec.balancer.type'],
    values: ['least_request', 'consistent_hash', 'random', 'LeastRequest', 'ConsistentHash', 'Random'],
  },
  { document: 'pools[].balancer.hash_on', objects: ['UpstreamPool spec.balancer.hashOn'] },
  { document: 'pools[].balancer.slow_start', objects: ['UpstreamPool spec.balancer.slowStart'] },
  // Protocols and TLS
  { document: 'pools[].protocol', objects: ['UpstreamPool spec.protocol'], values: ['http2', 'h2c', 'HTTP2', 'H2C'] },
  { document: 'pools[].tls', objects: ['UpstreamPool spec.tls'] },
  { document: 'policies[].require_tls', objects: ['TrafficPolicy spec.requireTls'] },
  { document: 'tls', objects: ['ProxyRoute spec.tls', 'ProxyRollout spec.fleet.tls'] },
  { document: 'http.proxy_protocol', objects: ['ProxyRollout spec.fleet.http.proxyProtocol'] },
  { document: 'http.h2c', objects: ['ProxyRollout spec.fleet.http.h2c'] },
  { flag: 'tls-addr' },
  { flag: 'tls-cert' },
  { flag: 'tls-key' },
  // Middleware, plugins, cache
  { document: 'middleware', objects: ['TrafficPolicy spec.middleware', 'ProxyRoute spec.middlewareRef'] },
  { document: 'routes[].middleware' },
  { document: 'plugins', objects: ['ProxyRollout spec.fleet.plugins'] },
  { document: 'cache', objects: ['ProxyRoute spec.cache'] },
  // Observability
  { document: 'metrics.token_secret', objects: ['ProxyRollout spec.fleet.metrics.tokenSecretRef'] },
  { document: 'tracing', objects: ['ProxyRollout spec.fleet.tracing'] },
  { flag: 'trace-endpoint' },
  // Control
  { objects: ['ProxyRollout spec.strategy.healthGates', 'ProxyRollout spec.strategy.autoRollback'] },
  { flag: 'enable-pull' },
  { flag: 'pull-url' },
  { flag: 'pull-interval-ms' },
];
