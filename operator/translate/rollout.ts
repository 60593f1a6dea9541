/** ProxyRollout → the fleet's settings in the document, and who may use the fleet. Its strategy is in no bundle. */
import { conform } from '../../crds/conform.ts';
import { KINDS } from '../../crds/kinds.ts';
import type { FleetSpec, ProxyRolloutSpec } from '../../crds/proxyRollout.ts';
import type { Entry } from '../../proxy/contract/document/entries.ts';
import type { AccessLogDoc, HttpDoc, MetricsDoc } from '../../proxy/contract/document/fleet.ts';
import type { Finding } from '../../proxy/contract/finding.ts';
import { objectId, objectKey, type Meta } from '../objects/objects.ts';
import { referenceTo, whenSome } from './parts.ts';
import type { FleetRules, Reference } from './types.ts';

/** Entries of a fleet whose spec was checked, and asks for nothing that is not implemented. */
export function rolloutEntries(meta: Meta, { fleet = {} }: ProxyRolloutSpec): Entry[] {
  const object = objectId('ProxyRollout', meta.namespace, meta.name);
  const entries: Entry[] = [];
  const http = httpDoc(fleet.http);
  if (http !== undefined) entries.push({ section: 'http', id: '-', object, value: http });
  const metrics = metricsDoc(meta.namespace, fleet.metrics);
  if (metrics !== undefined) entries.push({ section: 'metrics', id: '-', object, value: metrics });
  const accessLog = accessLogDoc(fleet.accessLog);
  if (accessLog !== undefined) entries.push({ section: 'access_log', id: '-', object, value: accessLog });
  return entries;
}

export function rolloutReferences(meta: Meta, { fleet }: ProxyRolloutSpec): Reference[] {
  const ref = fleet?.metrics?.tokenSecretRef;
  if (ref === undefined) return [];
  return [referenceTo('spec.fleet.metrics.tokenSecretRef', 'Secret', meta.namespace, ref.name)];
}

/** Fields that decide who may use the fleet, and those above them. */
const RULE_PATH = /^($|metadata|spec($|\.fleet($|\.(allowedNamespaces|hostClaims)\b)))/;

/** The rules of a fleet: also of one that is refused, as long as the fault is elsewhere. */
export function fleetRules(spec: unknown, findings: readonly Finding[]): FleetRules | null {
  if (findings.some((finding) => finding.severity === 'error' && RULE_PATH.test(finding.path))) return null;
  // The copy is without nulls, and nothing was found in these fields, so they are of their schema.
  const copy = conform(KINDS.ProxyRollout.spec, spec ?? {});
  const { fleet } = copy as { fleet?: Pick<FleetSpec, 'allowedNamespaces' | 'hostClaims'> };
  return { allowedNamespaces: fleet?.allowedNamespaces ?? {}, hostClaims: fleet?.hostClaims ?? [] };
}

function httpDoc(spec: FleetSpec['http'] = {}): HttpDoc | undefined {
  const { timeouts = {}, limits = {}, trustedProxies = [] } = spec;
  return whenSome({
    ...(timeouts.headers === undefined ? {} : { headers_timeout: timeouts.headers }),
    ...(timeouts.bodyIdle === undefined ? {} : { body_idle_timeout: timeouts.bodyIdle }),
    ...(timeouts.keepAlive === undefined ? {} : { keep_alive_timeout: timeouts.keepAlive }),
    ...(limits.headerSize === undefined ? {} : { max_header_size: limits.headerSize }),
    ...(limits.headerCount === undefined ? {} : { max_headers: limits.headerCount }),
    ...(limits.bodySize === undefined ? {} : { max_body_size: limits.bodySize }),
    ...(limits.connections === undefined ? {} : { max_connections: limits.connections }),
    ...(trustedProxies.length === 0 ? {} : { trusted_proxies: [...trustedProxies].sort() }),
  });
}

function metricsDoc(namespace: string, spec: FleetSpec['metrics'] = {}): MetricsDoc | undefined {
  return whenSome({
    ...(spec.enabled === undefined ? {} : { enabled: spec.enabled }),
    ...(spec.path === undefined ? {} : { path: spec.path }),
    ...(spec.requireToken === undefined ? {} : { require_token: spec.requireToken }),
    ...(spec.tokenSecretRef === undefined ? {} : { token_secret: objectKey(namespace, spec.tokenSecretRef.name) }),
    ...(spec.maxSeries === undefined ? {} : { max_series: spec.maxSeries }),
  });
}

function accessLogDoc(spec: FleetSpec['accessLog'] = {}): AccessLogDoc | undefined {
  const { sampling, redact = [] } = spec;
  return whenSome({
    // A checked percentage is a number and a percent sign.
    ...(sampling === undefined ? {} : { sampling: Number(sampling.slice(0, -1)) }),
    ...(redact.length === 0 ? {} : { redact: [...redact].sort() }),
  });
}
