/**
 * Flags and environment variables of the proxy, in one table: the command line is built from it, and
 * docs/reference/flags.md generated. One dash or two; a flag beats its environment variable.
 */
import { limit } from '../contract/limits.ts';

export type FlagType = 'text' | 'boolean' | 'integer' | 'address';

export interface FlagSpec {
  readonly name: string;
  readonly type: FlagType;
  readonly env?: string;
  readonly default?: string;
  readonly description: string;
  readonly minimum?: number;
  readonly maximum?: number;
  /** Never printed. */
  readonly secret?: boolean;
}

export const FLAGS = [
  // Configuration
  {
    name: 'config-file',
    type: 'text',
    env: 'PROXY_CONFIG_FILE',
    description:
      'Document (JSON or YAML), or a signed bundle file, to serve. An unsigned document is refused inside a cluster.',
  },
  {
    name: 'store-dir',
    type: 'text',
    env: 'PROXY_STORE_DIR',
    description: 'Folder store to take signed bundles from, instead of a file.',
  },
  {
    name: 'fleet',
    type: 'text',
    env: 'PROXY_FLEET',
    default: 'default/default',
    description: 'Fleet this proxy belongs to, as namespace/name.',
  },
  {
    name: 'cluster-uid',
    type: 'text',
    env: 'PROXY_CLUSTER_UID',
    default: 'local',
    description: 'Cluster this proxy belongs to; heads of another are refused.',
  },
  {
    name: 'pod-uid',
    type: 'text',
    env: 'PROXY_POD_UID',
    description: 'Stable identity of this proxy; decides which candidates it tries. Default: made anew at every start.',
  },
  {
    name: 'public-key-file',
    type: 'text',
    description: 'Public keys that verify bundles: a JSON key set, or a PEM public key.',
  },
  {
    name: 'state-dir',
    type: 'text',
    env: 'PROXY_STATE_DIR',
    description: 'Folder for the last good bundle, to start from when the store is away. Default: none is kept.',
  },
  {
    name: 'endpoints-dir',
    type: 'text',
    env: 'PROXY_ENDPOINTS_DIR',
    description: 'Folders of EndpointSlice manifests for pools that name a service, separated by commas.',
  },
  // Listeners
  {
    name: 'http-addr',
    type: 'address',
    env: 'PROXY_HTTP_ADDRESS',
    default: ':8080',
    description: 'Data plane HTTP address.',
  },
  { name: 'tls-addr', type: 'address', default: '', description: 'Data plane TLS address; empty disables TLS.' },
  { name: 'tls-cert', type: 'text', env: 'PROXY_TLS_CERT', description: 'PEM file of the default certificate.' },
  { name: 'tls-key', type: 'text', env: 'PROXY_TLS_KEY', description: 'PEM file of its key.' },
  {
    name: 'threads',
    type: 'integer',
    env: 'PROXY_THREADS',
    minimum: 1,
    maximum: 64,
    description: 'Serving threads; default: the CPUs this process may use. One where the system cannot share a port.',
  },
  // Admin
  { name: 'enable-admin', type: 'boolean', default: 'true', description: 'Open the admin listener.' },
  {
    name: 'admin-addr',
    type: 'address',
    env: 'PROXY_ADMIN_ADDRESS',
    default: ':9000',
    description: 'Admin listener address: /healthz, /ready, /metrics, the admin API.',
  },
  {
    name: 'metrics-addr',
    type: 'address',
    env: 'PROXY_METRICS_ADDRESS',
    default: '',
    description: 'A listener of its own for metrics; empty: only on the admin listener.',
  },
  {
    name: 'admin-token',
    type: 'text',
    env: 'ADMIN_TOKEN',
    secret: true,
    description: 'Bearer token of the admin API; needed beside a client certificate.',
  },
  {
    name: 'admin-tls-cert-file',
    type: 'text',
    env: 'ADMIN_TLS_CERT_FILE',
    description: 'PEM certificate of the admin listener; without it the admin API stays closed.',
  },
  {
    name: 'admin-tls-key-file',
    type: 'text',
    env: 'ADMIN_TLS_KEY_FILE',
    description: 'PEM key of the admin listener.',
  },
  {
    name: 'admin-client-ca-file',
    type: 'text',
    env: 'ADMIN_CLIENT_CA_FILE',
    description: 'PEM CAs that verify clients of the admin API.',
  },
  // Pull
  { name: 'enable-pull', type: 'boolean', default: 'false', description: 'Pull configuration over HTTP.' },
  { name: 'pull-url', type: 'text', description: 'Base URL to pull from.' },
  {
    name: 'pull-interval-ms',
    type: 'integer',
    minimum: 100,
    maximum: 3_600_000,
    description: 'Time between pulls, in milliseconds.',
  },
  // Observability
  { name: 'log-json', type: 'boolean', default: 'true', description: 'Operational log as JSON lines on stderr.' },
  {
    name: 'log-level',
    type: 'text',
    env: 'PROXY_LOG_LEVEL',
    default: 'info',
    description: 'trace, debug, info, warn or error.',
  },
  {
    name: 'access-log-file',
    type: 'text',
    env: 'PROXY_ACCESS_LOG_FILE',
    description: 'File to append the access log to; default: stdout.',
  },
  {
    name: 'trace-endpoint',
    type: 'text',
    env: 'PROXY_TRACE_ENDPOINT',
    description: 'OTLP/HTTP URL that receives traces.',
  },
  // Drain
  {
    name: 'drain-wait-ms',
    type: 'integer',
    default: String(limit('drainConvergenceMs')),
    minimum: 0,
    maximum: 600_000,
    description: 'Drain: wait for load balancers after the listener closed, in milliseconds.',
  },
  {
    name: 'drain-timeout-ms',
    type: 'integer',
    default: String(limit('drainActiveMs')),
    minimum: 0,
    maximum: 3_600_000,
    description: 'Drain: wait for active requests, in milliseconds.',
  },
] as const satisfies readonly FlagSpec[];

export type FlagName = (typeof FLAGS)[number]['name'];

export function flagSpecs(): readonly FlagSpec[] {
  return FLAGS;
}
