/** Waits that somebody else can end. */
export class Wakeup {
  readonly #waiting = new Set<() => void>();

  /** Resolves at the next `wake`, or after the time. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#waiting.add(done);
    });
  }

  wake(): void {
    for (const done of [...this.#waiting]) done();
  }
}
