/** Rules between the fields of a ProxyRoute. */
import { limit } from '../../proxy/contract/limits.ts';
import { rulesOver, type Rule } from '../kind.ts';
import type { ProxyRouteSpec } from '../proxyRoute.ts';
import {
  codePoints,
  clientKeyRule,
  exactlyOne,
  exactlyOneCel,
  quoted,
  UNIQUE_NAMES_CEL,
  uniqueIgnoringCase,
} from './common.ts';

const rule = rulesOver<ProxyRouteSpec>();

/** RFC 3986 §3.3 path characters. */
const PATH = "^/([-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})*$";
/** Empty and dot segments, and encoded slashes: normalisation removes them, so they could never match. */
const NOT_NORMAL = '//|/([.]|%2[eE]){1,2}(/|$)|%2[fF]';
const PATH_REGEX = new RegExp(PATH);
const NOT_NORMAL_REGEX = new RegExp(NOT_NORMAL);
const REGEX_LENGTH = limit('regexLength');
const CONDITIONS = limit('conditionsPerMatch');

type Condition = { type?: 'Exact' | 'RegularExpression' | 'Present'; value?: string };

const valueRule = {
  cel: "(has(self.type) && self.type == 'Present') != has(self.value)",
  message: 'value is required, and not allowed with type Present',
  field: '.value',
  reason: 'Invalid',
  check: (condition: Condition) => (condition.type === 'Present') === (condition.value === undefined),
} as const;

const regexRule = {
  cel: `!has(self.type) || self.type != 'RegularExpression' || !has(self.value) || size(self.value) <= ${REGEX_LENGTH}`,
  message: `a regular expression has at most ${REGEX_LENGTH} characters`,
  field: '.value',
  reason: 'Invalid',
  check: ({ type, value }: Condition) => type !== 'RegularExpression' || codePoints(value ?? '') <= REGEX_LENGTH,
} as const;

const matchRules: readonly Rule[] = [
  rule({
    at: 'spec.matches[].path',
    cel: `(has(self.type) && self.type == 'RegularExpression') || self.value.matches(${quoted(PATH)})`,
    message: 'value must be a path: begins with /, and all but RFC 3986 path characters are percent-encoded',
    field: '.value',
    reason: 'Invalid',
    check: ({ type, value }) => type === 'RegularExpression' || PATH_REGEX.test(value),
  }),
  rule({
    at: 'spec.matches[].path',
    cel: `(has(self.type) && self.type == 'RegularExpression') || !self.value.matches(${quoted(NOT_NORMAL)})`,
    message: 'value must be normalised: without //, /./, /../ and %2F, which requests are not matched by',
    field: '.value',
    reason: 'Invalid',
    check: ({ type, value }) => type === 'RegularExpression' || !NOT_NORMAL_REGEX.test(value),
  }),
  rule({
    at: 'spec.matches[].path',
    cel: `!has(self.type) || self.type != 'RegularExpression' || size(self.value) <= ${REGEX_LENGTH}`,
    message: regexRule.message,
    field: '.value',
    reason: 'Invalid',
    check: ({ type, value }) => type !== 'RegularExpression' || codePoints(value) <= REGEX_LENGTH,
  }),
  rule({ at: 'spec.matches[].headers[]', ...valueRule }),
  rule({ at: 'spec.matches[].headers[]', ...regexRule }),
  rule({
    at: 'spec.matches[].headers',
    cel: UNIQUE_NAMES_CEL,
    message: 'header names must be unique, whatever their case',
    reason: 'Duplicate',
    check: (headers) => uniqueIgnoringCase(headers.map((header) => header.name)),
  }),
  rule({ at: 'spec.matches[].queryParams[]', ...valueRule }),
  rule({ at: 'spec.matches[].queryParams[]', ...regexRule }),
  rule({
    at: 'spec.matches[]',
    cel: `(has(self.headers) ? size(self.headers) : 0) + (has(self.queryParams) ? size(self.queryParams) : 0) <= ${CONDITIONS}`,
    message: `headers and queryParams have at most ${CONDITIONS} conditions together`,
    reason: 'Invalid',
    check: ({ headers, queryParams }) => (headers ?? []).length + (queryParams ?? []).length <= CONDITIONS,
  }),
];

export const proxyRouteRules: readonly Rule[] = [
  rule({
    at: 'spec',
    cel: '(has(self.hosts) && size(self.hosts) > 0) || (has(self.hostRegexes) && size(self.hostRegexes) > 0)',
    message: 'at least one of hosts, hostRegexes is required; the host * takes every host',
    field: '.hosts',
    reason: 'Required',
    check: ({ hosts, hostRegexes }) => (hosts ?? []).length + (hostRegexes ?? []).length > 0,
  }),
  ...matchRules,
  rule({
    at: 'spec',
    // CEL reserves the word namespace, so the field is escaped.
    cel:
      '!has(self.canary) || self.canary.poolRef.name != self.poolRef.name || ' +
      'has(self.canary.poolRef.__namespace__) != has(self.poolRef.__namespace__) || ' +
      '(has(self.poolRef.__namespace__) && self.canary.poolRef.__namespace__ != self.poolRef.__namespace__)',
    message: 'the canary’s poolRef must be another pool than the route’s',
    field: '.canary.poolRef',
    reason: 'Invalid',
    check: ({ canary, poolRef }) =>
      canary === undefined || canary.poolRef.name !== poolRef.name || canary.poolRef.namespace !== poolRef.namespace,
  }),
  rule({
    at: 'spec.canary.brake',
    cel: 'has(self.maxErrorRate) || has(self.maxLatencyRatio)',
    message: 'at least one of maxErrorRate, maxLatencyRatio is required',
    reason: 'Required',
    check: (brake) => brake.maxErrorRate !== undefined || brake.maxLatencyRatio !== undefined,
  }),
  rule({
    at: 'spec.cohorts',
    cel: exactlyOneCel('header', 'cookie', 'hash'),
    message: 'exactly one of header, cookie, hash is required',
    reason: 'Invalid',
    check: ({ header, cookie, hash }) => exactlyOne(header !== undefined, cookie !== undefined, hash !== undefined),
  }),
  rule({ at: 'spec.cohorts.hash', ...clientKeyRule }),
  rule({
    at: 'spec.overload',
    cel: '!has(self.queueTimeout) || (has(self.queueSize) && self.queueSize > 0)',
    message: 'queueTimeout needs a queueSize above 0',
    field: '.queueTimeout',
    reason: 'Invalid',
    check: ({ queueTimeout, queueSize }) => queueTimeout === undefined || (queueSize ?? 0) > 0,
  }),
  rule({
    at: 'spec.cache',
    cel: "!has(self.varyHeaders) || !self.varyHeaders.exists(name, name.lowerAscii() == 'authorization') || (has(self.authAware) && self.authAware)",
    message: 'varyHeaders may hold Authorization only where authAware is true',
    field: '.varyHeaders',
    reason: 'Invalid',
    check: ({ varyHeaders, authAware }) =>
      authAware === true || !(varyHeaders ?? []).some((name) => name.toLowerCase() === 'authorization'),
  }),
  rule({
    at: 'spec.cache',
    cel: '!has(self.coalesceTimeout) || (has(self.coalesce) && self.coalesce)',
    message: 'coalesceTimeout needs coalesce: true',
    field: '.coalesceTimeout',
    reason: 'Invalid',
    check: ({ coalesceTimeout, coalesce }) => coalesceTimeout === undefined || coalesce === true,
  }),
];
