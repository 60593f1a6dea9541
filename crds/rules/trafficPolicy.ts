/** Rules between the fields of a TrafficPolicy. */
import { rulesOver, type Rule } from '../kind.ts';
import type { Middleware, TrafficPolicySpec } from '../trafficPolicy.ts';
import { clientKeyRule, exactlyOneCel, milliseconds, UNIQUE_NAMES_CEL, uniqueIgnoringCase } from './common.ts';

const rule = rulesOver<TrafficPolicySpec>();

/**
 * Headers that no transformation may touch: they frame the message or belong to one connection (RFC 9110 §7.6.1), or
 * choose the route, so that what was authorised would not be what is forwarded.
 */
const UNTOUCHABLE_HEADERS = [
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
const UNTOUCHABLE_CEL = `[${UNTOUCHABLE_HEADERS.map((name) => `'${name}'`).join(', ')}]`;
const untouchable = { message: `must not be one of ${UNTOUCHABLE_HEADERS.join(', ')}`, reason: 'Invalid' } as const;
const lineRule = {
  ...untouchable,
  cel: `!(self.name.lowerAscii() in ${UNTOUCHABLE_CEL})`,
  field: '.name',
  check: (line: { name: string }) => !UNTOUCHABLE_HEADERS.includes(line.name.toLowerCase()),
} as const;
const uniqueLinesRule = {
  cel: UNIQUE_NAMES_CEL,
  message: 'header names must be unique, whatever their case',
  reason: 'Duplicate',
  check: (lines: readonly { name: string }[]) => uniqueIgnoringCase(lines.map((line) => line.name)),
} as const;

/** A stage type owns a field: the field is required with it, and not allowed without. */
function owned(type: Middleware['type'], field: 'jwt' | 'policyRef' | 'name'): Rule {
  return rule({
    at: 'spec.middleware[]',
    cel: `(self.type == '${type}') == has(self.${field})`,
    message: `${field} is required with type ${type}, and not allowed with other types`,
    field: `.${field}`,
    reason: 'Invalid',
    check: (stage) => (stage.type === type) === (stage[field] !== undefined),
  });
}

/** A stage that a second time would do nothing more. */
function atMostOnce(type: Middleware['type']): Rule {
  return rule({
    at: 'spec.middleware',
    cel: `self.filter(stage, stage.type == '${type}').size() <= 1`,
    message: `type ${type} may stand at most once`,
    reason: 'Duplicate',
    check: (stages) => stages.filter((stage) => stage.type === type).length <= 1,
  });
}

export const trafficPolicyRules: readonly Rule[] = [
  rule({
    at: 'spec',
    cel: "!has(self.perTryTimeout) || duration(self.perTryTimeout) <= duration(has(self.timeout) ? self.timeout : '60s')",
    message: 'perTryTimeout must not be longer than timeout (60s by default)',
    field: '.perTryTimeout',
    reason: 'Invalid',
    check: ({ perTryTimeout, timeout }) =>
      perTryTimeout === undefined || milliseconds(perTryTimeout) <= milliseconds(timeout ?? '60s'),
  }),
  rule({
    at: 'spec.hedging',
    cel: exactlyOneCel('delay', 'percentile'),
    message: 'exactly one of delay, percentile is required',
    reason: 'Invalid',
    check: ({ delay, percentile }) => (delay === undefined) !== (percentile === undefined),
  }),
  rule({ at: 'spec.rateLimit.key', ...clientKeyRule }),
  owned('Auth', 'jwt'),
  owned('RateLimit', 'policyRef'),
  owned('Plugin', 'name'),
  rule({
    at: 'spec.middleware[]',
    cel: "(self.type == 'HeaderTransform') == (has(self.add) || has(self.set) || has(self.remove))",
    message: 'at least one of add, set, remove is required with type HeaderTransform; none is allowed with other types',
    reason: 'Invalid',
    check: ({ type, add, set, remove }) =>
      (type === 'HeaderTransform') === (add !== undefined || set !== undefined || remove !== undefined),
  }),
  rule({ at: 'spec.middleware[].add[]', ...lineRule }),
  rule({ at: 'spec.middleware[].set[]', ...lineRule }),
  rule({
    ...untouchable,
    at: 'spec.middleware[].remove[]',
    cel: `!(self.lowerAscii() in ${UNTOUCHABLE_CEL})`,
    check: (name) => !UNTOUCHABLE_HEADERS.includes(name.toLowerCase()),
  }),
  rule({ at: 'spec.middleware[].add', ...uniqueLinesRule }),
  rule({ at: 'spec.middleware[].set', ...uniqueLinesRule }),
  atMostOnce('RequestId'),
  atMostOnce('Tracing'),
  atMostOnce('AccessLog'),
];
