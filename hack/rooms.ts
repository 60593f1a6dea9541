/**
 * Who may import whom. A room is a folder; files of a room see each other, and of other rooms only what their row names.
 * Tests beside a room's source may reach every room of their side; only main files wire, so they may import all of it.
 * What is outside of the sides (test/, hack/) may import everything, and is imported by tests at most.
 * `make check` compares every import with this table (hack/check-rooms.ts).
 */

export interface Room {
  /** A folder, or one file that needs more than its folder may; the longest matching path is a file’s room. */
  readonly path: string;
  /** Rooms that it may import, or single files of rooms of which it may see no more. */
  readonly mayImport: readonly string[];
  /** npm packages that it may import. */
  readonly packages?: readonly string[];
  /** No input or output, no clock, no chance: the same arguments give the same result. Imports pure rooms only. */
  readonly pure?: boolean;
  /** What the room is for, and why it sees no more. */
  readonly reason: string;
}

/** A part of the tree with its own composition root. */
export interface Side {
  readonly name: string;
  /** The composition roots: the only files that may import every room in reach. */
  readonly mains: readonly string[];
  /** Other sides within reach, of which rooms then name what they use. */
  readonly reaches: readonly string[];
}

/** Packages for tests and tools only. */
export const TEST_PACKAGES = ['fast-check'];

export const SIDES: readonly Side[] = [
  { name: 'crds', mains: [], reaches: ['proxy'] },
  { name: 'operator', mains: ['operator/main.ts'], reaches: ['crds', 'proxy'] },
  { name: 'proxy', mains: ['proxy/main.ts'], reaches: [] },
];

/** The plan’s types are data that many rooms read; the compiler behind them is for few. */
const PLAN = 'proxy/compiler/plan.ts';

