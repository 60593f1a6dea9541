/**
 * The first bundle of a fleet is stable by itself: there is nothing to fall back to, and nobody to protect. So it must be
 * the first: where a head was there and cannot be read, the fleet keeps what it runs.
 */
import { holdKey } from './assemblies.ts';
import type { Blocked, HoldSet, RolloutDecision, RolloutInput, RolloutView } from './types.ts';

const NOTHING_HELD: HoldSet = new Map();

export function initialize(input: RolloutInput): RolloutDecision {
  const first = input.assemblies.get(holdKey(NOTHING_HELD));
  if (input.spec === null) return wait(input, null);
  if (input.headProblem !== undefined) return wait(input, { reason: 'HeadDamaged', message: input.headProblem });
  // Its generation must be above what they have seen.
  if (input.members === null)
    return wait(input, { reason: 'MembersUnknown', message: 'the fleet’s proxies are not known yet' });
  if (first === undefined) return { kind: 'Assemble', key: holdKey(NOTHING_HELD), holds: NOTHING_HELD };
  if (first.digest === null) {
    const message = first.problem ?? 'no bundle can be made of the objects';
    return wait(input, { reason: 'Unpublishable', message });
  }
  const { digest } = first;
  const at = input.nowMs;
  const [reason, message] = ['Initial', 'the first bundle of the fleet is stable by itself'];
  return {
    kind: 'Publish',
    state: {
      stable: { digest, since: at },
      holds: [],
      rejected: [],
      recentStable: [],
      history: [{ digest, outcome: 'Initial', reason, message, cause: 'Initial', at }],
    },
    bundles: [digest],
    audit: [
      {
        time: new Date(at).toISOString(),
        fleet: input.fleet,
        action: 'Initialize',
        reason,
        message,
        actor: 'operator',
        digest,
      },
    ],
    memory: null,
    view: viewOf(input, null),
  };
}

function wait(input: RolloutInput, blocked: Blocked | null): RolloutDecision {
  return { kind: 'Wait', memory: null, wakeAtMs: null, view: viewOf(input, blocked) };
}

function viewOf({ members, gates }: RolloutInput, blocked: Blocked | null): RolloutView {
  const total = members?.length ?? 0;
  return {
    proxies: { total, candidate: 0, acked: 0, rejected: 0, unknown: 0 },
    stage: null,
    baking: false,
    noCanary: total === 1,
    refusal: null,
    held: [],
    blocked,
    upToDate: false,
    gates,
    findings: [],
  };
}
