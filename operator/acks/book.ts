/** What is known of a fleet’s proxies: the last ack of each, kept up by polling. */
import type { Member } from '../rollout/types.ts';
import { pollIntervalMs, type MemberAddress, type PolledMember } from './poller.ts';

export interface AckBookOptions {
  /** Proxies that should be there; null while that is not known. */
  readonly addresses: () => readonly MemberAddress[] | null;
  readonly poll: (members: readonly MemberAddress[]) => Promise<readonly PolledMember[]>;
  /** Called after every poll. */
  readonly onPolled: () => void;
  readonly setTimer: (run: () => void, ms: number) => NodeJS.Timeout;
}

export class AckBook {
  readonly #options: AckBookOptions;
  readonly #members = new Map<string, Member & { problem: string | null }>();
  #known = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: AckBookOptions) {
    this.#options = options;
  }

  /**
   * The proxies of a fleet; null until the first poll is over: nothing may be decided on proxies that were never asked.
   *
   * @param withUnknown whether proxies that never answered count for this fleet
   */
  membersOf(fleet: string, withUnknown: boolean): readonly Member[] | null {
    if (!this.#known) return null;
    return [...this.#members.values()].filter(({ ack }) => (ack === null ? withUnknown : ack.fleet === fleet));
  }

  /** Why proxies are unknown, for the log and `status`. */
  get problems(): readonly string[] {
    return [...this.#members.values()].flatMap(({ problem }) => problem ?? []);
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
    const expected = new Set(addresses.map(({ podUid }) => podUid));
    for (const podUid of this.#members.keys()) if (!expected.has(podUid)) this.#members.delete(podUid);
    for (const { podUid, ack, seenAtMs, problem } of polled) {
      const before = this.#members.get(podUid);
      // An ack that did not come leaves the last one standing, which grows old.
      if (ack === null)
        this.#members.set(podUid, {
          podUid,
          ack: before?.ack ?? null,
          lastSeenMs: before?.lastSeenMs ?? null,
          problem,
        });
      else this.#members.set(podUid, { podUid, ack, lastSeenMs: seenAtMs, problem: null });
    }
  }
}
