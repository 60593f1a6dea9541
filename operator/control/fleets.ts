/** One controller for each fleet that there is: from the objects of the moment to the inputs of their loops. */
import { errorAt, type Finding } from '../../proxy/contract/finding.ts';
import { limit } from '../../proxy/contract/limits.ts';
import type { ObjectSet } from '../objects/objectSet.ts';
import { objectId, OWN_KINDS } from '../objects/objects.ts';
import { rolloutSpecOf } from '../rollout/spec.ts';
import type { RolloutSpec } from '../rollout/types.ts';
import { translateAll } from '../translate/translate.ts';
import type { FleetController } from './fleetController.ts';

export interface FleetsOptions {
  /** `onFinished` is for the controller to call when nothing is left to do for a fleet that is gone. */
  readonly makeController: (fleet: string, onFinished: () => void) => FleetController;
  /** The fleet is no longer run. */
  readonly onRemoved: (fleet: string) => void;
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
    const isThere = (fleet: string) => objects.ProxyRollout.has(fleet) || !objects.complete;
    for (const fleet of this.#specs.keys()) if (!isThere(fleet)) this.#specs.delete(fleet);
    const tooMany = new Set<string>();
    for (const [fleet, { object }] of objects.ProxyRollout) {
      const { namespace, name } = object.metadata;
      const spec = world.translations.get(objectId('ProxyRollout', namespace, name))?.rolloutSpec ?? null;
      if (spec !== null) this.#specs.set(fleet, rolloutSpecOf(spec));
      if (!this.#ensure(fleet)) tooMany.add(objectId('ProxyRollout', namespace, name));
    }
    for (const [fleet, controller] of this.#controllers) {
      controller.setInput({ world, spec: this.#specs.get(fleet) ?? null });
    }
    return OWN_KINDS.flatMap((kind) =>
      [...objects[kind].values()].flatMap(({ object, source }) => {
        const id = objectId(kind, object.metadata.namespace, object.metadata.name);
        const found = [...(world.translations.get(id)?.findings ?? [])];
        const most = limit('fleets');
        if (tooMany.has(id)) found.push(errorAt(id, '', 'TooLarge', `more than ${most} fleets; this one is not run`));
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

  /** @returns false where there are too many */
  #ensure(fleet: string): boolean {
    // A fleet whose spec was never valid has nothing to be run by; its findings say why.
    if (this.#controllers.has(fleet) || !this.#specs.has(fleet)) return true;
    if (this.#controllers.size >= limit('fleets')) return false;
    const controller = this.#options.makeController(fleet, () => this.#remove(fleet, controller));
    this.#controllers.set(fleet, controller);
    controller.start();
    return true;
  }

  #remove(fleet: string, controller: FleetController): void {
    // It may have come back meanwhile.
    if (this.#specs.has(fleet) || this.#controllers.get(fleet) !== controller) return;
    this.#controllers.delete(fleet);
    // Called from its own loop, which ends with this round.
    void controller.stop();
    this.#options.onRemoved(fleet);
  }
}
