/** TrafficPolicy → a policy of the document. */
import type { TrafficPolicySpec } from '../../crds/trafficPolicy.ts';
import type { Entry } from '../../proxy/contract/document/entries.ts';
import { objectId, objectKey, type Meta } from '../objects/objects.ts';

/** Entries of a policy whose spec was checked, and asks for nothing that is not implemented. */
export function policyEntries(meta: Meta, spec: TrafficPolicySpec): Entry[] {
  const id = objectKey(meta.namespace, meta.name);
  const value = {
    id,
    ...(spec.timeout === undefined ? {} : { timeout: spec.timeout }),
    ...(spec.bodySizeLimit === undefined ? {} : { body_size_limit: spec.bodySizeLimit }),
  };
  return [{ section: 'policies', id, object: objectId('TrafficPolicy', meta.namespace, meta.name), value }];
}
