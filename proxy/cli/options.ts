/** From command line and environment to checked options. What does not check is said with the flag’s name; nothing starts. */
import { availableParallelism } from 'node:os';
import { randomUUID } from 'node:crypto';
import { limit } from '../contract/limits.ts';
import { NOT_IMPLEMENTED } from '../contract/notImplemented.ts';
import { fail, ok, type Result } from '../contract/result.ts';
import { Secret } from '../contract/secret.ts';
import { LOG_LEVELS, type LogLevel } from '../observability/logger.ts';
import { flagSpecs, type FlagName, type FlagSpec } from './flags.ts';

export interface Address {
  /** Undefined: every address of the machine. */
  readonly host: string | undefined;
  readonly port: number;
}

export interface ProxyOptions {
  readonly configFile: string | undefined;
  readonly storeDir: string | undefined;
  readonly fleet: string;
  readonly clusterUid: string;
  readonly podUid: string;
  readonly publicKeyFile: string | undefined;
  readonly stateDir: string | undefined;
  readonly endpointsDirs: readonly string[];
  readonly http: Address;
  readonly threads: number;
  readonly admin: Address | undefined;
  readonly metrics: Address | undefined;
  readonly adminToken: Secret | undefined;
  readonly adminTls:
    { readonly certFile: string; readonly keyFile: string; readonly clientCaFile: string | undefined } | undefined;
  readonly logJson: boolean;
  readonly logLevel: LogLevel;
  readonly accessLogFile: string | undefined;
  readonly drainWaitMs: number;
  readonly drainTimeoutMs: number;
}

export type RawFlags = Partial<Record<FlagName, string>>;
type Env = Readonly<Record<string, string | undefined>>;

/** `:8080`, `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`; port 0 takes any free one. */
export function parseAddress(text: string): Result<Address> {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:\s[\]]*)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) return fail(`"${text}" is not an address such as :8080 or 127.0.0.1:8080`);
  const host = match[1] ?? match[2];
  return ok({ host: host === '' ? undefined : host, port });
}

/** Why a value does not fit its flag, or undefined. */
function flagProblem(spec: FlagSpec, value: string): string | undefined {
  if (spec.type === 'boolean' && !/^(true|false|1|0)$/.test(value)) return 'must be true or false';
  if (spec.type === 'address' && value !== '') {
    const parsed = parseAddress(value);
    if (!parsed.ok) return parsed.error;
  }
  if (spec.type === 'integer') {
    const number = Number(value);
    const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = spec;
    if (!/^[0-9]{1,12}$/.test(value) || number < minimum || number > maximum)
      return `must be a whole number from ${minimum} to ${maximum}`;
  }
  return undefined;
}

function isDeferred(spec: FlagSpec, value: string): boolean {
  return NOT_IMPLEMENTED.some((n) => n.flag === spec.name) && value !== (spec.default ?? '');
}

/** Flag beats environment beats default; every problem is listed, each naming its flag or variable. */
export function resolveOptions(flags: RawFlags, env: Env): Result<ProxyOptions, readonly string[]> {
  const problems: string[] = [];
  const values = new Map<string, string>();
  for (const spec of flagSpecs()) {
    const given = flags[spec.name as FlagName];
    const fromEnv = spec.env === undefined ? undefined : env[spec.env];
    const value = given ?? fromEnv ?? spec.default;
    if (value === undefined) continue;
    const place = given !== undefined || spec.env === undefined ? `-${spec.name}` : spec.env;
    const problem = flagProblem(spec, value);
    if (problem !== undefined) problems.push(`${place}: ${problem}`);
    else if (isDeferred(spec, value)) problems.push(`${place}: NotImplemented: this version does not carry it out yet`);
    else values.set(spec.name, value);
  }
  const options = buildOptions(values, problems);
  problems.push(...conflicts(options, env));
  return problems.length === 0 ? ok(options) : fail(problems);
}

function buildOptions(values: ReadonlyMap<string, string>, problems: string[]): ProxyOptions {
  const text = (name: FlagName) => (values.get(name) === '' ? undefined : values.get(name));
  const flag = (name: FlagName) => /^(true|1)$/.test(values.get(name) ?? '');
  const number = (name: FlagName) => Number(values.get(name));
  const address = (name: FlagName): Address | undefined => {
    const parsed = parseAddress(text(name) ?? '');
    return parsed.ok ? parsed.value : undefined;
  };
  const logLevel = LOG_LEVELS.find((l) => l === text('log-level'));
  if (logLevel === undefined) problems.push(`-log-level: must be one of ${LOG_LEVELS.join(', ')}`);
  const [certFile, keyFile] = [text('admin-tls-cert-file'), text('admin-tls-key-file')];
  if ((certFile === undefined) !== (keyFile === undefined))
    problems.push('-admin-tls-cert-file and -admin-tls-key-file go together');
  const token = text('admin-token');
  return {
    configFile: text('config-file'),
    storeDir: text('store-dir'),
    fleet: text('fleet') ?? '',
    clusterUid: text('cluster-uid') ?? '',
    podUid: text('pod-uid') ?? randomUUID(),
    publicKeyFile: text('public-key-file'),
    stateDir: text('state-dir'),
    endpointsDirs: (text('endpoints-dir') ?? '').split(',').filter((folder) => folder !== ''),
    http: address('http-addr') ?? { host: undefined, port: 8080 },
    threads: text('threads') === undefined ? Math.min(availableParallelism(), limit('threads')) : number('threads'),
    admin: flag('enable-admin') ? address('admin-addr') : undefined,
    metrics: address('metrics-addr'),
    adminToken: token === undefined ? undefined : new Secret(token),
    adminTls:
      certFile === undefined || keyFile === undefined
        ? undefined
        : { certFile, keyFile, clientCaFile: text('admin-client-ca-file') },
    logJson: flag('log-json'),
    logLevel: logLevel ?? 'info',
    accessLogFile: text('access-log-file'),
    drainWaitMs: number('drain-wait-ms'),
    drainTimeoutMs: number('drain-timeout-ms'),
  };
}

function conflicts(options: ProxyOptions, env: Env): string[] {
  const problems: string[] = [];
  if (!/^[a-z0-9.-]{1,253}\/[a-z0-9.-]{1,253}$/.test(options.fleet)) problems.push('-fleet: must be namespace/name');
  if (options.configFile === undefined && options.storeDir === undefined)
    problems.push('no configuration: give -config-file or -store-dir');
  if (options.configFile !== undefined && options.storeDir !== undefined)
    problems.push('-config-file and -store-dir exclude each other');
  if (options.storeDir !== undefined && options.publicKeyFile === undefined)
    problems.push('-store-dir needs -public-key-file, to verify what it holds');
  // DESIGN “Trust”: in a cluster every byte of configuration is signed.
  if (
    options.configFile !== undefined &&
    options.publicKeyFile === undefined &&
    (env['KUBERNETES_SERVICE_HOST'] ?? '') !== ''
  ) {
    problems.push(
      '-config-file: unsigned configuration is refused inside a cluster; give -public-key-file and a signed bundle',
    );
  }
  return problems;
}
