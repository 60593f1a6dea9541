/**
 * One request and its answer: holds what is known of them, carries out what the phases decide, and moves the bodies
 * between the client's connection and the attempt. Ends exactly once, with one record.
 */
import { ERRORS, type ErrorCode } from '../contract/errors.ts';
import type { WheelTimer } from '../registries/wheel.ts';
import type { Answer } from '../snapshot/phases.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import { BodyFlow } from './bodyFlow.ts';
import type { EngineContext } from './context.ts';
import { answerHead, type AnswerContext, errorResponse } from './errorResponse.ts';
import { clientResponseHead, interimResponseHead, upstreamRequestHead } from './forward.ts';
import { forwardedTrailers } from './http1/hopByHop.ts';
import type { HeaderLines, RequestHead, ResponseHead } from './http1/types.ts';
import type { Outbox } from './outbox.ts';
import { type PhaseSubject, runRequestPhases } from './phases.ts';
import { RequestSender } from './requestSender.ts';
import { type Peer, RequestView } from './requestView.ts';
import { responseChanges } from './responseFilters.ts';

/** The client's connection, as its current exchange uses it. */
export interface ClientSide extends Peer {
  readonly context: EngineContext;
  readonly out: Outbox;
  /** The timer of the exchange under way; fires `onAnswerTimeout`. */
  readonly answerTimer: WheelTimer;
  /** Whether another request may follow on the connection, when `bodyLeft` bytes of this one (Infinity: unknown) are to come. */
  mayStayOpen(head: RequestHead, bodyLeft: number): boolean;
  /** A read of the client is being handled; `onRequestRead` follows. */
  readonly inRead: boolean;
  /** Writes what was collected; false when the client is slow: wait for `onClientWritable`. */
  flush(): boolean;
  pauseReading(): void;
  resumeReading(): void;
  /** The exchange has ended, its response complete; `close`: the connection ends with it. */
  onExchangeEnd(close: boolean): void;
  /** The response is cut short, and the client must see it. */
  reset(): void;
}

export class Exchange extends RequestView implements PhaseSubject, AttemptOwner {
  settled = false;
  readonly #client: ClientSide;
  readonly #context: EngineContext;
  readonly #startedAt: number;
  readonly #request: RequestSender;
  readonly #responseBody: BodyFlow;
  #attempt: Attempt | null = null;
  #attemptAt = 0;
  /** Status of the response's final head, 0 before it. */
  #status = 0;
  /** Some of that head was handed to the socket: no other response can take its place. */
  #committed = false;
  #close = false;
  /** What was left of the answer's time when the client stopped reading; -1 while it runs. */
  #answerLeftMs = -1;

  constructor(client: ClientSide, head: RequestHead) {
    super(client.context, client, head);
    this.#client = client;
    this.#context = client.context;
    this.#startedAt = this.#context.now();
    this.#request = new RequestSender(head.framing);
    this.#responseBody = new BodyFlow(client.out);
  }

  /** Nothing of the response has been sent, and the client must understand interim responses. */
  get mayProbe(): boolean {
    return this.#status === 0 && this.head.minor === 1;
  }

  now(): number {
    return this.#context.now();
  }

