/** Conditions of each kind, and the reasons beside those of findings. The operator writes them; docs/reference lists them. */
import type { ConditionDoc } from './kind.ts';

const accepted: ConditionDoc = {
  type: 'Accepted',
  meaning:
    'The spec is valid, and the operator takes it. False: the last accepted version, if there is one, serves on.',
  reasons: { Accepted: 'It is.', Pending: 'Unknown: not looked at yet.' },
};

const resolvedRefs: ConditionDoc = {
  type: 'ResolvedRefs',
  meaning: 'Everything the object refers to exists and may be referred to.',
  reasons: { ResolvedRefs: 'It does.', Pending: 'Unknown: not looked at yet.' },
};

const programmed: ConditionDoc = {
  type: 'Programmed',
  meaning: 'The fleet’s stable bundle holds this version of the object, and every known proxy has it.',
  reasons: {
    Programmed: 'It does.',
    Pending: 'A rollout with this version is on its way, or waits for the one before.',
    RolledBack: 'The version is held back since a rollout with it failed; the message names what failed.',
    Invalid: 'This version is not accepted; an earlier one may serve on.',
    NotReferenced: 'No route of the fleet leads to it, so it is not in the bundle.',
  },
};

const conflicted: ConditionDoc = {
  type: 'Conflicted',
  meaning: 'Another route has the host, or answers the same requests and wins; the message names it.',
  reasons: { NoConflict: 'False: none does.' },
};

export const FRAGMENT_CONDITIONS: readonly ConditionDoc[] = [accepted, resolvedRefs, programmed];
export const ROUTE_CONDITIONS: readonly ConditionDoc[] = [...FRAGMENT_CONDITIONS, conflicted];

export const ROLLOUT_CONDITIONS: readonly ConditionDoc[] = [
  accepted,
  {
    type: 'Progressing',
    meaning: 'A candidate is on its way through the fleet.',
    reasons: {
      RolloutStarted: 'A candidate was published.',
      StageStarted: 'The candidate has reached the stage in the message.',
      Baking: 'The stage’s proxies run it; its bake time is not over.',
      WaitingForProxies: 'Proxies do not answer, or do not run what they should yet.',
      UpToDate: 'False: there is no candidate.',
    },
  },
  {
    type: 'Paused',
    meaning: 'Rollouts stand still.',
    reasons: { SpecPaused: 'By spec.paused.', Pinned: 'By spec.pin.', NotPaused: 'False: they do not.' },
  },
  {
    type: 'Healthy',
    meaning: 'Every known proxy answers, and runs what it is meant to.',
    reasons: {
      AllProxiesAcked: 'They do.',
      ProxiesRejected: 'A proxy refused what it is meant to run; the message has its reason.',
      ProxiesUnknown: 'A proxy does not answer.',
      ObjectsHeld: 'Objects are held back; status.heldObjects names them.',
      NoProxies: 'There is no proxy.',
    },
  },
  {
    type: 'Promoted',
    meaning: 'The last rollout ended with its candidate as stable: `kubectl wait --for=condition=Promoted` works.',
    reasons: {
      Initial: 'The first bundle of the fleet is stable by itself.',
      StagesPassed: 'All stages passed.',
      PromotedByRequest: 'By spec.request.',
      FastRollback: 'The digest was stable not long ago, so it came back without stages.',
      Revoked: 'What is no longer permitted was taken out of stable at once, without stages.',
      InProgress: 'False: a candidate is on its way. Unknown: nothing was published yet.',
      NotPromoted: 'False: the candidate failed, was aborted, or stalled.',
    },
  },
  {
    type: 'RolledBack',
    meaning: 'The last rollout ended with its candidate rejected.',
    reasons: {
      CandidateRefused: 'A proxy refused the candidate.',
      GateFailed: 'A health gate failed.',
      ErrorBudgetBurn: 'The error budget burned too fast.',
      ProxyRestarted: 'A proxy that ran the candidate restarted.',
      AbortedByRequest: 'By spec.request.',
      RolloutDeleted: 'The ProxyRollout was deleted; the fleet stays on stable.',
      NotRolledBack: 'False: it did not.',
    },
  },
  {
    type: 'Stalled',
    meaning: 'The last rollout passed its deadline, so the fleet returned to stable; nothing was rejected.',
    reasons: {
      DeadlineExceeded: 'The stage did not end within spec.strategy.progressDeadline.',
      NotStalled: 'False: it did not.',
    },
  },
];
