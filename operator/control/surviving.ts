/** A mistake of ours that one input brings to light must not end the operator: it is loud, and what was known stays. */
import type { Logger } from '../../proxy/observability/logger.ts';

/** @returns what `run` returns; undefined when it throws */
export function surviving<T>(logger: Logger, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    logger.error({ err: error }, 'the objects could not be taken; the ones before stay in force');
    return undefined;
  }
}
