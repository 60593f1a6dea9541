/** Writes the status of a fleet’s objects, and of its ProxyRollout, where it changed. */
import type { ProxyRolloutStatus } from '../../crds/proxyRollout.ts';
import type { Digest } from '../../proxy/contract/canonical.ts';
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

/** What one fleet says of an object. Pools and policies may be of several. */
interface Claim {
  readonly verdict: ObjectVerdict;
  readonly stableDigest: Digest | undefined;
  readonly holdReason: string | undefined;
}

export class Reporter {
  readonly #options: ReporterOptions;
  /** Written last, by object id: conditions keep the time of their last transition. */
  readonly #fragments = new Map<string, FragmentStatus>();
  readonly #rollouts = new Map<string, ProxyRolloutStatus>();
  /** By fleet, then by object id. */
  readonly #claims = new Map<string, ReadonlyMap<string, Claim>>();
  /** Fleets report at any time, also about the same object: one after the other. */
  #queue: Promise<void> = Promise.resolve();

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  async report(report: FleetReport): Promise<void> {
    const { sink } = this.#options;
    if (sink === undefined) return;
    await this.#enqueue(async () => {
      await this.#writeRollout(sink, report);
      await this.#claim(sink, report.fleet, claimsOf(report));
    });
  }

  /** A fleet that is no longer run says nothing about any object. */
  async forget(fleet: string): Promise<void> {
    const { sink } = this.#options;
    if (sink === undefined) return;
    await this.#enqueue(async () => {
      await this.#claim(sink, fleet, new Map());
      this.#claims.delete(fleet);
      this.#rollouts.delete(fleet);
      const [namespace = '', name = ''] = fleet.split('/');
      await sink.remove('ProxyRollout', namespace, name);
    });
  }

  async #enqueue(run: () => Promise<void>): Promise<void> {
    const mine = this.#queue.then(run);
    // The caller sees a failure; the queue goes on.
    this.#queue = mine.catch(() => undefined);
    return mine;
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

  /** Replaces what a fleet says, and writes the objects that it spoke of, or speaks of now. */
  async #claim(sink: StatusSink, fleet: string, claims: ReadonlyMap<string, Claim>): Promise<void> {
    const before = this.#claims.get(fleet) ?? new Map<string, Claim>();
    this.#claims.set(fleet, claims);
    for (const object of claims.keys()) await this.#write(sink, object);
    for (const object of before.keys()) if (!claims.has(object)) await this.#write(sink, object);
  }

  /**
   * Of several fleets the one speaks that a route leads from, and of these the one that does not run what the object asks
   * for: an object is programmed when it is everywhere. The same claims give the same answer, whoever reported last.
   */
  async #write(sink: StatusSink, object: string): Promise<void> {
    const statuses = [...this.#claims.keys()].sort().flatMap((fleet) => {
      const claim = this.#claims.get(fleet)?.get(object);
      return claim === undefined ? [] : [{ claim, status: this.#statusOf(claim) }];
    });
    const [first] = statuses.sort((a, b) => rankOf(a) - rankOf(b));
    const { kind, namespace, name } = splitObjectId(object);
    if (first === undefined) {
      // An object that is gone has no status to keep.
      this.#fragments.delete(object);
      await sink.remove(kind, namespace, name);
      return;
    }
    this.#fragments.set(object, first.status);
    await sink.write(kind, namespace, name, first.status);
  }

  #statusOf({ verdict, stableDigest, holdReason }: Claim): FragmentStatus {
    return fragmentStatusOf({
      verdict,
      stableDigest,
      ...(holdReason === undefined ? {} : { holdReason }),
      previous: this.#fragments.get(verdict.object) ?? null,
      nowMs: this.#options.wallNow(),
    });
  }
}

function rankOf({ claim, status }: { readonly claim: Claim; readonly status: FragmentStatus }): number {
  if (!claim.verdict.referenced) return 2;
  return status.conditions?.find(({ type }) => type === 'Programmed')?.status === 'True' ? 1 : 0;
}

function claimsOf({ view, assembly, stable }: FleetReport): Map<string, Claim> {
  const holds = new Map(view.held.map(({ object, reason }) => [object, reason]));
  const claims = new Map<string, Claim>();
  for (const verdict of assembly.objects.values()) {
    const { object, kind } = verdict;
    if (kind === 'ProxyRollout') continue;
    claims.set(object, { verdict, stableDigest: stable.get(object), holdReason: holds.get(object) });
  }
  return claims;
}
