/**
 * Endpoints of Services, from EndpointSlices: data that goes straight to the pool registries, never through a bundle or
 * a rollout. The same book is filled from a folder and from the API server.
 */
import { Ajv } from 'ajv';
import Type, { type Static } from 'typebox';
import type { EndpointPlan } from '../compiler/plan.ts';
import { parseEndpointAddress } from '../contract/address.ts';
import { limit } from '../contract/limits.ts';

const name = () => Type.String({ minLength: 1, maxLength: limit('idLength') });
const nullable = <T extends Type.TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]));

/** The part of discovery.k8s.io/v1 EndpointSlice that is read. */
const sliceSchema = Type.Object({
  apiVersion: Type.Literal('discovery.k8s.io/v1'),
  kind: Type.Literal('EndpointSlice'),
  metadata: Type.Object({
    name: name(),
    namespace: Type.Optional(name()),
    labels: Type.Optional(Type.Record(Type.String(), Type.String({ maxLength: 63 }))),
  }),
  addressType: Type.Enum(['IPv4', 'IPv6', 'FQDN']),
  endpoints: nullable(
    Type.Array(
      Type.Object({
        addresses: Type.Array(Type.String({ maxLength: 253 }), { minItems: 1, maxItems: 100 }),
        conditions: Type.Optional(
          Type.Object({
            ready: nullable(Type.Boolean()),
            serving: nullable(Type.Boolean()),
            terminating: nullable(Type.Boolean()),
          }),
        ),
      }),
      { maxItems: 1000 },
    ),
  ),
  ports: nullable(
    Type.Array(
      Type.Object({
        name: nullable(Type.String({ maxLength: 63 })),
        port: nullable(Type.Integer({ minimum: 1, maximum: 65_535 })),
        protocol: nullable(Type.String({ maxLength: 16 })),
      }),
      { maxItems: 100 },
    ),
  ),
});
export type EndpointSlice = Static<typeof sliceSchema>;

const isSlice = new Ajv({ strict: false }).compile<EndpointSlice>(sliceSchema);

/** Checks an outside value; what is no EndpointSlice is refused whole. */
export function readEndpointSlice(value: unknown): EndpointSlice | undefined {
  return isSlice(value) ? value : undefined;
}

const SERVICE_LABEL = 'kubernetes.io/service-name';
const DEFAULT_WEIGHT = 100;

export class EndpointBook {
  readonly #byService = new Map<string, Map<string, EndpointSlice>>();

  /** Replaces everything: the result of a list. */
  replaceAll(slices: Iterable<EndpointSlice>): void {
    this.#byService.clear();
    for (const slice of slices) this.set(slice);
  }

  set(slice: EndpointSlice): void {
    const key = serviceKey(slice);
    if (key === undefined) return;
    const slices = this.#byService.get(key) ?? new Map<string, EndpointSlice>();
    slices.set(slice.metadata.name, slice);
    this.#byService.set(key, slices);
  }

  delete(slice: EndpointSlice): void {
    const key = serviceKey(slice);
    if (key !== undefined) this.#byService.get(key)?.delete(slice.metadata.name);
  }

  /**
   * Endpoints of a Service’s port: the ready ones, or, when none is ready, those that still serve while they terminate.
   * Undefined when the book has no slice of the Service.
   */
  resolve(namespace: string, service: string, port: string): EndpointPlan[] | undefined {
    const slices = this.#byService.get(`${namespace}/${service}`);
    if (slices === undefined || slices.size === 0) return undefined;
    const ready = new Map<string, EndpointPlan>();
    const terminating = new Map<string, EndpointPlan>();
    for (const slice of slices.values()) {
      const number = portNumber(slice, port);
      if (number === undefined) continue;
      for (const endpoint of slice.endpoints ?? []) {
        const { ready: isReady, serving, terminating: isTerminating } = endpoint.conditions ?? {};
        const into =
          isReady !== false && isTerminating !== true
            ? ready
            : serving !== false && isTerminating === true
              ? terminating
              : undefined;
        if (into !== undefined) addAddresses(into, endpoint.addresses, number, slice.addressType);
      }
    }
    const usable = ready.size > 0 ? ready : terminating;
    return [...usable.values()].sort((a, b) => (a.address < b.address ? -1 : 1)).slice(0, limit('endpointsPerPool'));
  }
}

function serviceKey(slice: EndpointSlice): string | undefined {
  const service = slice.metadata.labels?.[SERVICE_LABEL];
  return service === undefined ? undefined : `${slice.metadata.namespace ?? 'default'}/${service}`;
}

/** Slices name ports as the Service does; a Service with a single unnamed port is met by any name. */
function portNumber(slice: EndpointSlice, port: string): number | undefined {
  const tcp = (slice.ports ?? []).filter((p) => (p.protocol ?? 'TCP') === 'TCP');
  const named = tcp.find((p) => (p.name ?? '') === port);
  const only = tcp.length === 1 && (tcp[0]?.name ?? '') === '' ? tcp[0] : undefined;
  return (named ?? only)?.port ?? undefined;
}

function addAddresses(
  into: Map<string, EndpointPlan>,
  addresses: readonly string[],
  port: number,
  type: EndpointSlice['addressType'],
): void {
  // Only the first address counts (as kube-proxy reads it); FQDN slices are not followed, they could point anywhere.
  const host = addresses[0];
  if (host === undefined || type === 'FQDN') return;
  const address = type === 'IPv6' ? `[${host}]:${port}` : `${host}:${port}`;
  // A tenant can write slices: link-local and metadata addresses stay out (reliability list, 51).
  const parsed = parseEndpointAddress(address);
  if (!parsed.ok || parsed.value.isName) return;
  into.set(address, { address, host, port, weight: DEFAULT_WEIGHT });
}
