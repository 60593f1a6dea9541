/** The hosts of a route: what their text means, and which of them another covers. */
import { isIPv6 } from 'node:net';
import { isHostname, normalizeHost } from '../contract/host.ts';
import type { FindingReason } from '../contract/finding.ts';
import { fail, ok, type Result } from '../contract/result.ts';
import type { HostPlan } from './plan.ts';
import { compileRegex, hostRegex } from './regex.ts';

interface HostProblem {
  readonly reason: FindingReason;
  readonly message: string;
}

/**
 * Reads a host as routes name it: a hostname or IP address, a wildcard `*.example.com`, `*`, or a regular expression
 * over the whole host where it is none of these and can be meant as one.
 */
export function hostPlan(text: string): Result<HostPlan, HostProblem> {
  if (text === '*') return ok({ kind: 'any' });
  const lower = text.toLowerCase();
  const bare = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  if (isHostname(bare)) return ok({ kind: 'exact', host: bare });
  if (bare.startsWith('*.') && isHostname(bare.slice(2))) return ok({ kind: 'wildcard', suffix: bare.slice(1) });
  const address = isIPv6(lower) ? normalizeHost(`[${lower}]`) : ipv6InBrackets(lower);
  if (address !== undefined) return ok({ kind: 'exact', host: address });
  return regexPlan(text);
}

/** `[::1]` is an address, although it could be read as a character class. */
function ipv6InBrackets(text: string): string | undefined {
  return text.endsWith(']') ? normalizeHost(text) : undefined;
}

function regexPlan(text: string): Result<HostPlan, HostProblem> {
  const refused = (reason: FindingReason, message: string) => fail({ reason, message });
  if (/^[A-Za-z0-9_.*-]+:[0-9]*$/.test(text)) return refused('Invalid', 'must be a host without port');
  // No host has these, so as a regular expression it would never match: it is a slip of the pen.
  if (/[\s/@#]/.test(text)) return refused('Invalid', 'must be a host: no scheme, path or space');
  if (/^[A-Za-z0-9_.-]+$/.test(text))
    return refused('Invalid', 'is not a valid hostname (RFC 1123), and has nothing of a regular expression');
  // By itself first, so that the error shows what was written.
  const alone = compileRegex(text);
  const regex = alone.ok ? compileRegex(hostRegex(text)) : alone;
  if (!regex.ok)
    return refused('UnsafeRegex', `is neither hostname nor wildcard, and no usable regular expression: ${regex.error}`);
  return ok({ kind: 'regex', source: text });
}

/** Every request whose host fits `narrow` also fits one of `wide`, as far as can be told without comparing regexes. */
export function covers(wide: readonly HostPlan[], narrow: HostPlan): boolean {
  return wide.some((host) => coversOne(host, narrow));
}

function coversOne(wide: HostPlan, narrow: HostPlan): boolean {
  switch (wide.kind) {
    case 'any':
      return true;
    case 'exact':
      return narrow.kind === 'exact' && narrow.host === wide.host;
    case 'wildcard':
      if (narrow.kind === 'exact') return narrow.host.endsWith(wide.suffix);
      return narrow.kind === 'wildcard' && narrow.suffix.endsWith(wide.suffix);
    case 'regex': {
      if (narrow.kind === 'regex') return narrow.source === wide.source;
      const regex = compileRegex(hostRegex(wide.source));
      return narrow.kind === 'exact' && regex.ok && regex.value.test(narrow.host);
    }
  }
}

/** A text that two hosts share only if they are the same. */
export function hostKey(host: HostPlan): string {
  switch (host.kind) {
    case 'any':
      return '*';
    case 'exact':
      return host.host;
    case 'wildcard':
      return `*${host.suffix}`;
    case 'regex':
      return `~${host.source}`;
  }
}
