/**
 * One client connection: requests one after the other (pipelined ones wait, within a limit), their timeouts, and how it
 * ends. One exchange at a time is under way.
 */
import type { Socket } from 'node:net';
import type { ErrorCode } from '../contract/errors.ts';
import { limit } from '../contract/limits.ts';
import { WheelTimer } from '../registries/wheel.ts';
import { DEFAULT_HTTP, type EngineContext } from './context.ts';
import { type ClientSide, Exchange } from './exchange.ts';
import { RequestParser } from './http1/requestParser.ts';
import type { HeaderLines, RequestHandler, RequestHead } from './http1/types.ts';
import { Outbox } from './outbox.ts';
import { refuse } from './refusal.ts';
import { plainAddress, trustCheck } from './trustedProxies.ts';

/** Where a connection came in. */
export interface ListenerSide {
  readonly scheme: 'http' | 'https';
  /** Port the client connected to; told to upstreams. */
  readonly port: number;
  onClosed(connection: ClientConnection): void;
}

/**
 * A client that has ended its side either waits for its answer or is gone: TCP does not say. Two interim responses, sent
 * after this time, find out (a closed socket resets the connection), and mean nothing to clients that wait
 * (RFC 9110 §15.2).
 */
const PROBE_AFTER_MS = 100;
const PROBES = 2;
const PROBE = 'HTTP/1.1 102 Processing\r\n\r\n';

const NOBODY: readonly string[] = [];

