/** The request on its way upstream: head first, then the body as it arrives. */
import type { Attempt } from './attempt.ts';
import { BodyFlow } from './bodyFlow.ts';
import { forwardedTrailers } from './http1/hopByHop.ts';
import type { HeaderLines, RequestHead } from './http1/types.ts';
import { Outbox } from './outbox.ts';

export class RequestSender {
  /** The client has sent all of it. */
  complete = false;
  readonly #out = new Outbox();
  readonly #body = new BodyFlow(this.#out);
  #head = '';
  #headSent = false;

  constructor(framing: RequestHead['framing']) {
    this.#body.begin(framing === 'chunked');
  }

  /** Bytes of the body received so far. */
  get bodyBytes(): number {
    return this.#body.bytes;
  }

  setHead(text: string): void {
    this.#head = text;
  }

  data(slice: Buffer): void {
    this.#body.write(slice);
  }

  trailers(trailers: HeaderLines): void {
    this.#body.trailers(forwardedTrailers(trailers));
  }

  end(): void {
    this.complete = true;
    this.#body.end();
  }

  /** The next `flush` begins with the head again, on another connection. Only for requests without a body. */
  restart(): void {
    this.#headSent = false;
  }

  /** Writes what has come; false when the upstream is slow: wait for `onUpstreamWritable`. */
  flush(attempt: Attempt): boolean {
    const data = this.#out.take(this.#headSent ? '' : this.#head);
    this.#headSent = true;
    return attempt.send(data, this.complete);
  }
}
