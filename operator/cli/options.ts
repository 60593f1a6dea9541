/** Flags of the operator. What does not check is said with the flag’s name; nothing starts. */
import { Command, CommanderError, Option } from 'commander';
import { fail, ok, type Result } from '../../proxy/contract/result.ts';
import { LOG_LEVELS, type LogLevel } from '../../proxy/observability/logger.ts';
import type { MemberAddress } from '../acks/poller.ts';

export interface OperatorOptions {
  readonly manifests: string;
  readonly storeDir: string;
  readonly keysDir: string;
  readonly clusterUid: string;
  readonly defaultFleet: string | null;
  /** Fleets that may begin anew although their head cannot be believed. */
  readonly reinitializedFleets: readonly string[];
  readonly members: readonly MemberAddress[];
  readonly ackTls: { readonly caFile: string; readonly certFile: string; readonly keyFile: string } | undefined;
  readonly statusDir: string | undefined;
  readonly auditFile: string | undefined;
  readonly logJson: boolean;
  readonly logLevel: LogLevel;
}

/** Flags, their variables and meanings; docs/reference/operator-flags.md is generated from this table. */
export const OPERATOR_FLAGS = [
  { name: 'manifests', value: '<folder>', description: 'Folder of manifests to read, with the folders below it.' },
  {
    name: 'store-dir',
    value: '<folder>',
    env: 'OPERATOR_STORE_DIR',
    description: 'Folder store that bundles and heads are published to.',
  },
  {
    name: 'keys-dir',
    value: '<folder>',
    env: 'OPERATOR_KEYS_DIR',
    description:
      'Folder of the signing keys; the first is made if there is none. public.json in it is what proxies verify with.',
  },
  {
    name: 'cluster-uid',
    value: '<text>',
    env: 'OPERATOR_CLUSTER_UID',
    default: 'local',
    description: 'Cluster that heads are signed for.',
  },
  {
    name: 'default-fleet',
    value: '<namespace/name>',
    env: 'OPERATOR_DEFAULT_FLEET',
    description: 'Fleet of routes without fleetRef; default: they belong to none.',
  },
  {
    name: 'reinitialize-fleet',
    value: '<namespace/name>',
    repeated: true,
    description:
      'Fleet that may begin anew where its head, and every earlier one, is damaged: all of its proxies then take what the objects ask for, without stages. May be given several times; take it away afterwards.',
  },
  {
    name: 'proxy',
    value: '<[namespace/name/]podUid=url>',
    repeated: true,
    description: 'A proxy to ask for acks, of that fleet or else of the default one; may be given several times.',
  },
  {
    name: 'ack-ca-file',
    value: '<file>',
    env: 'OPERATOR_ACK_CA_FILE',
    description: 'PEM CAs that verify the proxies’ admin listeners.',
  },
  {
    name: 'ack-cert-file',
    value: '<file>',
    env: 'OPERATOR_ACK_CERT_FILE',
    description: 'PEM certificate shown to them.',
  },
  { name: 'ack-key-file', value: '<file>', env: 'OPERATOR_ACK_KEY_FILE', description: 'PEM key of that certificate.' },
  { name: 'status-dir', value: '<folder>', description: 'Folder that the objects’ status is written to, as JSON.' },
  {
    name: 'audit-file',
    value: '<file>',
    description: 'File that audit records are appended to, as JSON lines; default: the log.',
  },
  { name: 'log-json', value: '[true|false]', default: 'true', description: 'Log as JSON lines on stderr.' },
  {
    name: 'log-level',
    value: '<level>',
    env: 'OPERATOR_LOG_LEVEL',
    default: 'info',
    description: 'trace, debug, info, warn or error.',
  },
] as const satisfies readonly OperatorFlag[];

export interface OperatorFlag {
  readonly name: string;
  readonly value: string;
  readonly env?: string;
  readonly default?: string;
  readonly repeated?: boolean;
  readonly description: string;
}

const FLEET = /^[a-z0-9.-]+\/[a-z0-9.-]+$/;

type Raw = Readonly<Record<string, string | readonly string[] | undefined>>;

/** @returns options, the text of `--help`, or every problem */
export function readOperatorOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Result<{ readonly options: OperatorOptions } | { readonly help: string }, readonly string[]> {
  const parsed = parse(args);
  if (!parsed.ok) return fail([parsed.error]);
  if (typeof parsed.value === 'string') return ok({ help: parsed.value });
  const raw = parsed.value;
  const problems: string[] = [];
  const options = build((name) => textOf(raw, env, name), raw, problems);
  return problems.length === 0 ? ok({ options }) : fail(problems);
}

