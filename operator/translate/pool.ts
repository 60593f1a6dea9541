/** UpstreamPool → a pool of the document. */
import type { UpstreamPoolSpec } from '../../crds/upstreamPool.ts';
import type { Entry } from '../../proxy/contract/document/entries.ts';
import type { PoolDoc } from '../../proxy/contract/document/pools.ts';
import { warningAt, type Finding } from '../../proxy/contract/finding.ts';
import { objectId, objectKey, type Meta } from '../objects/objects.ts';
import { referenceTo, whenSome } from './parts.ts';
import type { Reference } from './types.ts';

const PROTOCOLS = { HTTP1: 'http1', HTTP2: 'http2', H2C: 'h2c' } as const;
const BALANCERS = {
  WeightedRoundRobin: 'weighted_round_robin',
  LeastRequest: 'least_request',
  ConsistentHash: 'consistent_hash',
  Random: 'random',
} as const;

/** Entries of a pool whose spec was checked, and asks for nothing that is not implemented. */
export function poolEntries(meta: Meta, spec: UpstreamPoolSpec): Entry[] {
  const id = objectKey(meta.namespace, meta.name);
  const { serviceRef, endpoints, protocol, balancer } = spec;
  const connections = connectionsDoc(spec.connections);
  const value: PoolDoc = {
    id,
    ...(serviceRef === undefined
      ? {}
      : { service: { namespace: meta.namespace, name: serviceRef.name, port: String(serviceRef.port) } }),
    ...(endpoints === undefined ? {} : { endpoints }),
    ...(protocol === undefined ? {} : { protocol: PROTOCOLS[protocol] }),
    ...(balancer?.type === undefined ? {} : { balancer: BALANCERS[balancer.type] }),
    ...(connections === undefined ? {} : { connections }),
  };
  return [{ section: 'pools', id, object: objectId('UpstreamPool', meta.namespace, meta.name), value }];
}

/** A pool that nobody can be sent to is no mistake (it may be filled later), but its routes answer 503. */
export function findNoEndpoints(id: string, { endpoints }: UpstreamPoolSpec): Finding[] {
  if (endpoints === undefined || endpoints.some(({ weight }) => weight !== 0)) return [];
  return [warningAt(id, 'spec.endpoints', 'NoEndpoints', 'no endpoint takes requests, so its routes answer 503')];
}

export function poolReferences(meta: Meta, { serviceRef }: UpstreamPoolSpec): Reference[] {
  if (serviceRef === undefined) return [];
  return [referenceTo('spec.serviceRef', 'Service', meta.namespace, serviceRef.name, serviceRef.port)];
}

function connectionsDoc(spec: UpstreamPoolSpec['connections'] = {}): PoolDoc['connections'] {
  return whenSome({
    ...(spec.max === undefined ? {} : { max: spec.max }),
    ...(spec.maxPending === undefined ? {} : { max_pending: spec.maxPending }),
    ...(spec.maxRequests === undefined ? {} : { max_requests: spec.maxRequests }),
    ...(spec.connectTimeout === undefined ? {} : { connect_timeout: spec.connectTimeout }),
    ...(spec.idleTimeout === undefined ? {} : { idle_timeout: spec.idleTimeout }),
  });
}
