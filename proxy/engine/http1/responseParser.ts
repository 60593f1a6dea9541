/** The upstream side: responses out of an upstream's bytes, one for each request announced by `expect`. */
import { limit } from '../../contract/limits.ts';
import { BodyReader, trailerRules } from './body.ts';
import { FIELD_CONTENT } from './chars.ts';
import { HeadScanner, type HeadRules, type Refusal } from './headScanner.ts';
import { interpretResponse, StatusLine } from './responseHead.ts';
import type { FinishResult, ResponseHandler, ResponseParserApi } from './types.ts';

const HEAD_RULES: HeadRules = {
  startLineBytes: limit('requestLineBytes'),
  startLineChars: FIELD_CONTENT,
  skipsEmptyLine: false,
  fieldBytes: limit('headerBytes'),
  fieldCount: limit('headerCount'),
  malformed: 'upstream_protocol_error',
  startLineTooLong: 'upstream_response_too_large',
  fieldsTooLarge: 'upstream_response_too_large',
};
const TRAILER_RULES = trailerRules('upstream_protocol_error', 'upstream_response_too_large');

const EXTRA_BYTES: Refusal = { code: 'upstream_protocol_error', detail: 'bytes that belong to no response' };
const TOO_MANY_INFORMATIONAL: Refusal = { code: 'upstream_protocol_error', detail: 'too many interim responses' };

const IDLE = 0;
const HEAD = 1;
const BODY = 2;
const TUNNEL = 3;
const DEAD = 4;

export class ResponseParser implements ResponseParserApi {
  private readonly handler: ResponseHandler;
  private readonly line = new StatusLine();
  private readonly scanner = new HeadScanner(HEAD_RULES, this.line);
  private readonly body: BodyReader;
  private readonly maxInformational = limit('informationalResponses');
  private state = IDLE;
  private method = '';
  private upgradeSent = false;
  private informational = 0;
  private keepAlive = false;

  constructor(handler: ResponseHandler) {
    this.handler = handler;
    this.body = new BodyReader(handler, TRAILER_RULES);
  }

  get idle(): boolean {
    return this.state === IDLE;
  }

  expect(method: string, upgrade: boolean): void {
    if (this.state !== IDLE) throw new Error('a response is still due, or the connection is no longer HTTP/1.1');
    this.method = method;
    this.upgradeSent = upgrade;
    this.informational = 0;
    this.state = HEAD;
  }

  pause(): void {
    this.body.paused = true;
  }

  execute(chunk: Buffer, offset = 0): number {
    this.body.paused = false;
    let pos = offset;
    while (this.state === HEAD && pos < chunk.length && !this.body.paused) pos = this.readHead(chunk, pos);
    if (this.state === BODY) pos = this.readBody(chunk, pos);
    else if (this.state === IDLE && pos < chunk.length) this.refuse(EXTRA_BYTES);
    return this.state === DEAD ? chunk.length : pos;
  }

  finish(): FinishResult {
    const { state } = this;
    this.state = DEAD;
    if (state === HEAD) return 'before_head';
    if (state !== BODY) return 'idle';
    if (!this.body.untilClose) return 'truncated';
    this.handler.onMessageEnd(false);
    return 'complete';
  }

  private readHead(chunk: Buffer, offset: number): number {
    const pos = this.scanner.scan(chunk, offset);
    if (this.scanner.refusal !== null) this.refuse(this.scanner.refusal);
    else if (this.scanner.complete) this.beginMessage();
    return pos;
  }

  private beginMessage(): void {
    const { line, scanner, method, upgradeSent } = this;
    const head = interpretResponse(line, scanner.source, scanner.fields(), method, upgradeSent);
    scanner.reset();
    if ('code' in head) return this.refuse(head);
    if (head.status < 200 && !head.upgrade) {
      if (++this.informational > this.maxInformational) return this.refuse(TOO_MANY_INFORMATIONAL);
      return this.handler.onInformational(head);
    }
    this.keepAlive = head.keepAlive;
    this.body.begin(head.framing, head.contentLength);
    this.state = head.upgrade ? TUNNEL : BODY;
    this.handler.onHead(head);
  }

  private readBody(chunk: Buffer, offset: number): number {
    const pos = this.body.read(chunk, offset);
    if (this.body.refusal !== null) this.refuse(this.body.refusal);
    else if (this.body.ended) {
      // Bytes behind the end belong to no request: whatever they are, this connection is not to be used again.
      const reusable = this.keepAlive && pos === chunk.length;
      this.state = reusable ? IDLE : DEAD;
      this.handler.onMessageEnd(reusable);
    }
    return pos;
  }

  private refuse(refusal: Refusal): void {
    this.state = DEAD;
    this.handler.onError(refusal.code, refusal.detail);
  }
}