export const ROOMS: readonly Room[] = [
  {
    path: 'crds',
    mayImport: ['proxy/contract'],
    packages: ['ajv', 'typebox'],
    pure: true,
    reason: 'What users may ask for. Shares units, limits and reasons with the document, nothing else.',
  },

  // The proxy: contract first, then what builds on it.
  {
    path: 'proxy/contract',
    mayImport: [],
    packages: ['typebox', 'canonicalize'],
    pure: true,
    reason: 'The language between operator and proxy; imports nothing in-tree, so that all may import it.',
  },
  {
    path: 'proxy/bundle',
    mayImport: ['proxy/contract'],
    packages: ['jose', 'ajv'],
    reason: 'Shards, manifest, head, signature. The only room that signs or verifies.',
  },
  {
    path: 'proxy/compiler',
    mayImport: ['proxy/contract'],
    packages: ['typebox', 'ajv', 're2js', 'yaml'],
    pure: true,
    reason:
      'Text to document to plan, and findings. The operator runs the same code, so it must not depend on where it runs.',
  },
  {
    path: 'proxy/router',
    mayImport: ['proxy/contract', PLAN, 'proxy/compiler/regex.ts'],
    reason: 'Matchers made from the plan; knows no pools, no sockets. Not pure only for the seed of its hash tables.',
  },
  {
    path: 'proxy/traffic',
    mayImport: ['proxy/contract'],
    pure: true,
    reason: 'Balancing: which target is next. Knows neither endpoints’ addresses nor their connections.',
  },
  {
    path: 'proxy/observability',
    mayImport: ['proxy/contract'],
    packages: ['pino', 'prom-client', '@opentelemetry/sdk-node'],
    reason: 'Logs, metrics, traces: any room may report, so it can know none of them.',
  },
  {
    path: 'proxy/engine/http1',
    mayImport: ['proxy/contract'],
    reason: 'The HTTP/1.1 codec: bytes to messages and back. A room of its own, since both sides of the engine use it.',
  },
  {
    path: 'proxy/registries',
    mayImport: ['proxy/contract', PLAN, 'proxy/traffic', 'proxy/engine/http1', 'proxy/observability'],
    packages: ['undici'],
    reason:
      'All mutable state, keyed by stable ids; outlives snapshots, so it must not see them. Probes health by undici.',
  },
  {
    path: 'proxy/store',
    mayImport: ['proxy/contract', 'proxy/bundle', 'proxy/observability'],
    reason: 'Where bundles are put and kept; shared with the operator.',
  },
  {
    path: 'proxy/reflector',
    mayImport: ['proxy/contract', 'proxy/observability'],
    packages: ['undici'],
    reason: 'Lists and watches the API server, for operator and proxies alike; knows no kinds.',
  },
  {
    path: 'proxy/source',
    mayImport: ['proxy/contract', PLAN, 'proxy/bundle', 'proxy/store', 'proxy/reflector', 'proxy/observability'],
    packages: ['undici', 'yaml', 'ajv', 'typebox'],
    reason:
      'Where documents and endpoints come from: files, pull, Kubernetes. Hands over what it verified, compiles nothing.',
  },
  {
    path: 'proxy/snapshot',
    mayImport: ['proxy/contract', 'proxy/compiler', 'proxy/router', 'proxy/registries', 'proxy/observability'],
    reason: 'The living form of a plan: matchers and handles into registries.',
  },
  {
    path: 'proxy/engine',
    mayImport: [
      'proxy/contract',
      PLAN,
      'proxy/engine/http1',
      'proxy/registries',
      'proxy/snapshot',
      'proxy/router',
      'proxy/observability',
    ],
    reason:
      'The life of a request as phases. Runs on a snapshot; documents, bundles and the compiler are unknown to it.',
  },
  {
    path: 'proxy/listeners',
    mayImport: ['proxy/contract', 'proxy/engine', 'proxy/snapshot', 'proxy/observability'],
    reason: 'Ports, connections and drain; hands each connection to the engine.',
  },
  {
    path: 'proxy/threads',
    mayImport: [
      'proxy/contract',
      'proxy/compiler',
      'proxy/router',
      'proxy/snapshot',
      'proxy/registries',
      'proxy/engine',
      'proxy/listeners',
      'proxy/observability',
      'proxy/source/types.ts',
    ],
    reason:
      'Workers and the two-phase swap of what a source handed over; a worker is the composition root of its thread.',
  },
  {
    path: 'proxy/admin',
    mayImport: ['proxy/contract', PLAN, 'proxy/observability'],
    reason: 'Health, metrics, acks, admin API: shows what it is handed, steers nothing by itself.',
  },
  {
    path: 'proxy/cli',
    mayImport: ['proxy/contract', 'proxy/compiler', 'proxy/bundle', 'proxy/observability'],
    packages: ['commander', 'yaml'],
    reason:
      'Command line and environment to checked options, and the subcommands that only print; serving is for main.',
  },
  {
    path: 'proxy/demo',
    mayImport: [],
    reason: 'The upstream of the examples: a program of its own that shares nothing with the proxy.',
  },

  // The operator: stages from objects to status.
  {
    path: 'operator/kube',
    mayImport: ['crds', 'proxy/contract', 'proxy/reflector', 'proxy/observability'],
    packages: ['@kubernetes/client-node'],
    reason: 'The only user of the Kubernetes client: authentication, writes, Leases.',
  },
  {
    path: 'operator/objects',
    mayImport: ['crds', 'proxy/contract'],
    pure: true,
    reason: 'Objects as they are read, and the set of them: what every later stage works on.',
  },
  {
    path: 'operator/watch',
    mayImport: [
      'crds',
      'proxy/contract',
      'proxy/reflector',
      'proxy/observability',
      'operator/kube',
      'operator/objects',
    ],
    packages: ['yaml', 'ajv'],
    reason: 'Objects in, from a folder or the API server.',
  },
  {
    path: 'operator/govern',
    mayImport: ['crds', 'proxy/contract', 'operator/objects'],
    pure: true,
    reason:
      'Who may have which host, rules and audit records, which are data here; later stages ask it and write them.',
  },
  {
    path: 'operator/govern/auditLog.ts',
    mayImport: ['proxy/contract', 'proxy/observability', 'operator/govern'],
    reason: 'Writes the records that the rest of its folder only makes.',
  },
  {
    path: 'operator/translate',
    mayImport: ['crds', 'proxy/contract', 'proxy/compiler', 'operator/objects', 'operator/govern'],
    packages: ['ajv'],
    pure: true,
    reason: 'One object to one fragment and its findings.',
  },
  {
    path: 'operator/assemble',
    mayImport: [
      'crds',
      'proxy/contract',
      'proxy/compiler',
      'operator/objects',
      'operator/translate',
      'operator/govern',
    ],
    pure: true,
    reason: 'Decides alone which version of each object is in the next document.',
  },
  {
    path: 'operator/publish',
    mayImport: ['proxy/contract', 'proxy/bundle', 'proxy/store', 'proxy/observability', 'operator/kube'],
    reason: 'Bundles and heads into the store, and the collection of old ones. Sees bytes, no objects.',
  },
  {
    path: 'operator/rollout',
    mayImport: ['crds', 'proxy/contract', 'operator/govern'],
    pure: true,
    reason: 'Decides on gathered acks and a clock that is passed in; carries nothing out.',
  },
  {
    path: 'operator/acks',
    mayImport: ['proxy/contract', 'proxy/observability', 'operator/rollout/types.ts'],
    packages: ['undici', 'ajv'],
    reason: 'Asks the proxies what they run and keeps their answers; decides nothing about them.',
  },
  {
    path: 'operator/status',
    mayImport: [
      'crds',
      'proxy/contract',
      'proxy/observability',
      'operator/kube',
      'operator/objects',
      'operator/translate',
      'operator/assemble',
      'operator/rollout',
      'operator/govern',
    ],
    reason: 'Says in every object’s status what is really running.',
  },
  {
    path: 'operator/control',
    mayImport: [
      'crds',
      'proxy/contract',
      'proxy/compiler',
      'proxy/bundle',
      'proxy/store',
      'proxy/observability',
      'operator/objects',
      'operator/translate',
      'operator/assemble',
      'operator/govern',
      'operator/rollout',
      'operator/publish',
      'operator/acks',
      'operator/status',
    ],
    packages: ['lru-cache'],
    reason: 'The loop that takes objects through the stages and carries out what they decide; knows no API server.',
  },
  {
    path: 'operator/cli',
    mayImport: ['proxy/contract', 'proxy/observability', 'operator/acks'],
    packages: ['commander'],
    reason: 'Command line and environment to checked options; starts nothing, that is for main.',
  },
];

