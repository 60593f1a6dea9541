/** Brings the endpoints of Services to the threads: for the services that the running (or next) plan names. */
import type { EndpointPlan, Plan } from '../compiler/plan.ts';
import { limit } from '../contract/limits.ts';
import type { ServiceEndpoints } from './messages.ts';

export interface EndpointFeedOptions {
  /** Undefined: no slice of the Service is known. */
  readonly resolve: (namespace: string, name: string, port: string) => readonly EndpointPlan[] | undefined;
  readonly send: (list: readonly ServiceEndpoints[]) => void;
  /** Resolves at the next change of any endpoint, or after the time. */
  readonly nextChange: (timeoutMs: number) => Promise<void>;
  readonly now: () => number;
}

export class EndpointFeed {
  readonly #options: EndpointFeedOptions;
  /** What the threads have, by `namespace/name:port`. */
  readonly #sent = new Map<string, ServiceEndpoints>();

  constructor(options: EndpointFeedOptions) {
    this.#options = options;
  }

  /** What a new thread is given. */
  get current(): readonly ServiceEndpoints[] {
    return [...this.#sent.values()];
  }

  /**
   * Before a swap: hands the threads what is known of the plan’s services, waiting a bounded time for new ones that are
   * not known yet. What the running plan names stays until `settled`.
   */
  async provide(plan: Plan): Promise<void> {
    const { now, nextChange } = this.#options;
    const deadlineMs = now() + limit('dataWaitMs');
    // A service that was unknown before is not waited for again: it would delay every later change.
    const fresh = new Set(
      servicesOf(plan)
        .map(keyOf)
        .filter((key) => !this.#sent.has(key)),
    );
    this.update(plan);
    while ([...fresh].some((key) => this.#sent.get(key)?.endpoints === null) && now() < deadlineMs) {
      await nextChange(deadlineMs - now());
      this.update(plan);
    }
  }

  /**
   * Endpoints changed, or a plan is about to: sends what differs from what was sent.
   */
  update(plan: Plan): void {
    const services = servicesOf(plan).map((service) => ({
      ...service,
      endpoints: this.#options.resolve(service.namespace, service.name, service.port) ?? null,
    }));
    const changed = services.filter((service) => {
      const sent = this.#sent.get(keyOf(service));
      return sent === undefined || JSON.stringify(sent.endpoints) !== JSON.stringify(service.endpoints);
    });
    for (const service of changed) this.#sent.set(keyOf(service), service);
    if (changed.length > 0) this.#options.send(changed);
  }

  /** After a swap: what the plan no longer names is taken from the threads. */
  settled(plan: Plan): void {
    const named = new Set(servicesOf(plan).map(keyOf));
    const gone = [...this.#sent.values()].filter((service) => !named.has(keyOf(service)));
    for (const service of gone) this.#sent.delete(keyOf(service));
    if (gone.length > 0) this.#options.send(gone.map((service) => ({ ...service, endpoints: null })));
  }

  /** Number of endpoints by pool, for the gauge. */
  counts(plan: Plan): Map<string, number> {
    return new Map(
      [...plan.pools.values()].map(({ id, endpoints }) => {
        if (endpoints.kind === 'static') return [id, endpoints.list.length];
        return [id, this.#options.resolve(endpoints.namespace, endpoints.name, endpoints.port)?.length ?? 0];
      }),
    );
  }
}

type ServiceName = Pick<ServiceEndpoints, 'namespace' | 'name' | 'port'>;

function servicesOf(plan: Plan): ServiceName[] {
  const services = [...plan.pools.values()].flatMap(({ endpoints }) =>
    endpoints.kind === 'service' ? [endpoints] : [],
  );
  return services.map(({ namespace, name, port }) => ({ namespace, name, port }));
}

function keyOf(service: ServiceName): string {
  return `${service.namespace}/${service.name}:${service.port}`;
}
