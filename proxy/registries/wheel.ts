/**
 * All timeouts of a thread on one interval (a hashed wheel): setting, moving or dropping one is a few assignments, and no
 * request makes a timer of its own. A timeout fires never early and at most two ticks (200 ms) late.
 */

/** Resolution of every timeout of the data plane. */
export const TICK_MS = 100;

/** Ticks until the wheel comes round; later deadlines take another round. */
const SLOTS = 1024;

/** Deadline of a timer that is not set. */
const NEVER = Infinity;

/** One timeout that is set again and again; belongs to a connection, not to a request. */
export class WheelTimer {
  readonly onTimeout: () => void;
  /** Tick at which it is due. The wheel looks at it when it reaches the timer's slot, which may be earlier. */
  dueTick = NEVER;
  /** Tick of the slot it is linked into, -1 when in none. */
  slotTick = -1;
  previous: WheelTimer | null = null;
  next: WheelTimer | null = null;

  constructor(onTimeout: () => void) {
    this.onTimeout = onTimeout;
  }

  get isSet(): boolean {
    return this.dueTick !== NEVER;
  }
}

export class TimerWheel {
  readonly #slots: (WheelTimer | null)[] = Array.from({ length: SLOTS }, () => null);
  readonly #now: () => number;
  readonly #startedAtMs: number;
  #tick = 0;
  #interval: NodeJS.Timeout | undefined;

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now;
    this.#startedAtMs = now();
  }

  /** Begins to turn. The interval keeps no process alive. */
  start(): void {
    this.#interval ??= setInterval(() => this.turn(), TICK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#interval);
    this.#interval = undefined;
  }

  /** Sets the timer to `delayMs` from now, whatever it was set to; a delay of 0 or less fires with the next tick. */
  set(timer: WheelTimer, delayMs: number): void {
    // The current tick may be almost over: one more keeps the promise never to be early.
    const dueTick = this.#tick + Math.max(1, Math.ceil(delayMs / TICK_MS) + 1);
    timer.dueTick = dueTick;
    if (timer.slotTick !== -1) {
      // Moving a deadline back, as every request does to its connection's, leaves the timer where it is.
      if (timer.slotTick <= dueTick) return;
      this.#unlink(timer);
    }
    this.#link(timer);
  }

  /** Unsets the timer. It stays in its slot, where it costs nothing, until the wheel passes. */
  clear(timer: WheelTimer): void {
    timer.dueTick = NEVER;
  }

  /** Time left on the timer, to be set again later: pausing and going on does not move a deadline. */
  remainingMs(timer: WheelTimer): number {
    return Math.max(0, timer.dueTick - this.#tick - 1) * TICK_MS;
  }

  /** Unsets the timer and lets go of it: for the end of a connection. */
  remove(timer: WheelTimer): void {
    timer.dueTick = NEVER;
    if (timer.slotTick !== -1) this.#unlink(timer);
  }

  /** Brings the wheel up to the clock and fires what is due. */
  turn(): void {
    const target = Math.floor((this.#now() - this.#startedAtMs) / TICK_MS);
    // After a pause longer than a round, one round visits every slot.
    if (target - this.#tick > SLOTS) this.#tick = target - SLOTS;
    while (this.#tick < target) {
      this.#tick += 1;
      this.#visit(this.#tick % SLOTS);
    }
  }

  #visit(slot: number): void {
    let timer = this.#slots[slot] ?? null;
    this.#slots[slot] = null;
    let due: WheelTimer[] | undefined;
    while (timer !== null) {
      const { next } = timer;
      timer.previous = null;
      timer.next = null;
      timer.slotTick = -1;
      if (timer.dueTick <= this.#tick) (due ??= []).push(timer);
      else if (timer.dueTick !== NEVER) this.#link(timer);
      timer = next;
    }
    if (due === undefined) return;
    for (const fired of due) {
      // One that fires may have unset or moved another.
      if (fired.dueTick > this.#tick) continue;
      fired.dueTick = NEVER;
      fired.onTimeout();
    }
  }

  #link(timer: WheelTimer): void {
    const slotTick = Math.min(timer.dueTick, this.#tick + SLOTS - 1);
    const slot = slotTick % SLOTS;
    const first = this.#slots[slot] ?? null;
    timer.slotTick = slotTick;
    timer.previous = null;
    timer.next = first;
    if (first !== null) first.previous = timer;
    this.#slots[slot] = timer;
  }

  #unlink(timer: WheelTimer): void {
    if (timer.previous !== null) timer.previous.next = timer.next;
    else this.#slots[timer.slotTick % SLOTS] = timer.next;
    if (timer.next !== null) timer.next.previous = timer.previous;
    timer.previous = null;
    timer.next = null;
    timer.slotTick = -1;
  }
}
