/** Rules between the fields of an UpstreamPool. */
import { parseEndpointAddress } from '../../proxy/contract/address.ts';
import { rulesOver, type Rule } from '../kind.ts';
import type { UpstreamPoolSpec } from '../upstreamPool.ts';
import { allowedHostCel, clientKeyRule, exactlyOneCel, hostCel, milliseconds, portCel } from './common.ts';

const rule = rulesOver<UpstreamPoolSpec>();

/** Why an address is refused; undefined if it is not. */
function problemWith(address: string) {
  const parsed = parseEndpointAddress(address);
  return parsed.ok ? undefined : parsed.error.reason;
}

export const upstreamPoolRules: readonly Rule[] = [
  rule({
    at: 'spec',
    cel: exactlyOneCel('serviceRef', 'endpoints'),
    message: 'exactly one of serviceRef, endpoints is required',
    reason: 'Invalid',
    check: ({ serviceRef, endpoints }) => (serviceRef === undefined) !== (endpoints === undefined),
  }),
  rule({
    at: 'spec.endpoints[].address',
    cel: `isIP(${hostCel('self')}) && ${portCel('self')} >= 1 && ${portCel('self')} <= 65535`,
    message: 'must be ip:port or [ipv6]:port, with a port between 1 and 65535 (and no IPv4 address in IPv6 form)',
    reason: 'Invalid',
    check: (address) => problemWith(address) !== 'Invalid',
  }),
  rule({
    at: 'spec.endpoints[].address',
    cel: allowedHostCel(hostCel('self')),
    message: 'link-local, metadata, multicast, reserved and unspecified addresses are refused',
    reason: 'AddressNotAllowed',
    check: (address) => problemWith(address) !== 'AddressNotAllowed',
  }),
  rule({
    at: 'spec',
    cel: "!has(self.protocol) || self.protocol != 'HTTP2' || has(self.tls)",
    message: 'HTTP2 needs tls; without TLS the protocol is H2C',
    field: '.protocol',
    reason: 'Invalid',
    check: ({ protocol, tls }) => protocol !== 'HTTP2' || tls !== undefined,
  }),
  rule({
    at: 'spec',
    cel: "!has(self.protocol) || self.protocol != 'H2C' || !has(self.tls)",
    message: 'H2C is HTTP/2 without TLS; with tls the protocol is HTTP2',
    field: '.protocol',
    reason: 'Invalid',
    check: ({ protocol, tls }) => protocol !== 'H2C' || tls === undefined,
  }),
  rule({
    at: 'spec.balancer',
    cel: "!has(self.hashOn) || (has(self.type) && self.type == 'ConsistentHash')",
    message: 'hashOn is only for type ConsistentHash',
    field: '.hashOn',
    reason: 'Invalid',
    check: ({ hashOn, type }) => hashOn === undefined || type === 'ConsistentHash',
  }),
  rule({ at: 'spec.balancer.hashOn', ...clientKeyRule }),
  rule({
    at: 'spec.health.active',
    cel: "!has(self.type) || self.type == 'HTTP' || (!has(self.path) && !has(self.expectedStatus))",
    message: 'path and expectedStatus are only for type HTTP',
    field: '.type',
    reason: 'Invalid',
    check: ({ type, path, expectedStatus }) =>
      type === undefined || type === 'HTTP' || (path === undefined && expectedStatus === undefined),
  }),
  rule({
    at: 'spec.health.active',
    cel: "!has(self.timeout) || duration(self.timeout) <= duration(has(self.interval) ? self.interval : '5s')",
    message: 'timeout must not be longer than interval (5s by default)',
    field: '.timeout',
    reason: 'Invalid',
    check: ({ timeout, interval }) => timeout === undefined || milliseconds(timeout) <= milliseconds(interval ?? '5s'),
  }),
  rule({
    at: 'spec.health.active.expectedStatus[]',
    cel: "!self.contains('-') || int(self.substring(0, 3)) <= int(self.substring(4))",
    message: 'the range must begin with its lower status',
    reason: 'Invalid',
    check: (range) => !range.includes('-') || Number(range.slice(0, 3)) <= Number(range.slice(4)),
  }),
  rule({
    at: 'spec.outlierDetection',
    cel: 'has(self.consecutiveFailures) || has(self.errorRateThreshold)',
    message: 'at least one of consecutiveFailures, errorRateThreshold is required',
    reason: 'Required',
    check: ({ consecutiveFailures, errorRateThreshold }) =>
      consecutiveFailures !== undefined || errorRateThreshold !== undefined,
  }),
];
