/**
 * One HTTP/1.1 connection to an endpoint: connecting, in use by one request at a time, or idle. It knows when it may be
 * used again; everything it reads is reported to the request that uses it.
 */
import { connect, type LookupFunction, type Socket } from 'node:net';
import type { ConnectionsPlan } from '../compiler/plan.ts';
import type { ErrorCode } from '../contract/errors.ts';
import { limit } from '../contract/limits.ts';
import { ResponseParser } from '../engine/http1/responseParser.ts';
import type { HeaderLines, ResponseHandler, ResponseHead } from '../engine/http1/types.ts';
import { type TimerWheel, WheelTimer } from './wheel.ts';

/** The request that uses a connection. After `onResponseEnd` or `onUpstreamError` nothing more is reported to it. */
export interface UpstreamUser {
  onInformational(head: ResponseHead): void;
  onResponseHead(head: ResponseHead): void;
  /** A piece of the body. Its memory is used again after the call: what is kept must be copied. */
  onResponseData(slice: Buffer): void;
  onResponseTrailers(trailers: HeaderLines): void;
  /** All pieces of one read were reported; what was collected from them can be written. */
  onReadEnd(): void;
  /** `reusable`: as far as the response goes, the connection can take another request. The user must release it. */
  onResponseEnd(reusable: boolean): void;
  /** What was buffered of the request has been taken. */
  onWritable(): void;
  /** The connection is gone before the response's end. `answered`: at least one byte of it had come. */
  onUpstreamError(code: ErrorCode, detail: string, answered: boolean): void;
}

/** What owns the connections of one endpoint. */
export interface ConnectionOwner {
  readonly host: string;
  readonly port: number;
  /** Resolves `host` where it is a name. */
  readonly lookup: LookupFunction;
  readonly wheel: TimerWheel;
  onConnected(connection: UpstreamConnection): void;
  onConnectFailed(connection: UpstreamConnection, code: ErrorCode, detail: string): void;
  /** The connection is free for another request. */
  onFree(connection: UpstreamConnection): void;
  /** The connection is gone; called exactly once. */
  onClosed(connection: UpstreamConnection): void;
}

/**
 * Every upstream connection of the thread reads into this one buffer: reads are handled to their end before the next, and
 * an own buffer per read (as streams do) costs more than the parsing of a small response.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

/** `write` returns false from here on. */
const HIGH_WATER_MARK = limit('bufferedBodyBytes');

type State = 'connecting' | 'idle' | 'in_use' | 'closed';

export class UpstreamConnection implements ResponseHandler {
  /** Requests sent on it, the current one included. */
  requests = 0;
  readonly settings: ConnectionsPlan;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #parser: ResponseParser = new ResponseParser(this);
  readonly #timer = new WheelTimer(() => this.#onTimeout());
  #state: State = 'connecting';
  #user: UpstreamUser | null = null;
  #answered = false;
  #ended = false;
  #reusable = false;
  #failure: Error | null = null;