function parse(args: readonly string[]): Result<Raw | string> {
  let output = '';
  const program = new Command('operator').exitOverride().allowExcessArguments(false);
  program.configureOutput({ writeOut: (text) => (output += text), writeErr: (text) => (output += text) });
  for (const flag of OPERATOR_FLAGS as readonly OperatorFlag[]) {
    const option = new Option(`--${flag.name} ${flag.value}`, flag.description).preset('true');
    if (flag.repeated === true) option.argParser((value: string, before: readonly string[] = []) => [...before, value]);
    program.addOption(option);
  }
  try {
    program.parse(
      args.map((arg) => (/^-[a-z][a-z0-9-]+(=|$)/.test(arg) ? `-${arg}` : arg)),
      { from: 'user' },
    );
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? ok(output) : fail(output.trim().replace(/^error: /, ''));
  }
  const values: Record<string, string | readonly string[]> = program.opts();
  const camel = (name: string) => name.replace(/-([a-z])/g, (_, c: string) => c.toUpperCase());
  return ok(Object.fromEntries(OPERATOR_FLAGS.map((f) => [f.name, values[camel(f.name)]])));
}

function textOf(raw: Raw, env: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  const flag: OperatorFlag | undefined = OPERATOR_FLAGS.find((f) => f.name === name);
  const given = raw[name];
  const value =
    typeof given === 'string' ? given : ((flag?.env === undefined ? undefined : env[flag.env]) ?? flag?.default);
  return value === '' ? undefined : value;
}

function build(text: (name: string) => string | undefined, raw: Raw, problems: string[]): OperatorOptions {
  const required = (name: string) => {
    const value = text(name);
    if (value === undefined) problems.push(`--${name}: is needed`);
    return value ?? '';
  };
  const list = (name: string): readonly string[] => {
    const given = raw[name];
    return given === undefined || typeof given === 'string' ? [] : given;
  };
  const defaultFleet = text('default-fleet') ?? null;
  if (defaultFleet !== null && !FLEET.test(defaultFleet)) problems.push('--default-fleet: must be namespace/name');
  const reinitializedFleets = list('reinitialize-fleet');
  for (const fleet of reinitializedFleets)
    if (!FLEET.test(fleet)) problems.push(`--reinitialize-fleet: "${fleet}" is not namespace/name`);
  const logLevel = LOG_LEVELS.find((l) => l === text('log-level'));
  if (logLevel === undefined) problems.push(`--log-level: must be one of ${LOG_LEVELS.join(', ')}`);
  const members = list('proxy').flatMap((given) => memberOf(given, defaultFleet, problems));
  const [caFile, certFile, keyFile] = [text('ack-ca-file'), text('ack-cert-file'), text('ack-key-file')];
  const ackTls =
    caFile === undefined || certFile === undefined || keyFile === undefined ? undefined : { caFile, certFile, keyFile };
  if (members.length > 0 && ackTls === undefined)
    problems.push('--proxy needs --ack-ca-file, --ack-cert-file and --ack-key-file');
  return {
    manifests: required('manifests'),
    storeDir: required('store-dir'),
    keysDir: required('keys-dir'),
    clusterUid: text('cluster-uid') ?? 'local',
    defaultFleet,
    reinitializedFleets,
    members,
    ackTls,
    statusDir: text('status-dir'),
    auditFile: text('audit-file'),
    logJson: text('log-json') !== 'false',
    logLevel: logLevel ?? 'info',
  };
}

function memberOf(given: string, defaultFleet: string | null, problems: string[]): MemberAddress[] {
  const match = /^(?:([a-z0-9.-]+\/[a-z0-9.-]+)\/)?([A-Za-z0-9._-]{1,128})=(https:\/\/[^\s/]+)\/?$/.exec(given);
  const [, fleet = defaultFleet, podUid, url] = match ?? [];
  if (podUid === undefined || url === undefined)
    problems.push(`--proxy: "${given}" is not [namespace/name/]podUid=https://host:port`);
  else if (fleet === null) problems.push(`--proxy: "${given}" names no fleet, and there is no --default-fleet`);
  else return [{ podUid, fleet, url }];
  return [];
}
