/** The users' expressions of a route, checked by the very compiler that the proxies use. */
import type { ProxyRouteSpec } from '../../crds/proxyRoute.ts';
import { hostPlan } from '../../proxy/compiler/hosts.ts';
import { compileRegex } from '../../proxy/compiler/regex.ts';
import { errorAt, type Finding } from '../../proxy/contract/finding.ts';
import { hostRegex } from './route.ts';

/** Findings for expressions that are malformed, over a limit, or not RE2. */
export function findUnsafeRegexes(id: string, spec: ProxyRouteSpec): Finding[] {
  const findings: Finding[] = [];
  const check = (path: string, source: string) => {
    const compiled = compileRegex(source);
    if (!compiled.ok) findings.push(errorAt(id, path, 'UnsafeRegex', compiled.error));
  };
  for (const [i, source] of (spec.hostRegexes ?? []).entries()) {
    const plan = hostPlan(hostRegex(source));
    if (!plan.ok) findings.push(errorAt(id, `spec.hostRegexes[${i}]`, plan.error.reason, plan.error.message));
  }
  for (const [i, { path, headers = [], queryParams = [] }] of (spec.matches ?? []).entries()) {
    const at = `spec.matches[${i}]`;
    if (path?.type === 'RegularExpression') check(`${at}.path.value`, path.value);
    for (const [field, conditions] of [['headers', headers] as const, ['queryParams', queryParams] as const]) {
      for (const [j, { type, value }] of conditions.entries()) {
        if (type === 'RegularExpression') check(`${at}.${field}[${j}].value`, value ?? '');
      }
    }
  }
  return findings;
}
