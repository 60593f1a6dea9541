/** Which endpoints are this very proxy’s admin listeners: a tenant’s pool must not publish them (reliability list, 51). */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { classifyAddress } from '../contract/address.ts';

/**
 * @param ports of the admin and metrics listeners
 * @param interfaces addresses of this machine, read once: a pod keeps its own
 */
export function ownAddressCheck(
  ports: readonly number[],
  interfaces: readonly string[] = machineAddresses(),
): (host: string, port: number) => boolean {
  const refusedPorts = new Set(ports);
  const own = new Set(interfaces);
  return (host, port) => {
    if (!refusedPorts.has(port)) return false;
    if (isIP(host) === 0) return host === 'localhost' || host.endsWith('.localhost');
    return own.has(host) || classifyAddress(host) === 'Loopback';
  };
}

function machineAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}
