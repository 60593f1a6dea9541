/** One controller for each fleet that there is: from the objects of the moment to the inputs of their loops. */
import type { Finding } from '../../proxy/contract/finding.ts';
import { limit } from '../../proxy/contract/limits.ts';
import type { Logger } from '../../proxy/observability/logger.ts';
import type { ObjectSet } from '../objects/objectSet.ts';
import { objectId, OWN_KINDS } from '../objects/objects.ts';
import { rolloutSpecOf } from '../rollout/spec.ts';
import type { RolloutSpec } from '../rollout/types.ts';
import { translateAll } from '../translate/translate.ts';
import type { FleetController } from './fleetController.ts';

export interface FleetsOptions {
  readonly makeController: (fleet: string) => FleetController;
  readonly logger: Logger;
}

export class Fleets {
  readonly #options: FleetsOptions;
  readonly #controllers = new Map<string, FleetController>();
  /** The last accepted spec of each: one that became invalid does not stop its fleet. */
  readonly #specs = new Map<string, RolloutSpec>();

  constructor(options: FleetsOptions) {
    this.#options = options;
  }

  /** @returns findings of the objects by themselves, with their sources */
  setObjects(objects: ObjectSet): Finding[] {
    const world = { objects, translations: translateAll(objects) };
    for (const [fleet, { object }] of objects.ProxyRollout) {
      const { namespace, name } = object.metadata;
      const spec = world.translations.get(objectId('ProxyRollout', namespace, name))?.rolloutSpec ?? null;
      if (spec !== null) this.#specs.set(fleet, rolloutSpecOf(spec));
      this.#ensure(fleet);
    }
    for (const [fleet, controller] of this.#controllers) {
      const isThere = objects.ProxyRollout.has(fleet) || !objects.complete;
      if (!isThere) this.#specs.delete(fleet);
      controller.setInput({ world, spec: this.#specs.get(fleet) ?? null });
    }
    return OWN_KINDS.flatMap((kind) =>
      [...objects[kind].values()].flatMap(({ object, source }) => {
        const id = objectId(kind, object.metadata.namespace, object.metadata.name);
        const found = world.translations.get(id)?.findings ?? [];
        return source === '' ? found : found.map((finding) => ({ ...finding, source }));
      }),
    );
  }

  /** Something that all fleets look at has changed. */
  wakeAll(): void {
    for (const controller of this.#controllers.values()) controller.wake();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#controllers.values()].map((controller) => controller.stop()));
  }

  #ensure(fleet: string): void {
    // A fleet whose spec was never valid has nothing to be run by; its findings say why.
    if (this.#controllers.has(fleet) || !this.#specs.has(fleet)) return;
    if (this.#controllers.size >= limit('fleets')) {
      this.#options.logger.error({ fleet, most: limit('fleets') }, 'too many fleets; this one is not run');
      return;
    }
    const controller = this.#options.makeController(fleet);
    this.#controllers.set(fleet, controller);
    controller.start();
  }
}