export class ClientConnection implements RequestHandler, ClientSide {
  readonly context: EngineContext;
  readonly out = new Outbox();
  readonly peer: string;
  readonly scheme: 'http' | 'https';
  readonly port: number;
  readonly answerTimer = new WheelTimer(() => this.#exchange?.onAnswerTimeout());
  inRead = false;
  readonly #socket: Socket;
  readonly #parser: RequestParser;
  readonly #timer = new WheelTimer(() => this.#onTimeout());
  #http: typeof DEFAULT_HTTP;
  #exchange: Exchange | null = null;
  /** The end of the current request is still to come, whether its answer is complete or not. */
  #messageOpen = false;
  /** Some bytes of the next head have come; its time runs from the first. */
  #headBegun = false;
  /** Requests that came before the earlier ones were answered. */
  #backlog: Buffer[] = [];
  #backlogBytes = 0;
  /** The exchange wants no more of the body for now. */
  #paused = false;
  /** The client is slow: what was written has not been taken yet. */
  #blocked = false;
  #draining = false;
  /** The client has ended its side. */
  #ended = false;
  #probes = 0;
  /** Whether the peer was trusted, by the list that was asked about last. */
  #trustList: readonly string[] = NOBODY;
  #trusted = false;
  /** The last response is out; what still comes is thrown away. */
  #closing = false;

  constructor(context: EngineContext, socket: Socket, side: ListenerSide) {
    this.context = context;
    this.#socket = socket;
    this.peer = plainAddress(socket.remoteAddress ?? '');
    this.scheme = side.scheme;
    this.port = side.port;
    this.#http = context.currentSnapshot()?.fleet.http ?? DEFAULT_HTTP;
    this.#parser = new RequestParser(this, this.#http);
    socket.on('data', (chunk: Buffer) => this.#onChunk(chunk));
    socket.on('drain', () => this.#onDrain());
    socket.on('end', () => this.#onEnd());
    // What follows an error is 'close', where everything is settled.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#settle();
      side.onClosed(this);
    });
    context.wheel.set(this.#timer, this.#http.headersTimeoutMs);
  }

  /** A request is under way, or part of one has come. */
  get busy(): boolean {
    if (this.#closing) return false;
    return this.#exchange !== null || this.#messageOpen || this.#backlog.length > 0 || !this.#parser.idle;
  }

  /** From now on every response ends the connection. */
  drain(): void {
    this.#draining = true;
  }

  /** Ends the connection if nothing is under way on it. */
  closeIfIdle(): void {
    if (!this.busy) this.#finish();
  }

  /** Closes at once, cutting off what is under way. */
  destroy(): void {
    this.#settle();
    this.#socket.destroy();
  }

  // From the parser.

  onHead(head: RequestHead): void {
    this.#headBegun = false;
    this.#messageOpen = true;
    const exchange = new Exchange(this, head);
    this.#exchange = exchange;
    this.#http = exchange.http;
    exchange.start();
    if (head.framing !== 'none') this.#armTimer();
  }

  onData(slice: Buffer): void {
    this.#exchange?.onRequestData(slice);
    this.#armTimer();
  }

  onTrailers(trailers: HeaderLines): void {
    this.#exchange?.onRequestTrailers(trailers);
  }

  onMessageEnd(): void {
    this.#messageOpen = false;
    this.#exchange?.onRequestEnd();
    this.#armTimer();
  }

  onError(code: ErrorCode): void {
    if (this.#exchange !== null) return this.#exchange.fail(code);
    if (!this.#messageOpen) this.#refuse(code);
    this.#finish();
  }

  // From the exchange.

  isTrusted(trustedProxies: readonly string[]): boolean {
    if (trustedProxies !== this.#trustList) {
      this.#trustList = trustedProxies;
      this.#trusted = trustCheck(trustedProxies)(this.peer);
    }
    return this.#trusted;
  }

  mayStayOpen(head: RequestHead, bodyLeft: number): boolean {
    if (!head.keepAlive || this.#draining) return false;
    if (this.#ended && this.#backlog.length === 0) return false;
    // A short rest is read and thrown away; a long one is not worth it, and after Expect it may never come.
    return bodyLeft === 0 || (bodyLeft <= limit('bufferedBodyBytes') && head.expect === 'none');
  }

  flush(): boolean {
    const data = this.out.take();
    if (data === null || this.#closing) return !this.#blocked;
    const taken = typeof data === 'string' ? this.#socket.write(data, 'latin1') : this.#socket.write(data);
    if (!taken) {
      this.#blocked = true;
      this.#armTimer();
    }
    return taken;
  }

  pauseReading(): void {
    this.#paused = true;
    this.#socket.pause();
    this.#armTimer();
  }

  resumeReading(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
    this.#armTimer();
  }

  onExchangeEnd(close: boolean): void {
    this.#exchange = null;
    if (close) return this.#finish();
    this.resumeReading();
    this.#armTimer();
    if (!this.inRead) this.#readBacklog();
  }

  reset(): void {
    this.#exchange = null;
    this.#closing = true;
    this.#socket.resetAndDestroy();
  }

  // From the socket.

  #onChunk(chunk: Buffer): void {
    if (this.#closing) return;
    if (this.#mayParse() && this.#backlog.length === 0) this.#parse(chunk);
    else this.#keep(chunk);
  }

  /** The rest of a request under way, or the next one once the last is answered and its response is on its way. */
  #mayParse(): boolean {
    return this.#messageOpen || (this.#exchange === null && !this.#blocked);
  }

  #parse(chunk: Buffer): void {
    let offset = 0;
    this.inRead = true;
    while (offset < chunk.length && !this.#closing && this.#mayParse()) offset = this.#parser.execute(chunk, offset);
    this.inRead = false;
    this.#exchange?.onRequestRead();
    if (this.#closing) return;
    if (offset < chunk.length) this.#keep(chunk.subarray(offset));
    else if (this.#exchange === null && !this.#messageOpen && !this.#headBegun && !this.#parser.idle) {
      this.#headBegun = true;
      this.context.wheel.set(this.#timer, this.#http.headersTimeoutMs);
    }
  }

  #keep(chunk: Buffer): void {
    this.#backlog.push(chunk);
    this.#backlogBytes += chunk.length;
    if (this.#backlogBytes > limit('pipelinedBytes')) this.#socket.pause();
  }

  #readBacklog(): void {
    while (this.#backlog.length > 0 && !this.#closing && this.#mayParse()) {
      const chunk = this.#backlog.shift();
      if (chunk === undefined) return;
      // What is not parsed now goes to the end of the list, so the rest of it must be behind.
      const later = this.#backlog;
      this.#backlog = [];
      this.#backlogBytes = 0;
      this.#parse(chunk);
      for (const next of later) this.#keep(next);
    }
    if (this.#backlogBytes <= limit('pipelinedBytes') && !this.#paused) this.#socket.resume();
    if (this.#ended && !this.#closing) this.#afterEnd();
  }

  #onDrain(): void {
    this.#blocked = false;
    this.#armTimer();
    this.#exchange?.onClientWritable();
    this.#readBacklog();
  }

  #onEnd(): void {
    this.#ended = true;
    if (!this.#closing) this.#afterEnd();
  }

  /** The client will send no more; what it sent completely is still answered. */
  #afterEnd(): void {
    if (this.#messageOpen && this.#backlog.length === 0) return this.destroy();
    if (this.#exchange === null && this.#backlog.length === 0) this.#finish();
    else this.#armTimer();
  }

  /** Writes what is to be written, ends our side, and gives the client a moment to end its own. */
  #finish(): void {
    if (this.#closing) return;
    this.flush();
    this.#closing = true;
    this.#backlog = [];
    const { wheel } = this.context;
    wheel.set(this.#timer, limit('sendTimeoutMs'));
    this.#socket.end(() => {
      if (!this.#socket.destroyed) wheel.set(this.#timer, limit('lingerTimeoutMs'));
    });
    // Closing with unread bytes would reset the connection, and take the response from under the client's eyes.
    this.#socket.resume();
  }

  /** The connection is gone, or as good as gone. */
  #settle(): void {
    this.#closing = true;
    const exchange = this.#exchange;
    this.#exchange = null;
    exchange?.onClientGone();
    this.context.wheel.remove(this.#timer);
    this.context.wheel.remove(this.answerTimer);
  }

  /** Sets the one timer to what the connection waits for now. */
  #armTimer(): void {
    if (this.#closing) return;
    const { wheel } = this.context;
    const { bodyIdleTimeoutMs, keepAliveTimeoutMs } = this.#http;
    if (this.#blocked) wheel.set(this.#timer, limit('sendTimeoutMs'));
    else if (this.#messageOpen && !this.#paused) wheel.set(this.#timer, bodyIdleTimeoutMs);
    else if (this.#exchange === null) wheel.set(this.#timer, keepAliveTimeoutMs);
    else if (this.#ended && this.#probes < PROBES) wheel.set(this.#timer, PROBE_AFTER_MS);
    else wheel.clear(this.#timer);
  }

  #onTimeout(): void {
    if (this.#closing || this.#blocked) return this.destroy();
    if (this.#exchange !== null) {
      if (this.#messageOpen) this.#exchange.fail('request_timeout');
      else this.#probe();
      return;
    }
    if (this.#messageOpen) return this.destroy();
    if (this.#headBegun) this.#refuse('request_timeout');
    this.#finish();
  }

  #probe(): void {
    if (this.#exchange?.mayProbe !== true) return;
    this.#probes += 1;
    this.#socket.write(PROBE, 'latin1');
    this.#armTimer();
  }

  #refuse(code: ErrorCode): void {
    this.out.text(refuse(code, this.context, this.peer));
  }
}