/** What a pure room must not touch: modules and, in the source, globals. */
export const IMPURE_MODULES: readonly RegExp[] = [
  /^node:(fs|net|tls|http|https|http2|dgram|dns|child_process|worker_threads|cluster|timers|os|process|perf_hooks)(\/|$)/,
  /^undici$/,
  /^@kubernetes\//,
];

/** Named imports that are pure although their module is not. */
export const PURE_IMPORTS = /^\{\s*(isIP|isIPv4|isIPv6)(\s*,\s*(isIP|isIPv4|isIPv6))*\s*,?\s*\}\s*from$/;

export const IMPURE_CALLS: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /\bDate\.now\b/g, what: 'Date.now' },
  { pattern: /\bnew\s+Date\s*(\(\s*\)|(?=[;,)\]}]))/g, what: 'new Date() without a time' },
  { pattern: /\bperformance\.\w+/g, what: 'performance' },
  { pattern: /\bMath\.random\b/g, what: 'Math.random' },
  { pattern: /\b(randomUUID|randomBytes|randomInt|getRandomValues)\b/g, what: 'random bytes' },
  { pattern: /\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/g, what: 'timers' },
  { pattern: /(?<![.\w$])process\.\w+/g, what: 'process' },
  { pattern: /(?<![.\w$])fetch\s*\(/g, what: 'fetch' },
  { pattern: /(?<![.\w$])console\.\w+/g, what: 'console' },
];
