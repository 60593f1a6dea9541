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

/** The part of a v1 Service that is read: which port number has which name. */
const serviceSchema = Type.Object({
  apiVersion: Type.Literal('v1'),
  kind: Type.Literal('Service'),
  metadata: Type.Object({ name: name(), namespace: Type.Optional(name()) }),
  spec: Type.Object({
    ports: nullable(
      Type.Array(
        Type.Object({
          name: nullable(Type.String({ maxLength: 63 })),
          port: Type.Integer({ minimum: 1, maximum: 65_535 }),
        }),
        { maxItems: 100 },
      ),
    ),
  }),
});
export type Service = Static<typeof serviceSchema>;

const isService = new Ajv({ strict: false }).compile<Service>(serviceSchema);
const isSlice = new Ajv({ strict: false }).compile<EndpointSlice>(sliceSchema);

/** Checks an outside value; what is no EndpointSlice is refused whole. */
export function readEndpointSlice(value: unknown): EndpointSlice | undefined {
  return isSlice(value) ? value : undefined;
}

/** Checks an outside value, as `readEndpointSlice` does. */
export function readService(value: unknown): Service | undefined {
  return isService(value) ? value : undefined;
}

const SERVICE_LABEL = 'kubernetes.io/service-name';
const DEFAULT_WEIGHT = 100;

export class EndpointBook {
  readonly #byService = new Map<string, Map<string, EndpointSlice>>();

  readonly #services = new Map<string, Service>();

  /** Replaces everything: the result of a list. */
  replaceAll(objects: Iterable<EndpointSlice | Service>): void {
    this.#byService.clear();
    this.#services.clear();
    for (const object of objects) {
      if (object.kind === 'Service') this.setService(object);
      else this.set(object);
    }
  }

  setService(service: Service): void {
    this.#services.set(`${service.metadata.namespace ?? 'default'}/${service.metadata.name}`, service);
  }

  deleteService(service: Service): void {
    this.#services.delete(`${service.metadata.namespace ?? 'default'}/${service.metadata.name}`);
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
   *
   * @param port name of the Service’s port, or its number, which the Service itself translates
   */
  resolve(namespace: string, service: string, port: string): EndpointPlan[] | undefined {
    const slices = this.#byService.get(`${namespace}/${service}`);
    if (slices === undefined || slices.size === 0) return undefined;
    const portName = this.#portName(`${namespace}/${service}`, port);
    const ready = new Map<string, EndpointPlan>();
    const terminating = new Map<string, EndpointPlan>();
    for (const slice of slices.values()) {
      const number = portNumber(slice, portName);
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

  /**
   * Slices name ports as the Service does, and know nothing of its numbers. While the Service is away (a file that is
   * being saved, a watch that is behind) endpoints that have one port only are not lost for it.
   */
  #portName(key: string, port: string): string {
    if (!/^[0-9]+$/.test(port)) return port;
    const service = this.#services.get(key);
    if (service !== undefined) return service.spec.ports?.find((p) => p.port === Number(port))?.name ?? '';
    const names = new Set(
      [...(this.#byService.get(key)?.values() ?? [])].flatMap(({ ports }) => (ports ?? []).map((p) => p.name ?? '')),
    );
    const [only = port] = names.size === 1 ? names : [];
    return only;
  }
}

function serviceKey(slice: EndpointSlice): string | undefined {
  const service = slice.metadata.labels?.[SERVICE_LABEL];
  return service === undefined ? undefined : `${slice.metadata.namespace ?? 'default'}/${service}`;
}

/** Slices name ports as the Service does; a Service with a single port may leave it unnamed. */
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
