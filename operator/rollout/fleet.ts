/** What the acks say about the fleet: who runs what it is meant to, and what speaks against the candidate. */
import type { Ack, RefusalReason } from '../../proxy/contract/ack.ts';
import type { Digest } from '../../proxy/contract/canonical.ts';
import { digestToRun, type Candidate, type Head } from '../../proxy/contract/head.ts';
import { limit } from '../../proxy/contract/limits.ts';
import { memoryOf } from './memory.ts';
import { isServing, missingKey, pollIntervalMs, shareOf, stageAt } from './share.ts';
import { brief } from './text.ts';
import type { Member, ProxyCounts, RolloutInput, RolloutMemory, RolloutSpec } from './types.ts';

/** Why a candidate has failed: a reason of the condition RolledBack, and a sentence. */
export interface Failure {
  readonly reason: 'CandidateRefused' | 'ProxyRestarted' | 'GateFailed';
  readonly message: string;
}

export interface FleetFacts {
  /** Members but for those that drain. */
  readonly serving: number;
  readonly counts: ProxyCounts;
  /** Every member that serves has answered lately, and is ready. */
  readonly everyoneKnown: boolean;
  /** Every proxy that must run the candidate does, and they are as many as the stage asks for. */
  readonly healthy: boolean;
  /** Fewer proxies can take part than the stage asks for, because others joined, left or started since the head was published. */
  readonly short: boolean;
  readonly failure: Failure | null;
  /** Members that answer, and still run a digest that was rejected. */
  readonly returning: number;
  /** First refusal of what a proxy is meant to run. */
  readonly refusal: string | null;
}

/**
 * Refusals that tell nothing about the content: the bundle did not arrive, the head was not for this proxy, its node had no
 * time, or it is too old. Blaming objects for them would hold back innocent ones; the stage waits, and stalls at its
 * deadline.
 */
const DELIVERY_FAULTS: ReadonlySet<RefusalReason> = new Set([
  'Signature',
  'UnknownKey',
  'WrongCluster',
  'WrongFleet',
  'OlderGeneration',
  'DigestMismatch',
  'Missing',
  'PrepareFailed',
  'Unsupported',
] satisfies RefusalReason[]);

/** Running sums over the members. */
interface Tally {
  serving: number;
  unready: number;
  unknown: number;
  acked: number;
  rejected: number;
  returning: number;
  /** Of the candidate: present members of the cohort, those that must run it, those that do. */
  cohort: number;
  required: number;
  running: number;
  /** Required, but started too late to run it before another head is published. */
  late: number;
  readonly restarted: string[];
  readonly refusals: string[];
  readonly candidateRefusals: string[];
}

export function readFleet(input: RolloutInput, head: Head, spec: RolloutSpec): FleetFacts {
  const members = input.members ?? [];
  const memory = memoryOf(input, head.candidate);
  const tally: Tally = {
    serving: 0,
    unready: 0,
    unknown: 0,
    acked: 0,
    rejected: 0,
    returning: 0,
    cohort: 0,
    required: 0,
    running: 0,
    late: 0,
    restarted: [],
    refusals: [],
    candidateRefusals: [],
  };
  const staleAfterMs = staleMs(members);
  const rejected = new Set<Digest | null>(head.rejected.map(({ digest }) => digest));
  for (const member of members) {
    if (head.candidate !== undefined) noteCandidateRefusal(tally, member, head.candidate);
    const fresh = isFresh(member, input.nowMs, staleAfterMs);
    if (fresh && rejected.has(member.ack?.running ?? null)) tally.returning++;
    if (isServing(member)) count(tally, member, head, memory, fresh);
  }
  const percent = head.candidate === undefined ? 0 : stageAt(spec, head.candidate.stage).fleetPercent;
  return {
    serving: tally.serving,
    counts: {
      total: tally.serving,
      candidate: tally.required,
      acked: tally.acked,
      rejected: tally.rejected,
      unknown: tally.unknown,
    },
    everyoneKnown: input.members !== null && tally.unknown === 0 && tally.unready === 0,
    healthy:
      memory !== null &&
      tally.required > 0 &&
      tally.running === tally.required &&
      tally.required >= shareOf(tally.cohort, percent),
    short: tally.required - tally.late < shareOf(tally.serving, percent),
    failure: head.candidate === undefined ? null : failureOf(input, head.candidate, head.stable.digest, tally),
    returning: tally.returning,
    refusal: tally.refusals[0] ?? null,
  };
}

/** Three missed polls. A jump of the clock makes everyone unknown until the next poll, which only costs time. */
function staleMs(members: readonly Member[]): number {
  return 3 * pollIntervalMs(members) + limit('ackTimeoutMs');
}

function isFresh(member: Member, nowMs: number, staleAfterMs: number): boolean {
  return member.lastSeenMs !== null && nowMs - member.lastSeenMs <= staleAfterMs;
}

