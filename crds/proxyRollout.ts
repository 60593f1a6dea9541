/** ProxyRollout: one long-lived object per fleet. Its namespace and name are the fleet’s; it says how changes reach it. */
import type { Static } from 'typebox';
import { limit } from '../proxy/contract/limits.ts';
import { fleet } from './fleet.ts';
import type { KubeObject } from './kind.ts';
import { boolean, duration, integer, list, number, object, oneOf, optional, percent, text } from './schema.ts';
import { conditions, digest, label, objectId, timestamp } from './shared.ts';

const METRICS = ['ErrorRate', 'P95Latency'] as const;
/** Kinds whose objects are held and retried one by one. */
const FRAGMENT_KINDS = ['ProxyRoute', 'UpstreamPool', 'TrafficPolicy', 'ProxyRollout'];

const stage = object('One step of a rollout.', {
  name: label('Name of the stage.'),
  fleetPercent: integer('Share of the proxies, in percent, that run the candidate; rounded up to whole proxies.', {
    min: 1,
    max: 100,
  }),
  bakeTime: optional(
    duration('How long the stage must stay healthy before the next one.', { min: '0s', max: '168h', default: '0s' }),
  ),
});

const healthGate = object('A condition on the candidate’s proxies.', {
  metric: oneOf(
    'ErrorRate: share of requests answered with 5xx. P95Latency: the 95th percentile of request duration.',
    METRICS,
  ),
  threshold: text(
    'The gate fails above this: a percentage such as 1% for ErrorRate, a duration such as 500ms for P95Latency.',
    { max: 28, pattern: '^[0-9][0-9a-z.]*%?$', syntax: 'a percentage such as 1% or a duration such as 500ms' },
  ),
  minSamples: optional(
    integer('Requests in the stage before the gate decides.', { min: 1, max: 10_000_000, default: 100 }),
  ),
  onMissing: optional(
    oneOf(
      'What too few samples mean when the bake time is over. Wait: until there are enough, or the deadline. Pass, Fail: as it says.',
      ['Wait', 'Pass', 'Fail'],
      'Wait',
    ),
  ),
});

const strategy = object('How a change goes through the fleet. Never part of the bundle.', {
  stages: optional(
    list('Steps, in rising order of fleetPercent. Default: the whole fleet at once.', stage, {
      max: limit('stages'),
      type: { keys: ['name'] },
    }),
  ),
  healthGates: optional(
    list('What each stage must fulfil, beside every proxy running without error.', healthGate, {
      max: 8,
      type: { keys: ['metric'] },
    }),
  ),
  autoRollback: optional(
    object('Rolls a candidate back as soon as it burns the error budget too fast, without waiting for the gates.', {
      errorBudgetBurnRate: number('Factor over the rate that would just use the budget up.', { min: 1, max: 1000 }),
      objective: optional(percent('Share of requests that must succeed; the rest is the error budget.', '99.9%')),
    }),
  ),
  progressDeadline: optional(
    duration('Time a stage may take beyond its bake time; then the fleet returns to stable, Stalled.', {
      min: '1s',
      max: '168h',
      default: '30m',
    }),
  ),
  rollbackWindow: optional(
    integer('How many of the last stable digests may come back without stages.', { min: 0, max: 100, default: 3 }),
  ),
});

const request = object(
  'Asks for one action. It names its target, so that it is carried out once, and never on something else.',
  {
    action: oneOf(
      'Promote: end the candidate’s stage now. PromoteFull: make the candidate stable now. Abort: return to stable. Retry: try a rejected digest, or held objects, once more.',
      ['Promote', 'PromoteFull', 'Abort', 'Retry'],
    ),
    digest: optional(digest('The candidate that is meant; for Retry, the rejected digest.')),
    objects: optional(
      list('Retry: the held objects to try again, instead of digest.', objectId('A held object.', FRAGMENT_KINDS), {
        min: 1,
        max: 64,
        type: 'set',
      }),
    ),
  },
);

export const proxyRolloutSpec = object('What is asked for.', {
  fleet: optional(fleet),
  strategy: optional(strategy),
  paused: optional(boolean('Stay in the current stage, and start no rollout. Endpoints and status go on.', false)),
  pin: optional(
    object(
      'Keeps the whole fleet on one digest; later changes wait. The way to undo: kubectl, or rollback by the admin API.',
      { digest: digest('A digest of status.history.') },
    ),
  ),
  request: optional(request),
  revisionHistoryLimit: optional(
    integer('Stable bundles that are kept, for pin and rollback.', {
      min: 1,
      max: limit('rolloutHistory'),
      default: 10,
    }),
  ),
});