  /** Runs the phases. */
  start(): void {
    try {
      const waiting = runRequestPhases(this);
      waiting?.catch((error: unknown) => this.#failInternally(error));
    } catch (error) {
      this.#failInternally(error);
    }
  }

  // From the client's connection.

  onRequestData(slice: Buffer): void {
    if (this.settled) return;
    const limitBytes = this.route?.plan.bodyLimitBytes ?? this.http.maxBodyBytes;
    if (this.#request.bodyBytes + slice.length > limitBytes) this.fail('body_too_large');
    else this.#request.data(slice);
  }

  onRequestTrailers(trailers: HeaderLines): void {
    if (!this.settled) this.#request.trailers(trailers);
  }

  onRequestEnd(): void {
    if (!this.settled) this.#request.end();
  }

  /** A read of the client was handled to its end: what it brought goes upstream. */
  onRequestRead(): void {
    if (!this.settled) this.#sendRequest();
  }

  /** The client's connection is gone. */
  onClientGone(): void {
    if (this.settled) return;
    this.#attempt?.cancel();
    this.#end('client_closed');
  }

  onClientWritable(): void {
    if (this.settled) return;
    if (this.#answerLeftMs >= 0) this.#context.wheel.set(this.#client.answerTimer, this.#answerLeftMs);
    this.#answerLeftMs = -1;
    this.#attempt?.resumeReading();
    if (this.#committed) this.#attempt?.expectWithin(this.http.bodyIdleTimeoutMs);
  }

  onAnswerTimeout(): void {
    this.fail('upstream_timeout');
  }

  // What the phases decide.

  fail(code: ErrorCode): void {
    if (this.settled) return;
    this.#attempt?.cancel();
    const client = this.#client;
    if (this.#committed) {
      this.#end(code);
      return client.reset();
    }
    client.out.clear();
    this.#status = ERRORS[code].status;
    client.out.text(errorResponse(code, this.#answerContext(ERRORS[code].closes)));
    this.#end(code);
    client.flush();
    client.onExchangeEnd(this.#close);
  }

  answer(answer: Answer): void {
    if (this.settled) return;
    const client = this.#client;
    this.#status = answer.status;
    const context = this.#answerContext(false);
    client.out.text(answerHead(answer, context));
    const bodiless = context.withoutBody || answer.status === 204 || answer.status === 304;
    if (!bodiless && answer.body.length > 0) this.#responseBody.write(answer.body);
    this.#end();
    client.flush();
    client.onExchangeEnd(this.#close);
  }

  send(): void {
    const { route, head, requestId } = this;
    if (route?.pool === undefined) return this.fail('unresolved_ref');
    const { target, hop, changes } = this;
    this.#request.setHead(upstreamRequestHead({ head, target, requestId, hop, changes }));
    this.#attemptAt = this.now();
    this.#context.wheel.set(this.#client.answerTimer, route.plan.timeoutMs);
    this.#attempt = new Attempt(this, route.pool);
    this.#attempt.start();
  }

  // From the attempt.

  onAttemptReady(): void {
    this.#request.restart();
    // Within a read of the client, what it brings is sent at its end, together with the head.
    if (!this.#client.inRead) this.#sendRequest();
  }

  onUpstreamWritable(): void {
    if (this.settled) return;
    this.#waitForRequest();
  }

  onInformational(head: ResponseHead): void {
    if (this.head.minor === 1 && this.#status === 0) this.#client.out.text(interimResponseHead(head));
  }

  onResponseHead(head: ResponseHead): void {
    try {
      this.#beginResponse(head);
    } catch (error) {
      this.#failInternally(error);
    }
  }

  onResponseData(slice: Buffer): void {
    if (!this.settled) this.#responseBody.write(slice);
  }

  onResponseTrailers(trailers: HeaderLines): void {
    if (!this.settled) this.#responseBody.trailers(forwardedTrailers(trailers));
  }

  onResponseRead(): void {
    if (this.settled) return;
    if (this.#status !== 0) this.#committed = true;
    if (this.#client.flush()) {
      if (this.#committed) this.#attempt?.expectWithin(this.http.bodyIdleTimeoutMs);
      return;
    }
    this.#attempt?.pauseReading();
    const { answerTimer } = this.#client;
    if (!answerTimer.isSet) return;
    // The route's timeout is the upstream's: it does not run while the client is what everybody waits for.
    this.#answerLeftMs = this.#context.wheel.remainingMs(answerTimer);
    this.#context.wheel.clear(answerTimer);
  }

  onResponseEnd(): void {
    if (this.settled) return;
    this.#responseBody.end();
    this.#end();
    this.#client.flush();
    this.#client.onExchangeEnd(this.#close);
  }

  onAttemptFailed(code: ErrorCode): void {
    this.fail(code);
  }

  #sendRequest(): void {
    const attempt = this.#attempt;
    if (attempt?.connected !== true) {
      // Nowhere to send it yet: what came is kept, and no more is read.
      if (!this.#request.complete) this.#client.pauseReading();
    } else if (this.#request.flush(attempt)) {
      this.#waitForRequest();
    } else {
      this.#client.pauseReading();
      this.#waitForAnswer();
    }
  }

  /** The upstream takes more: either all was sent and its time begins, or the client's next bytes are waited for. */
  #waitForRequest(): void {
    if (this.#request.complete) return this.#waitForAnswer();
    this.#context.wheel.clear(this.#client.answerTimer);
    this.#client.resumeReading();
  }

  /** From here on the route's timeout runs. */
  #waitForAnswer(): void {
    if (this.route !== undefined) this.#context.wheel.set(this.#client.answerTimer, this.route.plan.timeoutMs);
  }

  #beginResponse(head: ResponseHead): void {
    const filters = this.route?.phases.responseFilters;
    const changes = filters === undefined || filters.length === 0 ? undefined : responseChanges(filters, this, head);
    const unknownLength = head.framing === 'chunked' || head.framing === 'close';
    const chunked = unknownLength && this.head.minor === 1;
    this.#status = head.status;
    this.#responseBody.begin(chunked);
    const { requestId } = this;
    const { date } = this.#context;
    const connectionLine = this.#decideClose(unknownLength && !chunked);
    this.#client.out.text(clientResponseHead({ head, requestId, chunked, connectionLine, date, changes }));
  }

  #answerContext(mustClose: boolean): AnswerContext {
    const connectionLine = this.#decideClose(mustClose);
    return {
      requestId: this.requestId,
      withoutBody: this.head.method === 'HEAD',
      connectionLine,
      date: this.#context.date(),
    };
  }

  /** Decides whether the connection ends with this response, and returns the line that says so. */
  #decideClose(mustClose: boolean): string {
    const { head } = this;
    const { complete, bodyBytes } = this.#request;
    const bodyLeft =
      complete || head.framing === 'none' ? 0 : head.framing === 'length' ? head.contentLength - bodyBytes : Infinity;
    this.#close = mustClose || !this.#client.mayStayOpen(head, bodyLeft);
    if (this.#close) return 'connection: close\r\n';
    return head.minor === 0 ? 'connection: keep-alive\r\n' : '';
  }

  #failInternally(error: unknown): void {
    this.#context.onInternalError(error);
    this.fail('internal');
  }

  /** The log phase: everything about the exchange is over but the writing of what was collected. */
  #end(error?: ErrorCode): void {
    this.settled = true;
    const now = this.now();
    this.#context.wheel.clear(this.#client.answerTimer);
    const durationMs = now - this.#startedAt;
    const status = error === 'client_closed' ? ERRORS.client_closed.status : this.#status;
    const requestBytes = this.#request.bodyBytes;
    const responseBytes = this.#responseBody.bytes;
    const { route, snapshot } = this;
    const record = {
      startedAtMs: this.#context.wallNow() - durationMs,
      requestId: this.requestId,
      method: this.head.method,
      path: this.path,
      query: this.query,
      host: this.head.hostname,
      route: route?.plan.id ?? '',
      pool: route?.plan.pool ?? '',
      endpoint: this.#attempt?.endpoint?.address ?? '',
      status,
      durationMs,
      upstreamDurationMs: this.#attempt === null ? 0 : now - this.#attemptAt,
      retries: this.#attempt?.retries ?? 0,
      requestBytes,
      responseBytes,
      snapshot: snapshot?.version ?? '',
      client: this.client,
    };
    (route?.stats ?? snapshot?.unrouted)?.onRequest(status, durationMs, requestBytes, responseBytes);
    this.#context.accessLog.write(error === undefined ? record : { ...record, error });
    snapshot?.lease.give();
  }
}
