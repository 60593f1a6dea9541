/** Writes the status of a fleet’s objects, and of its ProxyRollout, where it changed. */
import type { ProxyRolloutStatus } from '../../crds/proxyRollout.ts';
import type { FragmentStatus } from '../../crds/shared.ts';
import type { ObjectVerdict } from '../assemble/types.ts';
import { objectId, splitObjectId } from '../objects/objects.ts';
import { fragmentStatusOf } from '../status/conditions.ts';
import { rolloutStatus } from '../status/rolloutStatus.ts';
import type { StatusSink } from '../status/statusFolder.ts';
import type { FleetReport } from './fleetController.ts';

export interface ReporterOptions {
  /** Undefined: nobody reads it. */
  readonly sink: StatusSink | undefined;
  readonly wallNow: () => number;
}

export class Reporter {
  readonly #options: ReporterOptions;
  /** Written last, by object id: conditions keep the time of their last transition. */
  readonly #fragments = new Map<string, FragmentStatus>();
  readonly #rollouts = new Map<string, ProxyRolloutStatus>();
  readonly #objectsOf = new Map<string, ReadonlySet<string>>();

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  async report(report: FleetReport): Promise<void> {
    const { sink } = this.#options;
    if (sink === undefined) return;
    await this.#writeRollout(sink, report);
    const holds = new Map(report.view.held.map(({ object, reason }) => [object, reason]));
    for (const verdict of report.assembly.objects.values()) {
      if (verdict.kind !== 'ProxyRollout') await this.#writeFragment(sink, verdict, report, holds.get(verdict.object));
    }
    await this.#removeGone(sink, report);
  }

  async #writeRollout(sink: StatusSink, { fleet, head, view, spec, assembly }: FleetReport): Promise<void> {
    const [namespace = '', name = ''] = fleet.split('/');
    const verdict = assembly.objects.get(objectId('ProxyRollout', namespace, name));
    const status = rolloutStatus({
      head,
      view,
      spec,
      findings: verdict?.findings ?? [],
      ...(verdict?.generation === undefined ? {} : { generation: verdict.generation }),
      previous: this.#rollouts.get(fleet) ?? null,
      nowMs: this.#options.wallNow(),
    });
    this.#rollouts.set(fleet, status);
    await sink.write('ProxyRollout', namespace, name, status);
  }

  async #writeFragment(
    sink: StatusSink,
    verdict: ObjectVerdict,
    report: FleetReport,
    holdReason: string | undefined,
  ): Promise<void> {
    const { object, kind, namespace, name } = verdict;
    const status = fragmentStatusOf({
      verdict,
      stableDigest: report.stable.get(object),
      ...(holdReason === undefined ? {} : { holdReason }),
      previous: this.#fragments.get(object) ?? null,
      nowMs: this.#options.wallNow(),
    });
    this.#fragments.set(object, status);
    await sink.write(kind, namespace, name, status);
  }

  /** An object that is gone has no status to keep. */
  async #removeGone(sink: StatusSink, { fleet, assembly }: FleetReport): Promise<void> {
    const now = new Set(assembly.objects.keys());
    for (const id of this.#objectsOf.get(fleet) ?? []) {
      if (now.has(id)) continue;
      this.#fragments.delete(id);
      const { kind, namespace, name } = splitObjectId(id);
      await sink.remove(kind, namespace, name);
    }
    this.#objectsOf.set(fleet, now);
  }
}
