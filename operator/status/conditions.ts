/** Status of the kinds that become one fragment: what was decided about an object, and what its fleet runs. Pure. */
import type { FragmentStatus } from '../../crds/shared.ts';
import { shortDigest, type Digest } from '../../proxy/contract/canonical.ts';
import { fragmentOf } from '../../proxy/contract/fragment.ts';
import type { Aspect, ObjectVerdict } from '../assemble/types.ts';

export interface FragmentStatusInput {
  readonly verdict: ObjectVerdict;
  /** The object's fragment in the stable bundle; undefined when it has none there. */
  readonly stableDigest: Digest | undefined;
  /** Why the current version is held back, where it is. */
  readonly holdReason?: string;
  /** The status written last: a condition whose status did not change keeps its time. */
  readonly previous: FragmentStatus | null;
  readonly nowMs: number;
}

type Condition = NonNullable<FragmentStatus['conditions']>[number];

/** metav1.Condition bounds the message. */
const MESSAGE_LENGTH = 32_768;
/** An object that contributes nothing, such as a fleet without settings, is in stable by not being there. */
const NOTHING = fragmentOf('', []).digest;

/** Status of a ProxyRoute, UpstreamPool or TrafficPolicy. Equal inputs give equal bytes. */
export function fragmentStatusOf(input: FragmentStatusInput): FragmentStatus {
  const { verdict, previous } = input;
  const aspects: [string, Aspect][] = [
    ['Accepted', verdict.accepted],
    ['ResolvedRefs', verdict.resolvedRefs],
    ['Programmed', programmedOf(input)],
  ];
  if (verdict.kind === 'ProxyRoute') aspects.push(['Conflicted', verdict.conflicted]);
  return {
    ...(verdict.usedDigest === null ? {} : { fragmentDigest: verdict.usedDigest }),
    conditions: aspects.map(([type, aspect]) => {
      const before = previous?.conditions?.find((condition) => condition.type === type);
      return conditionOf(type, aspect, verdict.generation, before, input.nowMs);
    }),
  };
}

function conditionOf(
  type: string,
  { status, reason, message }: Aspect,
  generation: number | undefined,
  before: Condition | undefined,
  nowMs: number,
): Condition {
  const isOld = before?.status === status;
  return {
    type,
    status,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    lastTransitionTime: isOld ? before.lastTransitionTime : timeOf(nowMs),
    reason,
    message: message.slice(0, MESSAGE_LENGTH),
  };
}

/** Whether the fleet runs what the object asks for. A bundle becomes stable only when every known proxy has it. */
function programmedOf({ verdict, stableDigest, holdReason }: FragmentStatusInput): Aspect {
  const served =
    stableDigest === undefined ? 'none of its versions serves' : `version ${shortDigest(stableDigest)} serves`;
  const { accepted, used, referenced, desiredDigest } = verdict;
  if (accepted.status === 'Unknown') return { status: 'Unknown', reason: 'Pending', message: served };
  if (accepted.status === 'False') return { status: 'False', reason: 'Invalid', message: served };
  if (used === 'held') {
    const message = holdReason === undefined ? served : `${holdReason}; ${served}`;
    return { status: 'False', reason: 'RolledBack', message };
  }
  if (!referenced) {
    return { status: 'False', reason: 'NotReferenced', message: 'no route of the fleet leads to it' };
  }
  const desired = desiredDigest ?? NOTHING;
  if (desired === (stableDigest ?? NOTHING)) return { status: 'True', reason: 'Programmed', message: '' };
  return {
    status: 'False',
    reason: 'Pending',
    message: `version ${shortDigest(desired)} waits for its rollout; ${served}`,
  };
}

/** metav1.Time is written to the second. */
function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