function noteCandidateRefusal(tally: Tally, { podUid, ack }: Member, candidate: Candidate): void {
  const refused = ack?.refused;
  if (refused === undefined || refused.digest !== candidate.digest || DELIVERY_FAULTS.has(refused.reason)) return;
  // Of an earlier attempt with the same digest.
  if (refused.generation <= candidate.afterGeneration) return;
  tally.candidateRefusals.push(`proxy ${podUid} refused it: ${refused.reason}: ${refused.message}`);
}

function count(tally: Tally, member: Member, head: Head, memory: RolloutMemory | null, fresh: boolean): void {
  const { ack, podUid } = member;
  tally.serving++;
  const required = head.candidate !== undefined && isRequired(tally, member, head, memory);
  const meant = required && head.candidate !== undefined ? head.candidate.digest : head.stable.digest;
  const runs = fresh && ack !== null && ack.running === meant;
  if (required) tally.required++;
  if (!fresh || ack === null) tally.unknown++;
  else if (!ack.ready) tally.unready++;
  if (runs) tally.acked++;
  if (runs && required && ack.ready) tally.running++;
  if (fresh && ack?.refused !== undefined && ack.running !== meant) {
    tally.rejected++;
    tally.refusals.push(`proxy ${podUid}: ${ack.refused.reason}: ${ack.refused.message}`);
  }
}

/** Whether a member must run the candidate. Those that joined since the head was published stay on stable, and may. */
function isRequired(tally: Tally, { podUid, ack }: Member, head: Head, memory: RolloutMemory | null): boolean {
  if (memory === null) return ack !== null && digestToRun(head, podUid, ack.startGeneration).role === 'candidate';
  const place = memory.cohort.get(podUid);
  if (place === undefined) return false;
  const startedSince = ack !== null && ack.startGeneration >= head.generation;
  // A process that was there before the head, and now started after it, has been another one in between.
  if (startedSince && place.acked && place.covered) tally.restarted.push(podUid);
  // One that did not answer then may have restarted as well, or have been starting all along: the next head will tell.
  if (startedSince && !place.acked && place.covered) tally.late++;
  tally.cohort++;
  return place.covered;
}

function failureOf(input: RolloutInput, candidate: Candidate, stable: Digest, tally: Tally): Failure | null {
  const [refusal] = tally.candidateRefusals;
  if (refusal !== undefined) {
    return { reason: 'CandidateRefused', message: andMore(refusal, tally.candidateRefusals.length) };
  }
  const [restarted] = tally.restarted;
  if (restarted !== undefined) {
    const message = `proxy ${restarted} restarted while it was meant to run it`;
    return { reason: 'ProxyRestarted', message: andMore(message, tally.restarted.length) };
  }
  const gate = input.gates.find(({ verdict }) => verdict === 'Fail');
  if (gate !== undefined) {
    const values = gate.value === undefined ? '' : `: ${gate.value}, allowed ${gate.threshold ?? '-'}`;
    return { reason: 'GateFailed', message: brief(`gate ${gate.metric} failed${values}`) };
  }
  const missing = newlyMissing(input.members ?? [], candidate, stable);
  return missing === null ? null : { reason: 'GateFailed', message: brief(missing) };
}

function andMore(message: string, count: number): string {
  return brief(count === 1 ? message : `${message} (and ${count - 1} more)`);
}

/** Something that the candidate names, and that neither was missing before nor is missing on stable. */
function newlyMissing(members: readonly Member[], candidate: Candidate, stable: Digest): string | null {
  if (candidate.missingBefore.length >= limit('missingRemembered')) return null;
  const acks = members.flatMap(({ ack }) => (ack !== null && ack.missing.length > 0 ? [ack] : []));
  const onCandidate = acks.filter((ack) => ack.running === candidate.digest);
  if (onCandidate.length === 0) return null;
  const known = new Set(candidate.missingBefore);
  for (const ack of acks) if (ack.running === stable) addMissing(known, ack);
  for (const ack of onCandidate) {
    const name = ack.missing.find((missing) => !known.has(missingKey(missing)));
    if (name !== undefined) return `proxy ${ack.podUid} misses ${name}`;
  }
  return null;
}

function addMissing(keys: Set<string>, ack: Ack): void {
  for (const name of ack.missing) keys.add(missingKey(name));
}

/** What proxies on stable miss, for `missingBefore`. One that still runs an earlier candidate misses what that one names. */
export function missingOn(stable: Digest, members: readonly Member[]): string[] {
  const keys = new Set<string>();
  for (const { ack } of members) if (ack?.running === stable) addMissing(keys, ack);
  return [...keys].sort().slice(0, limit('missingRemembered'));
}

/** Who is there when a head is published: what a new memory of its stage begins with. */
export function cohortOf(
  members: readonly Member[],
  nowMs: number,
  isCovered: (podUid: string) => boolean,
): RolloutMemory['cohort'] {
  const staleAfterMs = staleMs(members);
  return new Map(
    members.map((member) => {
      const place = { covered: isCovered(member.podUid), acked: isFresh(member, nowMs, staleAfterMs) };
      return [member.podUid, place] as const;
    }),
  );
}
