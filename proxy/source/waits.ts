/** Waiting with a limit. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, type Result } from '../contract/result.ts';
import type { StoreError } from '../store/types.ts';

/** A flag that one loop waits for; raising it twice before it is seen is raising it once. */
export class Signal {
  #raised = false;
  #wake: (() => void) | undefined;

  raise(): void {
    this.#raised = true;
    this.#wake?.();
  }

  /** Returns once the flag was raised, and lowers it. */
  async wait(): Promise<void> {
    if (!this.#raised) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    this.#raised = false;
  }
}

/** Undefined after a time; does not keep the process alive. */
export async function after(ms: number): Promise<undefined> {
  await sleep(ms, undefined, { ref: false });
  return undefined;
}

/** A store that does not answer is one that is away. */
export async function within<T>(ms: number, answer: Promise<Result<T, StoreError>>): Promise<Result<T, StoreError>> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<Result<T, StoreError>>((resolve) => {
    const message = `the store did not answer within ${ms} ms`;
    timer = setTimeout(() => resolve(fail<StoreError>({ reason: 'Unavailable', message })), ms);
  });
  try {
    return await Promise.race([answer, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
