import { setTimeout as sleep } from 'node:timers/promises';

/** Asks until the answer is yes; false when the time is over. */
export async function waitUntil(
  ask: () => Promise<boolean> | boolean,
  timeoutMs: number,
  intervalMs = 100,
): Promise<boolean> {
  const deadlineMs = Date.now() + timeoutMs;
  while (Date.now() < deadlineMs) {
    if (await ask()) return true;
    await sleep(intervalMs);
  }
  return false;
}
