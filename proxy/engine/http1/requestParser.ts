/** The downstream side: requests out of a client's bytes. */
import { limit } from '../../contract/limits.ts';
import { BodyReader, trailerRules } from './body.ts';
import { REQUEST_LINE } from './chars.ts';
import { HeadScanner, type HeadRules, type Refusal } from './headScanner.ts';
import { RequestInterpreter, RequestLine } from './requestHead.ts';
import type { FinishResult, RequestHandler, RequestParserApi } from './types.ts';

/** Limits of a request's header section, trailers apart. */
export interface HeaderLimits {
  /** Bytes of the field lines with the empty line that ends them. */
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
}

const HEAD_RULES: HeadRules = {
  startLineBytes: limit('requestLineBytes'),
  startLineChars: REQUEST_LINE,
  skipsEmptyLine: true,
  fieldBytes: limit('headerBytes'),
  fieldCount: limit('headerCount'),
  malformed: 'bad_request',
  startLineTooLong: 'uri_too_long',
  fieldsTooLarge: 'headers_too_large',
};
const TRAILER_RULES = trailerRules('bad_request', 'headers_too_large');

export class RequestParser implements RequestParserApi {
  private readonly handler: RequestHandler;
  private readonly line = new RequestLine();
  private readonly scanner: HeadScanner;
  private readonly interpreter = new RequestInterpreter();
  private readonly body: BodyReader;
  private inBody = false;
  private dead = false;

  /** `limits` are the fleet’s; without them those of the limits table hold. */
  constructor(handler: RequestHandler, limits?: HeaderLimits) {
    this.handler = handler;
    const rules =
      limits === undefined
        ? HEAD_RULES
        : { ...HEAD_RULES, fieldBytes: limits.maxHeaderBytes, fieldCount: limits.maxHeaders };
    this.scanner = new HeadScanner(rules, this.line);
    this.body = new BodyReader(handler, TRAILER_RULES);
  }

  get idle(): boolean {
    return !this.inBody && !this.dead && this.scanner.untouched;
  }

  pause(): void {
    this.body.paused = true;
  }

  execute(chunk: Buffer, offset = 0): number {
    if (this.dead) return chunk.length;
    this.body.paused = false;
    let pos = offset;
    if (!this.inBody) {
      if (pos >= chunk.length) return pos;
      pos = this.scanner.scan(chunk, pos);
      if (this.scanner.refusal !== null) return this.refuse(this.scanner.refusal, chunk);
      if (!this.scanner.complete) return pos;
      if (!this.beginMessage()) return chunk.length;
    }
    pos = this.body.read(chunk, pos);
    if (this.body.refusal !== null) return this.refuse(this.body.refusal, chunk);
    if (this.body.ended) {
      this.inBody = false;
      this.handler.onMessageEnd();
    }
    return pos;
  }

  finish(): FinishResult {
    const result = this.inBody ? 'truncated' : this.idle || this.dead ? 'idle' : 'before_head';
    this.dead = true;
    return result;
  }

  private beginMessage(): boolean {
    const head = this.interpreter.interpret(this.line, this.scanner.source, this.scanner.fields());
    this.scanner.reset();
    if ('code' in head) {
      this.refuse(head);
      return false;
    }
    this.body.begin(head.framing, head.contentLength);
    this.inBody = true;
    this.handler.onHead(head);
    return true;
  }

  /** Reports the refusal; nothing more is parsed. Returns the end of the chunk: all of it is given up. */
  private refuse(refusal: Refusal, chunk?: Buffer): number {
    this.dead = true;
    this.handler.onError(refusal.code, refusal.detail);
    return chunk === undefined ? 0 : chunk.length;
  }
}
