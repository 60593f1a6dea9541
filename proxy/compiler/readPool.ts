/** A pool of the document as a plan: addresses checked, defaults filled in. */
import { parseEndpointAddress } from '../contract/address.ts';
import type { EndpointDoc, PoolDoc } from '../contract/document/pools.ts';
import { limit } from '../contract/limits.ts';
import { readTimeout } from './amounts.ts';
import type { ConnectionsPlan, EndpointPlan, PoolPlan } from './plan.ts';
import { at, quote, type Problems } from './problem.ts';

const DEFAULT_WEIGHT = 100;
const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** The plan of a schema-checked pool, without its owner. What is wrong goes to `problems`. */
export function readPool(pool: PoolDoc, problems: Problems): Omit<PoolPlan, 'object'> {
  return { id: pool.id, endpoints: readEndpoints(pool, problems), connections: readConnections(pool, problems) };
}

function readEndpoints(pool: PoolDoc, problems: Problems): PoolPlan['endpoints'] {
  const { endpoints, service } = pool;
  if (endpoints !== undefined && service !== undefined)
    problems.error('', 'Invalid', 'must have one of endpoints and service, not both');
  if (service !== undefined) {
    for (const field of ['namespace', 'name'] as const) {
      if (!LABEL.test(service[field]))
        problems.error(at('.service', field), 'Invalid', 'must be a Kubernetes name: a-z, 0-9 and “-”');
    }
    return { kind: 'service', namespace: service.namespace, name: service.name, port: String(service.port) };
  }
  if (endpoints === undefined) problems.error('', 'Required', 'must have one of endpoints and service');
  const seen = new Set<string>();
  const list = (endpoints ?? []).flatMap((endpoint, i) => {
    const path = at('.endpoints', i);
    const plan = readEndpoint(endpoint, path, problems);
    if (plan === undefined) return [];
    const key = `${plan.host} ${plan.port}`;
    if (seen.has(key)) problems.error(path, 'Duplicate', 'is the same address as an endpoint before it');
    seen.add(key);
    return [plan];
  });
  if (endpoints !== undefined && list.every((endpoint) => endpoint.weight === 0))
    problems.warning('.endpoints', 'NoEndpoints', 'no endpoint takes requests, so its routes answer 503');
  return { kind: 'static', list };
}

function readEndpoint(endpoint: EndpointDoc, path: string, problems: Problems): EndpointPlan | undefined {
  const { address, weight = DEFAULT_WEIGHT } = endpoint;
  const parsed = parseEndpointAddress(address);
  if (parsed.ok) return { address, host: parsed.value.host, port: parsed.value.port, weight };
  problems.error(`${path}.address`, parsed.error.reason, `${quote(address)} ${parsed.error.message}`);
  return undefined;
}

function readConnections(pool: PoolDoc, problems: Problems): ConnectionsPlan {
  const { max, max_pending, max_requests, connect_timeout, idle_timeout } = pool.connections ?? {};
  const path = '.connections';
  return {
    max: max ?? limit('upstreamConnectionsPerEndpoint'),
    maxPending: max_pending ?? limit('upstreamPending'),
    maxRequests: max_requests ?? 0,
    connectTimeoutMs: readTimeout(connect_timeout, limit('connectTimeoutMs'), `${path}.connect_timeout`, problems),
    idleTimeoutMs: readTimeout(idle_timeout, limit('upstreamIdleTimeoutMs'), `${path}.idle_timeout`, problems),
  };
}
