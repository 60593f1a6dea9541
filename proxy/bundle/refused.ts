/** Why bytes from outside were not taken. */
import type { RefusalReason } from '../contract/ack.ts';
import { fail } from '../contract/result.ts';

export interface Refused {
  readonly reason: RefusalReason;
  readonly message: string;
}

export function refuse(reason: RefusalReason, message: string): { readonly ok: false; readonly error: Refused } {
  return fail({ reason, message });
}

/** What this process can run; a bundle that requires more is refused as Unsupported. */
export interface Supports {
  readonly documentVersions: readonly number[];
  readonly features: readonly string[];
}