const heldObject = object('An object whose latest spec is not rolled out.', {
  object: objectId('The object as Kind/namespace/name.', FRAGMENT_KINDS),
  fragmentDigest: optional(digest('The fragment that is held back; absent where its deletion is.')),
  state: oneOf(
    'Suspect: failed together with others, and is tried again in a smaller group. Culprit: failed alone; waits for a change or a retry by name.',
    ['Suspect', 'Culprit'],
  ),
  message: optional(text('Why.', { min: 0, max: 1024 })),
  since: optional(timestamp('Since when.')),
});

const count = (description: string) => integer(description, { min: 0, max: 1_000_000 });

const gateResult = object('Latest verdict of a gate.', {
  metric: oneOf('The gate.', METRICS),
  stage: optional(text('The stage it was measured in.', { max: 63 })),
  value: optional(text('What was measured.', { max: 32 })),
  threshold: optional(text('What was allowed.', { max: 32 })),
  samples: optional(integer('Requests measured.', { min: 0, max: Number.MAX_SAFE_INTEGER })),
  verdict: oneOf('What it means for the candidate.', ['Pass', 'Fail', 'Wait']),
  time: optional(timestamp('When it was measured.')),
});

const historyEntry = object('One finished rollout.', {
  digest: digest('What was rolled out.'),
  outcome: oneOf('How it ended. Superseded: a newer candidate took its place.', [
    'Initial',
    'Promoted',
    'RolledBack',
    'Aborted',
    'Stalled',
    'Superseded',
  ]),
  reason: optional(text('CamelCase reason for programs, as in the condition that tells of the outcome.', { max: 64 })),
  message: optional(text('Explanation for people.', { min: 0, max: 1024 })),
  time: timestamp('When it ended.'),
});

export const proxyRolloutStatus = object('What is really running. Written by the operator.', {
  observedGeneration: optional(
    integer('The metadata.generation this status was computed from.', { min: 0, max: Number.MAX_SAFE_INTEGER }),
  ),
  phase: optional(
    oneOf(
      'Summary of the conditions for people. Pending: nothing published yet. Progressing: a candidate is on its way. Paused: by spec.paused. Healthy: the fleet runs what the objects ask for. Degraded: something is held back, refused or missing.',
      ['Pending', 'Progressing', 'Paused', 'Healthy', 'Degraded'],
    ),
  ),
  stage: optional(text('Name of the candidate’s stage; absent without a candidate.', { max: 63 })),
  stableDigest: optional(digest('What the fleet runs, but for the proxies of a stage.')),
  candidateDigest: optional(digest('What is being tried.')),
  rejectedDigest: optional(digest('What failed last; it comes back only as another digest, or by a retry.')),
  heldObjects: optional(
    list('Objects whose latest spec is held back.', heldObject, {
      max: limit('headListEntries'),
      type: { keys: ['object'] },
    }),
  ),
  proxies: optional(
    object('The proxies of the fleet.', {
      total: count('Known proxies.'),
      candidate: count('Meant to run the candidate in this stage.'),
      acked: count('Run what they are meant to.'),
      rejected: count('Refused what they are meant to run.'),
      unknown: count('Do not answer.'),
    }),
  ),
  gateResults: optional(list('Latest verdicts of the gates.', gateResult, { max: 8, type: { keys: ['metric'] } })),
  history: optional(
    list('Finished rollouts, newest first.', historyEntry, { max: limit('rolloutHistory'), type: 'atomic' }),
  ),
  summary: optional(
    object('Short forms, for the columns of kubectl get.', {
      stage: optional(text('Name and number of the stage, such as canary 1/4.', { min: 0, max: 80 })),
      candidate: optional(text('Short digest of the candidate.', { min: 0, max: 12 })),
      stable: optional(text('Short digest of stable.', { min: 0, max: 12 })),
      proxies: optional(text('Proxies that run what they are meant to, of all, such as 2/3.', { min: 0, max: 32 })),
    }),
  ),
  conditions,
});

export type ProxyRolloutSpec = Static<typeof proxyRolloutSpec>;
export type ProxyRolloutStatus = Static<typeof proxyRolloutStatus>;
export type ProxyRollout = KubeObject<'ProxyRollout', ProxyRolloutSpec, ProxyRolloutStatus>;
export type RolloutPhase = NonNullable<ProxyRolloutStatus['phase']>;
export type FleetSpec = Static<typeof fleet>;
