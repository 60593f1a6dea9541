/** The first bundle of a fleet is stable by itself: there is nothing to fall back to, and nobody to protect. */
import { holdKey } from './assemblies.ts';
import type { HoldSet, RolloutDecision, RolloutInput, RolloutView } from './types.ts';

const NOTHING_HELD: HoldSet = new Map();

export function initialize(input: RolloutInput): RolloutDecision {
  const first = input.assemblies.get(holdKey(NOTHING_HELD));
  if (input.spec === null) return { kind: 'Wait', memory: null, wakeAtMs: null, view: viewOf(input, null) };
  if (first === undefined) return { kind: 'Assemble', key: holdKey(NOTHING_HELD), holds: NOTHING_HELD };
  if (first.digest === null) {
    const problem = first.problem ?? 'no bundle can be made of the objects';
    return { kind: 'Wait', memory: null, wakeAtMs: null, view: viewOf(input, problem) };
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

function viewOf({ members, gates }: RolloutInput, problem: string | null): RolloutView {
  const total = members?.length ?? 0;
  return {
    proxies: { total, candidate: 0, acked: 0, rejected: 0, unknown: 0 },
    stage: null,
    baking: false,
    noCanary: total === 1,
    refusal: null,
    held: [],
    blocked: problem === null ? null : { reason: 'Unpublishable', message: problem },
    upToDate: false,
    gates,
    findings: [],
  };
}
