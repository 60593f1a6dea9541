/**
 * Every limit of the product with its default, in one place: nothing is queued, cached, buffered or awaited without one.
 * docs/LIMITS.md is generated from this table.
 */

export interface Limit {
  readonly value: number;
  readonly unit: 'bytes' | 'ms' | 'count' | 'depth' | 'steps';
  /** What happens to what is over it. */
  readonly over: string;
}

export const LIMITS = {
  // What people write
  inputFileBytes: { value: 16 * 1024 * 1024, unit: 'bytes', over: 'The file is refused (TooLarge).' },
  inputFolderFiles: { value: 10_000, unit: 'count', over: 'The folder is refused (TooLarge).' },
  yamlAliases: {
    value: 100,
    unit: 'count',
    over: 'The file is refused (Malformed), as a billion-laughs file would be.',
  },
  objects: { value: 50_000, unit: 'count', over: 'Further objects are refused (TooLarge).' },
  findingsInRefusal: { value: 5, unit: 'count', over: 'Further findings are counted in the refusal’s message.' },
  dataWaitMs: {
    value: 2_000,
    unit: 'ms',
    over: 'The swap goes on without the Secrets and services that are still missing; acks name them.',
  },
  findings: { value: 1_000, unit: 'count', over: 'Further findings of one check are counted, not listed.' },
  idLength: { value: 253, unit: 'count', over: 'The object or entry is refused (Invalid).' },
  hostsPerRoute: { value: 64, unit: 'count', over: 'The route is refused (Invalid).' },
  matchesPerRoute: { value: 64, unit: 'count', over: 'The route is refused (Invalid).' },
  conditionsPerMatch: { value: 16, unit: 'count', over: 'The route is refused (Invalid).' },
  endpointsPerPool: { value: 4_096, unit: 'count', over: 'The pool is refused (Invalid).' },
  regexLength: { value: 512, unit: 'count', over: 'The regex is refused (UnsafeRegex).' },
  regexProgramSize: { value: 2_000, unit: 'steps', over: 'The regex is refused (UnsafeRegex).' },
  regexStates: {
    value: 1_000,
    unit: 'count',
    over: 'The regex is refused (UnsafeRegex): it would take too much memory.',
  },
  regexSteps: {
    value: 100_000,
    unit: 'steps',
    over: 'The regex is refused (UnsafeRegex): it would take too long to prepare.',
  },
  regexesPerFleet: { value: 2_000, unit: 'count', over: 'Further regexes are refused (UnsafeRegex).' },
  hostRegexesPerFleet: {
    value: 64,
    unit: 'count',
    over: 'The route is refused (UnsafeRegex): regexes are tried one after the other.',
  },
  matchesPerPath: {
    value: 256,
    unit: 'count',
    over: 'The route is refused (Invalid): matches of one host and path are tried one after the other.',
  },
  regexRoutesPerHost: {
    value: 64,
    unit: 'count',
    over: 'The route is refused (UnsafeRegex): regexes are tried one after the other.',
  },
  // Bundles
  shardBytes: { value: 128 * 1024, unit: 'bytes', over: 'The shard is split by one more bit of its hash prefix.' },
  entryBytes: { value: 512 * 1024, unit: 'bytes', over: 'The entry is refused (TooLarge).' },
  shardObjectBytes: { value: 768 * 1024, unit: 'bytes', over: 'The shard is refused when read.' },
  manifestBytes: { value: 768 * 1024, unit: 'bytes', over: 'The bundle is refused.' },
  headBytes: { value: 768 * 1024, unit: 'bytes', over: 'The head is refused.' },
  inlineShardBytes: {
    value: 256 * 1024,
    unit: 'bytes',
    over: 'Shards travel as objects of their own instead of inside the head.',
  },
  inlineObjects: {
    value: 64,
    unit: 'count',
    over: 'Shards travel as objects of their own instead of inside the head.',
  },
  bundleBytes: { value: 256 * 1024 * 1024, unit: 'bytes', over: 'The bundle is refused.' },
  shardsPerBundle: { value: 8_192, unit: 'count', over: 'The bundle is refused.' },
  keysPerKeySet: { value: 16, unit: 'count', over: 'The key set is refused.' },
  headListEntries: { value: 500, unit: 'count', over: 'The oldest holds, rejections and history entries are dropped.' },
  collectAfterMs: { value: 10 * 60_000, unit: 'ms', over: 'Unnamed objects of a bundle are deleted.' },
  diskBundles: { value: 3, unit: 'count', over: 'The oldest bundles of the disk copy are deleted.' },
  fetchConcurrency: { value: 8, unit: 'count', over: 'Further fetches of shards wait.' },
  // The request
  requestLineBytes: { value: 16 * 1024, unit: 'bytes', over: '414 uri_too_long.' },
  headerBytes: { value: 64 * 1024, unit: 'bytes', over: '431 headers_too_large (502 from an upstream).' },
  headerCount: { value: 100, unit: 'count', over: '431 headers_too_large (502 from an upstream).' },
  connectionOptions: { value: 32, unit: 'count', over: '400 bad_request (502 from an upstream).' },
  chunkExtensionBytes: { value: 256, unit: 'bytes', over: '400 bad_request.' },
  trailerBytes: { value: 16 * 1024, unit: 'bytes', over: '431 headers_too_large (502 from an upstream).' },
  requestBodyBytes: {
    value: 1024 * 1024 * 1024,
    unit: 'bytes',
    over: '413 body_too_large; a policy’s body_size_limit may be smaller.',
  },
  pipelinedBytes: {
    value: 64 * 1024,
    unit: 'bytes',
    over: 'Reading from the client stops until the earlier requests are answered.',
  },
  queryParameters: {
    value: 1_000,
    unit: 'count',
    over: 'Further parameters are forwarded, but conditions of routes do not see them.',
  },
  bufferedBodyBytes: {
    value: 64 * 1024,
    unit: 'bytes',
    over: 'Reading from the faster side stops until the slower one has taken what is buffered.',
  },
  connectionsPerThread: { value: 50_000, unit: 'count', over: 'Further connections are closed at once.' },
  headersTimeoutMs: { value: 10_000, unit: 'ms', over: '408 request_timeout.' },
  bodyIdleTimeoutMs: { value: 30_000, unit: 'ms', over: '408 request_timeout (504 from an upstream).' },
  keepAliveTimeoutMs: { value: 60_000, unit: 'ms', over: 'The idle client connection is closed.' },
  lingerTimeoutMs: {
    value: 2_000,
    unit: 'ms',
    over: 'A connection that the proxy has ended is closed, though the client still sends or keeps it open.',
  },
  sendTimeoutMs: { value: 30_000, unit: 'ms', over: 'The connection to a client that reads nothing is closed.' },
  timeoutMs: { value: 24 * 60 * 60_000, unit: 'ms', over: 'A timeout that a document asks for is refused (Invalid).' },
  routeTimeoutMs: {
    value: 60_000,
    unit: 'ms',
    over: '504 upstream_timeout, unless the route’s policy says otherwise.',
  },
  // Upstreams
  informationalResponses: {
    value: 32,
    unit: 'count',
    over: '502 upstream_protocol_error: further 1xx responses to one request.',
  },
  connectTimeoutMs: { value: 2_000, unit: 'ms', over: '504 upstream_connect_timeout.' },
  upstreamIdleTimeoutMs: { value: 55_000, unit: 'ms', over: 'The idle upstream connection is closed.' },
  upstreamConnectionsPerEndpoint: { value: 1_024, unit: 'count', over: 'Further requests wait for a connection.' },
  upstreamPending: { value: 1_024, unit: 'count', over: '503 upstream_pending_overflow.' },
  upstreamIdleConnections: { value: 128, unit: 'count', over: 'The connection is closed after its response.' },
  connectAttempts: {
    value: 3,
    unit: 'count',
    over: 'The error of the last endpoint is answered; each is tried once, and nothing was sent to any.',
  },
  dnsTimeoutMs: { value: 5_000, unit: 'ms', over: '502 upstream_connect_failed.' },
  // Threads and swaps
  threads: { value: 64, unit: 'count', over: 'The flag is refused.' },
  compileSliceMs: { value: 2, unit: 'ms', over: 'The compiler yields to requests.' },
  prepareTimeoutMs: { value: 30_000, unit: 'ms', over: 'The swap is given up; the old snapshot serves on.' },
  metricSeries: { value: 50_000, unit: 'count', over: 'Further series are folded into route="other".' },
  accessLogBufferBytes: { value: 8 * 1024 * 1024, unit: 'bytes', over: 'Access log lines are dropped and counted.' },
  accessLogCloseMs: { value: 2_000, unit: 'ms', over: 'The process ends though access log lines are not written.' },
  // Admin and acks
  adminConnections: { value: 256, unit: 'count', over: 'Further connections are closed at once.' },
  ackTimeoutMs: { value: 2_000, unit: 'ms', over: 'The proxy counts as unknown.' },
  ackBytes: { value: 256 * 1024, unit: 'bytes', over: 'The ack is refused; the proxy counts as unknown.' },
  ackIntervalMs: {
    value: 1_000,
    unit: 'ms',
    over: 'Lower bound of the interval between polls; n proxies are polled every max(1 s, n/500 s).',
  },
  ackConcurrency: { value: 64, unit: 'count', over: 'Further polls wait.' },
  // Drain (the seed’s stages)
  drainConvergenceMs: {
    value: 10_000,
    unit: 'ms',
    over: 'Load balancers have had their time; the listener is closed.',
  },
  drainActiveMs: { value: 30_000, unit: 'ms', over: 'Remaining connections are closed by force.' },
  // Operator
  holdoffMs: { value: 100, unit: 'ms', over: 'Changes within it are taken as one.' },
  holdoffMaxMs: { value: 1_000, unit: 'ms', over: 'A steady stream of changes is taken at least this often.' },
  compileAttempts: {
    value: 64,
    unit: 'count',
    over: 'Of changes that break the document together, those not tried yet are kept out.',
  },
  folderDepth: { value: 16, unit: 'depth', over: 'Folders below it are not read (TooLarge).' },
  folderPollMs: { value: 2_000, unit: 'ms', over: 'The folder is read again, in case a change was not told.' },
  yamlDepth: { value: 200, unit: 'depth', over: 'The document is refused (Malformed).' },
  parseSliceMs: { value: 10, unit: 'ms', over: 'Reading of manifests yields to other work.' },
  fleets: { value: 100, unit: 'count', over: 'Further ProxyRollouts are refused (TooLarge).' },
  assembliesKept: { value: 32, unit: 'count', over: 'The assembly used longest ago is made again when it is needed.' },
  rolloutHistory: { value: 100, unit: 'count', over: 'The oldest history entries are dropped.' },
  rejectedDigests: { value: 100, unit: 'count', over: 'The oldest rejections are forgotten.' },
  heldRanges: {
    value: 64,
    unit: 'count',
    over: 'No further rollout starts until held objects were isolated, changed or retried.',
  },
  heldBundles: { value: 8, unit: 'count', over: 'Held objects are isolated before the next change is rolled out.' },
  missingRemembered: {
    value: 256,
    unit: 'count',
    over: 'What proxies miss is not judged in this rollout, as too much was missing before it.',
  },
  rolloutObjectsShown: { value: 20, unit: 'count', over: 'Heads and audit records count further objects.' },
  rolloutSaveMs: {
    value: 60_000,
    unit: 'ms',
    over: 'The time that a stage has baked is saved in the head; a new operator goes on from there.',
  },
  stages: { value: 20, unit: 'count', over: 'The ProxyRollout is refused (Invalid).' },
} as const satisfies Readonly<Record<string, Limit>>;

export type LimitName = keyof typeof LIMITS;

/** The default of a limit, as a plain number in its unit. */
export function limit(name: LimitName): number {
  return LIMITS[name].value;
}
