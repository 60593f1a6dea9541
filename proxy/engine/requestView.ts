/** What is known of a request, and what phases and filters see and change of it. */
import type { Route, Snapshot } from '../snapshot/snapshot.ts';
import { DEFAULT_HTTP, type EngineContext } from './context.ts';
import { findHeader, type ClientHop, type HeaderChanges } from './forward.ts';
import { KnownHeader } from './http1/knownHeaders.ts';
import type { RequestHead } from './http1/types.ts';
import { isUsableRequestId } from './requestId.ts';
import { clientBehind, trustCheck } from './trustedProxies.ts';

/** The peer of a client connection. */
export interface Peer {
  readonly peer: string;
  readonly scheme: 'http' | 'https';
  /** Port the client connected to. */
  readonly port: number;
  /** The peer is one of these proxies. */
  isTrusted(trustedProxies: readonly string[]): boolean;
}

export class RequestView {
  readonly head: RequestHead;
  readonly snapshot: Snapshot | undefined;
  readonly requestId: string;
  /** Normalised path without the query. */
  path = '';
  query = '';
  /** Path and query as they are sent upstream. */
  target = '';
  route: Route | undefined;
  readonly #peer: Peer;
  #changes: Map<string, string | undefined> | undefined;

  /** Takes the current snapshot, which the request keeps, and its lease. */
  constructor(context: EngineContext, peer: Peer, head: RequestHead) {
    this.head = head;
    this.#peer = peer;
    this.snapshot = context.currentSnapshot();
    this.snapshot?.lease.take();
    const at = findHeader(head.headers, KnownHeader['x-request-id']);
    const given = at === -1 ? '' : head.headers.value(at);
    this.requestId = isUsableRequestId(given) ? given : context.nextRequestId();
  }

  get method(): string {
    return this.head.method;
  }

  get hostname(): string {
    return this.head.hostname;
  }

  /** Address of the client: the peer, unless a trusted proxy says otherwise. */
  get client(): string {
    const { trustedProxies } = this.http;
    if (!this.#peer.isTrusted(trustedProxies)) return this.#peer.peer;
    const forwardedFor = this.head.headers.getAll('x-forwarded-for');
    return clientBehind(this.#peer.peer, forwardedFor, trustCheck(trustedProxies));
  }

  /** Settings of the snapshot it runs on. */
  get http(): Snapshot['fleet']['http'] {
    return this.snapshot?.fleet.http ?? DEFAULT_HTTP;
  }

  /** The hop from the client, for the upstream's eyes. */
  get hop(): ClientHop {
    const { peer, scheme, port } = this.#peer;
    return { peer, scheme, port, trusted: this.#peer.isTrusted(this.http.trustedProxies) };
  }

  /** Headers that filters changed. */
  get changes(): HeaderChanges | undefined {
    return this.#changes;
  }

  header(lowerName: string): string | undefined {
    return this.#changes?.has(lowerName) === true ? this.#changes.get(lowerName) : this.head.headers.get(lowerName);
  }

  headerAll(lowerName: string): string[] {
    if (this.#changes?.has(lowerName) !== true) return this.head.headers.getAll(lowerName);
    const value = this.#changes.get(lowerName);
    return value === undefined ? [] : [value];
  }

  get(lowerName: string): string | undefined {
    const values = this.head.headers.getAll(lowerName);
    return values.length === 0 ? undefined : values.join(', ');
  }

  setHeader(lowerName: string, value: string | undefined): void {
    (this.#changes ??= new Map()).set(lowerName, value);
  }

  setTarget(path: string, query: string, target: string): void {
    this.path = path;
    this.query = query;
    this.target = target;
  }

  setRoute(route: Route): void {
    this.route = route;
  }
}
