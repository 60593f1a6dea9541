/** Pieces of rules that several kinds share, each as CEL and as the same test in TypeScript. */
import { REFUSED_RANGES } from '../../proxy/contract/address.ts';
import { parseDurationMs } from '../../proxy/contract/units.ts';
import type { ClientKey, LabelSelector, Namespaces } from '../shared.ts';
import { LABEL_KEY_PATTERN } from '../shared.ts';

/** Milliseconds of a duration whose pattern was checked; `Infinity` cannot happen, and would refuse. */
export function milliseconds(text: string): number {
  const parsed = parseDurationMs(text);
  return parsed.ok ? parsed.value : Number.POSITIVE_INFINITY;
}

/** Length as CEL and JSON Schema count it. */
export function codePoints(text: string): number {
  return Array.from(text).length;
}

/** CEL text literal; the patterns of this project hold no backslash-quote pairs that JSON and CEL read differently. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Exactly one of several facts. */
export function exactlyOne(...facts: readonly boolean[]): boolean {
  return facts.filter(Boolean).length === 1;
}

export function exactlyOneCel(...fields: readonly string[]): string {
  return `[${fields.map((field) => `has(self.${field})`).join(', ')}].exists_one(given, given)`;
}

/** Whether no two texts are equal when case is ignored (ASCII, as header names are). */
export function uniqueIgnoringCase(texts: readonly string[]): boolean {
  return new Set(texts.map((text) => text.toLowerCase())).size === texts.length;
}

export const UNIQUE_NAMES_CEL =
  'self.all(one, self.exists_one(other, other.name.lowerAscii() == one.name.lowerAscii()))';

/** A header or cookie is named; an address has no name. */
export const clientKeyRule = {
  cel: "self.type == 'ClientIP' ? !has(self.name) : has(self.name)",
  message: 'name is required for Header and Cookie, and not allowed with ClientIP',
  field: '.name',
  reason: 'Invalid',
  check: (key: ClientKey) => (key.type === 'ClientIP') === (key.name === undefined),
} as const;

/** A selector is there exactly when it is asked for. */
export const namespacesRule = {
  cel: "(has(self.from) && self.from == 'Selector') == has(self.selector)",
  message: 'selector is required with from: Selector, and not allowed otherwise',
  field: '.selector',
  reason: 'Invalid',
  check: (allowed: Namespaces) => (allowed.from === 'Selector') === (allowed.selector !== undefined),
} as const;

const LABEL_KEY = new RegExp(LABEL_KEY_PATTERN);
export const matchLabelsRule = {
  cel: `self.all(key, size(key) <= 317 && key.matches(${quoted(LABEL_KEY_PATTERN)}))`,
  message: 'keys must be label keys such as team or example.com/team',
  reason: 'Invalid',
  check: (labels: NonNullable<LabelSelector['matchLabels']>) =>
    Object.keys(labels).every((key) => key.length <= 317 && LABEL_KEY.test(key)),
} as const;

export const matchExpressionRule = {
  cel: "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
  message: 'values are required for In and NotIn, and not allowed for Exists and DoesNotExist',
  field: '.values',
  reason: 'Invalid',
  check: ({ operator, values }: NonNullable<LabelSelector['matchExpressions']>[number]) =>
    (operator === 'In' || operator === 'NotIn') === (values ?? []).length > 0,
} as const;

/** CEL for the host and port of `ip:port` or `[ipv6]:port` in an expression. */
export function hostCel(address: string): string {
  return (
    `(${address}.startsWith('[') ? ${address}.substring(1, ${address}.lastIndexOf(']'))` +
    ` : ${address}.substring(0, ${address}.lastIndexOf(':')))`
  );
}

export function portCel(address: string): string {
  return `int(${address}.substring(${address}.lastIndexOf(':') + 1))`;
}

/** CEL that holds for IP addresses in none of the refused ranges, and for everything that is no IP address. */
export function allowedHostCel(host: string): string {
  // `isIP` is false for IPv4-mapped addresses already, and `cidr` fails on them.
  const ranges = REFUSED_RANGES.filter((range) => !range.cidr.startsWith('::ffff:')).map(({ cidr }) => `'${cidr}'`);
  return `!isIP(${host}) || ip(${host}).isLoopback() || ![${ranges.join(', ')}].exists(range, cidr(range).containsIP(${host}))`;
}
