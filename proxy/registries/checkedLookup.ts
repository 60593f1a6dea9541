/** Names of upstreams, resolved when a connection is made: within a time limit, and to no address that is no upstream's. */
import { type LookupAddress, promises as dns } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import { refusal } from '../contract/address.ts';
import { limit } from '../contract/limits.ts';

/** All addresses of a name; rejects when there are none. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

const systemResolve: Resolve = async (host) => dns.lookup(host, { all: true });

/**
 * The `lookup` of net.connect. A name of which one address is refused is refused whole: whoever answers for it could
 * point at a metadata service with the next answer.
 *
 * @param timeoutMs how long a connection waits for the addresses
 */
export function checkedLookup(resolve: Resolve = systemResolve, timeoutMs = limit('dnsTimeoutMs')): LookupFunction {
  // The system's resolver cannot be interrupted and has few threads: each name is asked for once at a time.
  const underWay = new Map<string, Promise<readonly LookupAddress[]>>();
  const ask = (host: string) => {
    const known = underWay.get(host);
    if (known !== undefined) return known;
    const asked = resolve(host).finally(() => underWay.delete(host));
    underWay.set(host, asked);
    return asked;
  };
  const addressesOf = callbackify(async (host: string) => {
    const addresses = await within(ask(host), timeoutMs, host);
    const problem = problemOf(host, addresses);
    if (problem !== undefined) throw new Error(problem);
    return addresses;
  });
  return (host, options, callback) => {
    addressesOf(host, (error: NodeJS.ErrnoException | null, addresses) => {
      const [first] = error === null ? addresses : [];
      if (first === undefined) callback(error, '');
      else if (options.all === true) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
  };
}

function problemOf(host: string, addresses: readonly LookupAddress[]): string | undefined {
  if (addresses.length === 0) return `${host} has no address`;
  for (const { address } of addresses) {
    // Link-local addresses may carry the name of an interface.
    const refused = refusal(address.replace(/%.*/, ''));
    if (refused !== undefined) return `${host}: ${refused}`;
  }
  return undefined;
}

async function within<T>(answer: Promise<T>, timeoutMs: number, host: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${host} was not resolved in ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
