/** The six stages of a clean end, in order; a second signal goes to the last at once. */
import type { Logger } from '../observability/logger.ts';
import type { DrainStep } from './messages.ts';

export interface DrainOptions {
  /** Readiness fails from here on. */
  readonly markDraining: () => void;
  readonly step: (step: DrainStep) => void;
  /** Requests in flight over all threads. */
  readonly activeRequests: () => Promise<number>;
  readonly waitMs: number;
  readonly timeoutMs: number;
  /** Resolves after the time, or at once when the drain is forced. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly forced: () => boolean;
  readonly now: () => number;
  readonly logger: Logger;
}

/** How often the requests in flight are counted. */
const COUNT_INTERVAL_MS = 50;

export async function drain(options: DrainOptions): Promise<void> {
  const { logger, step, sleep, forced, now } = options;
  logger.info({ stage: 1 }, 'draining: readiness fails');
  options.markDraining();
  logger.info({ stage: 2 }, 'draining: no new connections');
  step('stopAccepting');
  logger.info({ stage: 3, waitMs: options.waitMs }, 'draining: waiting for load balancers');
  await sleep(options.waitMs);
  logger.info({ stage: 4 }, 'draining: closing idle connections');
  step('closeIdle');
  logger.info({ stage: 5, timeoutMs: options.timeoutMs }, 'draining: waiting for active requests');
  const deadlineMs = now() + options.timeoutMs;
  let active = await options.activeRequests();
  while (active > 0 && !forced() && now() < deadlineMs) {
    await sleep(COUNT_INTERVAL_MS);
    active = await options.activeRequests();
  }
  logger.info({ stage: 6, active }, active > 0 ? 'draining: closing what remains by force' : 'drained');
  step('forceClose');
}
