/** Policies and the settings of the whole fleet, with their defaults. */
import { isAddressOrRange } from '../contract/address.ts';
import type { AccessLogDoc, HttpDoc, MetricsDoc } from '../contract/document/fleet.ts';
import type { PolicyDoc } from '../contract/document/pools.ts';
import { limit } from '../contract/limits.ts';
import { readSize, readTimeout } from './amounts.ts';
import type { FleetPlan, HttpPlan } from './plan.ts';
import { at, quote, type Problems } from './problem.ts';

/** What a policy says of a route. */
export interface PolicyPlan {
  readonly timeoutMs: number;
  /** Undefined: as much as the fleet takes. */
  readonly bodyLimitBytes: number | undefined;
}

export const DEFAULT_POLICY: PolicyPlan = { timeoutMs: limit('routeTimeoutMs'), bodyLimitBytes: undefined };

export function readPolicy(policy: PolicyDoc, problems: Problems): PolicyPlan {
  const size = policy.body_size_limit;
  return {
    timeoutMs: readTimeout(policy.timeout, DEFAULT_POLICY.timeoutMs, '.timeout', problems),
    bodyLimitBytes: size === undefined ? undefined : readSize(size, 0, '.body_size_limit', problems),
  };
}

export function readHttp(http: HttpDoc, problems: Problems): HttpPlan {
  const timeout = (field: 'headers_timeout' | 'body_idle_timeout' | 'keep_alive_timeout', defaultMs: number) =>
    readTimeout(http[field], defaultMs, at('', field), problems);
  const trustedProxies = http.trusted_proxies ?? [];
  for (const [i, text] of trustedProxies.entries()) {
    if (!isAddressOrRange(text))
      problems.error(at('.trusted_proxies', i), 'Invalid', `${quote(text)} is no IP address and no CIDR range`);
  }
  const maxHeaderBytes = readSize(http.max_header_size, limit('headerBytes'), '.max_header_size', problems);
  if (maxHeaderBytes < MIN_HEADER_BYTES || maxHeaderBytes > MAX_HEADER_BYTES)
    problems.error('.max_header_size', 'Invalid', 'must be between 1Ki and 1Mi');
  return {
    headersTimeoutMs: timeout('headers_timeout', limit('headersTimeoutMs')),
    bodyIdleTimeoutMs: timeout('body_idle_timeout', limit('bodyIdleTimeoutMs')),
    keepAliveTimeoutMs: timeout('keep_alive_timeout', limit('keepAliveTimeoutMs')),
    maxHeaderBytes,
    maxHeaders: http.max_headers ?? limit('headerCount'),
    maxBodyBytes: readSize(http.max_body_size, limit('requestBodyBytes'), '.max_body_size', problems),
    maxConnections: http.max_connections ?? limit('connectionsPerThread'),
    trustedProxies,
  };
}

/** Below, hardly a browser gets through; above, a thousand connections hold a gigabyte. */
const MIN_HEADER_BYTES = 1024;
const MAX_HEADER_BYTES = 1024 * 1024;

export function readMetrics(metrics: MetricsDoc, problems: Problems): FleetPlan['metrics'] {
  const requireToken = metrics.require_token ?? false;
  if (requireToken && metrics.token_env === undefined)
    problems.error('.token_env', 'Required', 'is required where require_token is true');
  return {
    enabled: metrics.enabled ?? true,
    path: metrics.path ?? '/metrics',
    requireToken,
    tokenEnv: metrics.token_env ?? null,
    maxSeries: metrics.max_series ?? limit('metricSeries'),
  };
}

export function readAccessLog(accessLog: AccessLogDoc): FleetPlan['accessLog'] {
  return { samplingRatio: (accessLog.sampling ?? 100) / 100, redact: accessLog.redact ?? [] };
}
