/** Flags of `make run`. */
import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';

export interface RunOptions {
  readonly manifests: string;
  readonly state: string;
  readonly fleet: string;
  readonly httpPorts: readonly number[];
  readonly adminPorts: readonly number[];
  readonly demoPorts: readonly number[];
  readonly threads: number;
  readonly bindHost: string;
}

const HELP = `Serves a folder of manifests with an operator and three proxies on this machine.

  --manifests DIR     what kubectl apply would take (configs/examples/basic)
  --fleet NS/NAME     the ProxyRollout that the proxies belong to (demo/edge)
  --http-ports LIST   data plane, one proxy for each (8080,8081,8082)
  --admin-ports LIST  admin listeners (9000,9001,9002)
  --demo-ports LIST   demo upstreams, two of hello-v1 and two of hello-v2 (8000,8001,8010,8011)
  --host ADDRESS      where to listen (127.0.0.1)
  --threads N         serving threads of each proxy (1)
  --state DIR         keys, store, logs and status (.state/run)
`;

/** Wrong flags end the process with 2 and the reason. */
export function readOptions(args: readonly string[]): RunOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        manifests: { type: 'string', default: 'configs/examples/basic' },
        state: { type: 'string', default: '.state/run' },
        fleet: { type: 'string', default: 'demo/edge' },
        'http-ports': { type: 'string', default: '8080,8081,8082' },
        'admin-ports': { type: 'string', default: '9000,9001,9002' },
        'demo-ports': { type: 'string', default: '8000,8001,8010,8011' },
        threads: { type: 'string', default: '1' },
        host: { type: 'string', default: '127.0.0.1' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    const [httpPorts, adminPorts, demoPorts] = [
      ports(values['http-ports']),
      ports(values['admin-ports']),
      ports(values['demo-ports']),
    ];
    if (httpPorts.length !== adminPorts.length)
      throw new Error('--http-ports and --admin-ports need equally many ports');
    const threads = Number(values.threads);
    if (!Number.isInteger(threads) || threads < 1 || threads > 64) throw new Error('--threads must be from 1 to 64');
    const all = [...httpPorts, ...adminPorts, ...demoPorts];
    const twice = all.find((port, i) => all.indexOf(port) !== i);
    if (twice !== undefined) throw new Error(`port ${twice} is given twice`);
    if (!statSync(values.manifests, { throwIfNoEntry: false })?.isDirectory())
      throw new Error(`--manifests: ${values.manifests} is no folder`);
    if (statSync(values.state, { throwIfNoEntry: false })?.isFile())
      throw new Error(`--state: ${values.state} is a file`);
    if (demoPorts.length !== 4) throw new Error('--demo-ports needs four ports');
    return {
      manifests: values.manifests,
      state: values.state,
      fleet: values.fleet,
      httpPorts,
      adminPorts,
      demoPorts,
      threads,
      bindHost: values.host,
    };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

function ports(text: string): number[] {
  return text.split(',').map((part) => {
    const port = Number(part);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`"${part}" is not a port`);
    return port;
  });
}
