/** Whose X-Forwarded-* is believed, and which address is then the client's. */
import { BlockList, isIP } from 'node:net';

/** Whether an address belongs to a trusted proxy. */
export type TrustCheck = (address: string) => boolean;

const compiled = new WeakMap<readonly string[], TrustCheck>();

/** The check for a fleet's list of addresses and CIDRs, made once per list. */
export function trustCheck(trustedProxies: readonly string[]): TrustCheck {
  const known = compiled.get(trustedProxies);
  if (known !== undefined) return known;
  const check = compile(trustedProxies);
  compiled.set(trustedProxies, check);
  return check;
}

function compile(trustedProxies: readonly string[]): TrustCheck {
  if (trustedProxies.length === 0) return () => false;
  const list = new BlockList();
  for (const entry of trustedProxies) {
    const [address = '', prefix] = entry.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return (address) => {
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}

/** An IPv4 address that came in over an IPv6 socket (`::ffff:192.0.2.1`), as IPv4. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/**
 * The client of a request that a trusted proxy passed on: reading X-Forwarded-For from its end, the first address that is
 * no trusted proxy. An entry that is no address ends the reading, since nobody vouches for what stands before it.
 */
export function clientBehind(peer: string, forwardedFor: readonly string[], isTrusted: TrustCheck): string {
  const hops = forwardedFor.join(',').split(',');
  let client = peer;
  for (let i = hops.length - 1; i >= 0; i -= 1) {
    const hop = plainAddress((hops[i] ?? '').trim());
    if (isIP(hop) === 0) break;
    client = hop;
    if (!isTrusted(hop)) break;
  }
  return client;
}
