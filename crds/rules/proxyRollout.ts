/** Rules between the fields of a ProxyRollout. */
import { isAddressOrRange, parseEndpointAddress } from '../../proxy/contract/address.ts';
import { DURATION_PATTERN, parsePercentRatio } from '../../proxy/contract/units.ts';
import { rulesOver, type Rule } from '../kind.ts';
import type { ProxyRolloutSpec } from '../proxyRollout.ts';
import { PERCENT_PATTERN } from '../schema.ts';
import {
  allowedHostCel,
  codePoints,
  exactlyOne,
  exactlyOneCel,
  hostCel,
  matchExpressionRule,
  matchLabelsRule,
  namespacesRule,
  portCel,
  quoted,
} from './common.ts';

const rule = rulesOver<ProxyRolloutSpec>();

const PERCENT = new RegExp(PERCENT_PATTERN);
const DURATION = new RegExp(DURATION_PATTERN);
const HOST = hostCel('self');
/** Names that resolvers take for addresses (127.1, 0x7f000001). */
const NUMBER_LIKE = '(^|[.])(0[xX][0-9a-fA-F]*|[0-9]+)$';
const CONFIG_KEY_LENGTH = 64;

const namespaceRules: readonly Rule[] = [
  rule({ at: 'spec.fleet.allowedNamespaces', ...namespacesRule }),
  rule({ at: 'spec.fleet.allowedNamespaces.selector.matchLabels', ...matchLabelsRule }),
  rule({ at: 'spec.fleet.allowedNamespaces.selector.matchExpressions[]', ...matchExpressionRule }),
  rule({ at: 'spec.fleet.plugins[].allowedNamespaces', ...namespacesRule }),
  rule({ at: 'spec.fleet.plugins[].allowedNamespaces.selector.matchLabels', ...matchLabelsRule }),
  rule({ at: 'spec.fleet.plugins[].allowedNamespaces.selector.matchExpressions[]', ...matchExpressionRule }),
];

const pluginRules: readonly Rule[] = [
  rule({
    at: 'spec.fleet.plugins[]',
    cel: `self.type == 'ExternalGrpc' ? ${exactlyOneCel('address', 'poolRef')} : !has(self.address) && !has(self.poolRef)`,
    message: 'exactly one of address, poolRef is required for ExternalGrpc, and neither is allowed for Builtin',
    reason: 'Invalid',
    check: ({ type, address, poolRef }) =>
      type === 'ExternalGrpc'
        ? exactlyOne(address !== undefined, poolRef !== undefined)
        : address === undefined && poolRef === undefined,
  }),
  rule({
    at: 'spec.fleet.plugins[]',
    cel: "(self.type == 'Builtin') == has(self.builtin)",
    message: 'builtin is required for type Builtin, and not allowed for ExternalGrpc',
    field: '.builtin',
    reason: 'Invalid',
    check: ({ type, builtin }) => (type === 'Builtin') === (builtin !== undefined),
  }),
  rule({
    at: 'spec.fleet.plugins[].address',
    cel: `${portCel('self')} >= 1 && ${portCel('self')} <= 65535 && (isIP(${HOST}) || !self.startsWith('[') && size(${HOST}) <= 253 && !${HOST}.matches(${quoted(NUMBER_LIKE)}))`,
    message: 'must be a host name or IP address, and a port between 1 and 65535',
    reason: 'Invalid',
    check: (address) => problemWith(address) !== 'Invalid',
  }),
  rule({
    at: 'spec.fleet.plugins[].address',
    cel: allowedHostCel(HOST),
    message: 'link-local, metadata, multicast, reserved and unspecified addresses are refused',
    reason: 'AddressNotAllowed',
    check: (address) => problemWith(address) !== 'AddressNotAllowed',
  }),
  rule({
    at: 'spec.fleet.plugins[].config',
    cel: `self.all(key, size(key) > 0 && size(key) <= ${CONFIG_KEY_LENGTH})`,
    message: `keys have between 1 and ${CONFIG_KEY_LENGTH} characters`,
    reason: 'Invalid',
    check: (config) => Object.keys(config).every((key) => key !== '' && codePoints(key) <= CONFIG_KEY_LENGTH),
  }),
];

