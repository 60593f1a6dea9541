/**
 * Polls the proxies of a fleet for their acks, over mTLS. What does not answer, answers too much, or answers nonsense is
 * unknown: it holds a rollout up, and never fails the operator.
 */
import { Ajv } from 'ajv';
import { Agent, request } from 'undici';
import { ackSchema, type Ack } from '../../proxy/contract/ack.ts';
import { limit } from '../../proxy/contract/limits.ts';
import { fail, ok, type Result } from '../../proxy/contract/result.ts';
import type { Secret } from '../../proxy/contract/secret.ts';

/** A proxy that should be there: from Pods, or from a list given by hand. */
export interface MemberAddress {
  readonly podUid: string;
  /** Its fleet, as `namespace/name`: what it says itself is compared with that. */
  readonly fleet: string;
  /** Base URL of its admin listener. */
  readonly url: string;
}

export interface PolledMember {
  readonly podUid: string;
  /** Null while unknown. */
  readonly ack: Ack | null;
  /** When `ack` was received; 0 when never. */
  readonly seenAtMs: number;
  /** Why it is unknown. */
  readonly problem: string | null;
}

export interface AckPollerOptions {
  readonly tls: {
    readonly ca: string;
    readonly cert: string;
    readonly key: Secret;
    /** Name in the proxies’ certificates, where they are reached by address; default: the host of the URL. */
    readonly serverName?: string;
  };
  readonly now: () => number;
}

const isAck = new Ajv({ strict: false }).compile<Ack>(ackSchema);

export class AckPoller {
  readonly #agent: Agent;
  readonly #now: () => number;

  constructor(options: AckPollerOptions) {
    const { ca, cert, key, serverName } = options.tls;
    this.#now = options.now;
    this.#agent = new Agent({
      connections: 1,
      connect: {
        ca,
        cert,
        key: key.reveal(),
        timeout: limit('ackTimeoutMs'),
        ...(serverName === undefined ? {} : { servername: serverName }),
      },
      headersTimeout: limit('ackTimeoutMs'),
      bodyTimeout: limit('ackTimeoutMs'),
      maxResponseSize: limit('ackBytes'),
    });
  }

  /** Polls all once, a bounded number at a time. */
  async poll(members: readonly MemberAddress[]): Promise<PolledMember[]> {
    const results: PolledMember[] = Array.from({ length: members.length });
    let next = 0;
    const worker = async () => {
      for (let i = next; i < members.length; i = next) {
        next = i + 1;
        const member = members[i];
        if (member !== undefined) results[i] = await this.#pollOne(member);
      }
    };
    await Promise.all(Array.from({ length: Math.min(limit('ackConcurrency'), members.length) }, worker));
    return results;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #pollOne({ podUid, url }: MemberAddress): Promise<PolledMember> {
    const outcome = await this.#fetchAck(url);
    if (!outcome.ok) return { podUid, ack: null, seenAtMs: 0, problem: outcome.error };
    // An address that was handed to another pod meanwhile must not speak for the old one.
    if (outcome.value.podUid !== podUid)
      return { podUid, ack: null, seenAtMs: 0, problem: `${url} answers as pod ${outcome.value.podUid}` };
    return { podUid, ack: outcome.value, seenAtMs: this.#now(), problem: null };
  }

  async #fetchAck(url: string): Promise<Result<Ack>> {
    try {
      const response = await request(`${url}/api/v2/ack`, {
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(limit('ackTimeoutMs')),
      });
      const text = await response.body.text();
      if (response.statusCode !== 200) return fail(`${url} answered ${response.statusCode}`);
      const value: unknown = JSON.parse(text);
      return isAck(value) ? ok(value) : fail(`${url} answered with something that is no ack`);
    } catch (error) {
      return fail(`${url}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Time between polls of a fleet of n proxies: max(1 s, n/500 s). */
export function pollIntervalMs(members: number): number {
  return Math.max(limit('ackIntervalMs'), members * 2);
}
