/** What is known of a fleet’s proxies: the last ack of each, kept up by polling. */
import type { Logger } from '../../proxy/observability/logger.ts';
import type { Member } from '../rollout/types.ts';
import { pollIntervalMs, type MemberAddress, type PolledMember } from './poller.ts';

export interface AckBookOptions {
  /** Proxies that should be there; null while that is not known. */
  readonly addresses: () => readonly MemberAddress[] | null;
  readonly poll: (members: readonly MemberAddress[]) => Promise<readonly PolledMember[]>;
  /** Called after every poll. */
  readonly onPolled: () => void;
  readonly setTimer: (run: () => void, ms: number) => NodeJS.Timeout;
  readonly logger: Logger;
}

interface Known extends Member {
  readonly fleet: string;
  /** Why the last poll brought nothing. */
  readonly problem: string | null;
}

export class AckBook {
  readonly #options: AckBookOptions;
  readonly #members = new Map<string, Known>();
  #known = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: AckBookOptions) {
    this.#options = options;
  }

  /**
   * The proxies of a fleet, whether or not they ever answered; null until the first poll is over: nothing may be decided on
   * proxies that were never asked.
   */
  membersOf(fleet: string): readonly Member[] | null {
    if (!this.#known) return null;
    return [...this.#members.values()].filter((member) => member.fleet === fleet);
  }

  start(): void {
    void this.#round();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #round(): Promise<void> {
    const addresses = this.#options.addresses();
    if (addresses !== null) {
      this.#take(addresses, await this.#options.poll(addresses));
      this.#known = true;
      this.#options.onPolled();
    }
    if (this.#stopped) return;
    this.#timer = this.#options.setTimer(() => void this.#round(), pollIntervalMs(addresses?.length ?? 0));
  }

  #take(addresses: readonly MemberAddress[], polled: readonly PolledMember[]): void {
    const expected = new Map(addresses.map(({ podUid, fleet }) => [podUid, fleet]));
    for (const podUid of this.#members.keys()) if (!expected.has(podUid)) this.#members.delete(podUid);
    for (const { podUid, ack, seenAtMs, problem } of polled) {
      const fleet = expected.get(podUid);
      if (fleet === undefined) continue;
      const before = this.#members.get(podUid);
      const isOther = ack !== null && ack.fleet !== fleet;
      const now: Known =
        ack === null || isOther
          ? {
              podUid,
              fleet,
              // An ack that did not come leaves the last one standing, which grows old.
              ack: before?.ack ?? null,
              lastSeenMs: before?.lastSeenMs ?? null,
              problem: isOther ? `it answers as one of fleet ${ack.fleet}, and is listed for ${fleet}` : problem,
            }
          : { podUid, fleet, ack, lastSeenMs: seenAtMs, problem: null };
      this.#members.set(podUid, now);
      this.#say(now, before?.problem ?? null);
    }
  }

  /** Once when it comes up, or becomes another, and when it is gone. */
  #say({ podUid, fleet, problem }: Known, before: string | null): void {
    if (problem === before) return;
    if (problem === null) this.#options.logger.info({ podUid, fleet }, 'proxy answers again');
    else this.#options.logger.warn({ podUid, fleet, reason: problem }, 'proxy is unknown');
  }
}