  constructor(owner: ConnectionOwner, settings: ConnectionsPlan) {
    this.#owner = owner;
    this.settings = settings;
    const onread = {
      buffer: READ_BUFFER,
      callback: (bytes: number) => {
        this.#onData(READ_BUFFER.subarray(0, bytes));
        return true;
      },
    };
    const { host, port, lookup } = owner;
    // The stream's option, which the types of net.connect leave out.
    const options = { host, port, lookup, noDelay: true, highWaterMark: HIGH_WATER_MARK, onread };
    this.#socket = connect(options);
    this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('end', () => this.#onEnd());
    this.#socket.on('drain', () => this.#user?.onWritable());
    this.#socket.on('error', (error) => (this.#failure = error));
    this.#socket.on('close', () => this.#onClose());
    owner.wheel.set(this.#timer, settings.connectTimeoutMs);
  }

  /** Idle and not known to be dead. */
  get usable(): boolean {
    return this.#state === 'idle';
  }

  /** An earlier request was answered on it: the upstream may have closed it just now. */
  get reused(): boolean {
    return this.requests > 1;
  }

  /** Takes the connection for one request. */
  use(user: UpstreamUser, method: string): void {
    this.#user = user;
    this.#state = 'in_use';
    this.#answered = false;
    this.#ended = false;
    this.requests += 1;
    this.#owner.wheel.clear(this.#timer);
    this.#parser.expect(method, false);
  }

  /** Writes latin1 text or bytes; false when the buffer is full: wait for `onWritable`. */
  write(data: string | Buffer): boolean {
    return typeof data === 'string' ? this.#socket.write(data, 'latin1') : this.#socket.write(data);
  }

  pauseReading(): void {
    this.#owner.wheel.clear(this.#timer);
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  /** The upstream must go on within `delayMs`, or the request fails with `upstream_timeout`. */
  expectWithin(delayMs: number): void {
    this.#owner.wheel.set(this.#timer, delayMs);
  }

  /** Stops waiting for the upstream, while the request itself is not complete or the client does not read. */
  expectNothing(): void {
    this.#owner.wheel.clear(this.#timer);
  }

  /** After `onResponseEnd`: gives the connection back. `requestSent`: the request went out to its last byte. */
  release(requestSent: boolean): void {
    if (this.#state !== 'in_use') return;
    this.#user = null;
    const { maxRequests } = this.settings;
    const worn = maxRequests > 0 && this.requests >= maxRequests;
    if (!this.#reusable || !requestSent || worn) return this.destroy();
    this.#state = 'idle';
    this.#owner.wheel.set(this.#timer, this.settings.idleTimeoutMs);
    this.#owner.onFree(this);
  }

  /** Closes at once; nothing is reported to its user any more. */
  destroy(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#user = null;
    this.#owner.wheel.remove(this.#timer);
    this.#socket.destroy();
    this.#owner.onClosed(this);
  }

  onInformational(head: ResponseHead): void {
    this.#user?.onInformational(head);
  }

  onHead(head: ResponseHead): void {
    this.#user?.onResponseHead(head);
  }

  onData(slice: Buffer): void {
    this.#user?.onResponseData(slice);
  }

  onTrailers(trailers: HeaderLines): void {
    this.#user?.onResponseTrailers(trailers);
  }

  onMessageEnd(reusable: boolean): void {
    this.#ended = true;
    this.#reusable = reusable;
  }

  onError(code: ErrorCode, detail: string): void {
    this.#fail(code, detail);
  }

  #onConnect(): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'idle';
    this.#owner.wheel.clear(this.#timer);
    this.#owner.onConnected(this);
  }

  #onData(chunk: Buffer): void {
    // Bytes that nobody asked for: the next request must not take them for its answer.
    if (this.#state !== 'in_use' || this.#ended) return this.destroy();
    this.#answered = true;
    this.#parser.execute(chunk);
    this.#settleRead();
  }

  /** The user is told of the end outside the parser, since it may start the next request on this connection. */
  #settleRead(): void {
    const user = this.#user;
    if (user === null) return;
    if (this.#ended) user.onResponseEnd(this.#reusable);
    else user.onReadEnd();
  }

  #onEnd(): void {
    if (this.#state !== 'in_use') return this.destroy();
    const result = this.#parser.finish();
    if (result === 'complete') return this.#settleRead();
    if (result === 'truncated') this.#fail('upstream_truncated', 'the upstream ended the connection within the body');
    else this.#fail('upstream_reset', 'the upstream ended the connection without a complete response head');
  }

  #onClose(): void {
    const reason = this.#failure?.message ?? 'connection closed';
    if (this.#state === 'connecting') return this.#failConnect('upstream_connect_failed', reason);
    if (this.#state === 'in_use') return this.#fail('upstream_reset', reason);
    this.destroy();
  }

  #onTimeout(): void {
    if (this.#state === 'connecting') return this.#failConnect('upstream_connect_timeout', 'connecting took too long');
    if (this.#state === 'in_use') return this.#fail('upstream_timeout', 'the upstream paused for too long');
    this.destroy();
  }

  #failConnect(code: ErrorCode, detail: string): void {
    this.destroy();
    this.#owner.onConnectFailed(this, code, detail);
  }

  #fail(code: ErrorCode, detail: string): void {
    const user = this.#user;
    const answered = this.#answered;
    this.destroy();
    user?.onUpstreamError(code, detail, answered);
  }
}