function problemWith(address: string) {
  const parsed = parseEndpointAddress(address);
  return parsed.ok ? undefined : parsed.error.reason;
}

const fleetRules: readonly Rule[] = [
  ...namespaceRules,
  rule({
    at: 'spec.fleet.tls.mtls',
    cel: '!self.enabled || has(self.caRef)',
    message: 'caRef is required where enabled is true',
    field: '.caRef',
    reason: 'Required',
    check: ({ enabled, caRef }) => !enabled || caRef !== undefined,
  }),
  rule({
    at: 'spec.fleet.http.trustedProxies[]',
    cel: 'isIP(self) || isCIDR(self)',
    message: 'must be an address or CIDR range such as 10.0.0.0/8 or fd00::/8',
    reason: 'Invalid',
    check: isAddressOrRange,
  }),
  rule({
    at: 'spec.fleet.http',
    cel: '!has(self.proxyProtocol) || !self.proxyProtocol || (has(self.trustedProxies) && size(self.trustedProxies) > 0)',
    message: 'proxyProtocol needs trustedProxies',
    field: '.trustedProxies',
    reason: 'Required',
    check: ({ proxyProtocol, trustedProxies }) => proxyProtocol !== true || (trustedProxies ?? []).length > 0,
  }),
  ...pluginRules,
  rule({
    at: 'spec.fleet.metrics',
    cel: '!has(self.requireToken) || !self.requireToken || has(self.tokenSecretRef)',
    message: 'tokenSecretRef is required where requireToken is true',
    field: '.tokenSecretRef',
    reason: 'Required',
    check: ({ requireToken, tokenSecretRef }) => requireToken !== true || tokenSecretRef !== undefined,
  }),
];

export const proxyRolloutRules: readonly Rule[] = [
  ...fleetRules,
  rule({
    at: 'spec.strategy.stages',
    cel: 'self.map(stage, stage.fleetPercent).isSorted() && self.all(one, self.exists_one(other, other.fleetPercent == one.fleetPercent))',
    message: 'each stage must have a higher fleetPercent than the one before',
    reason: 'Invalid',
    check: (stages) => stages.every((stage, i) => i === 0 || stage.fleetPercent > (stages[i - 1]?.fleetPercent ?? 0)),
  }),
  rule({
    at: 'spec.strategy.healthGates[]',
    cel: `self.threshold.matches(self.metric == 'ErrorRate' ? ${quoted(PERCENT_PATTERN)} : ${quoted(DURATION_PATTERN)})`,
    message: 'threshold must be a percentage such as 1% for ErrorRate, and a duration such as 500ms for P95Latency',
    field: '.threshold',
    reason: 'Invalid',
    check: ({ metric, threshold }) => (metric === 'ErrorRate' ? PERCENT : DURATION).test(threshold),
  }),
  rule({
    at: 'spec.strategy.autoRollback',
    cel: "!has(self.objective) || double(self.objective.replace('%', '')) < 100.0",
    message: 'objective must be below 100%, or there is no error budget',
    field: '.objective',
    reason: 'Invalid',
    check: ({ objective }) => {
      const ratio = parsePercentRatio(objective ?? '99.9%');
      return ratio.ok && ratio.value < 1;
    },
  }),
  rule({
    at: 'spec.request',
    cel: "self.action == 'Retry' ? has(self.digest) != has(self.objects) : has(self.digest) && !has(self.objects)",
    message: 'digest is required; Retry takes either digest or objects',
    field: '.digest',
    reason: 'Invalid',
    check: ({ action, digest, objects }) =>
      action === 'Retry'
        ? (digest === undefined) !== (objects === undefined)
        : digest !== undefined && objects === undefined,
  }),
];
