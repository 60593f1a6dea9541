/**
 * The one way of every body, requests and responses alike, from the parser of one side to the outbox of the other: framed
 * anew (RFC 9112 §6), counted, never held back. Whoever wants a copy of a body attaches here: a tee (cache, mirror) sees
 * each piece in `write`, a replay buffer (retries) keeps them up to its limit.
 */
import { CHUNK_END, encodeChunkHeader, encodeLastChunk } from './http1/serialize.ts';
import type { Outbox } from './outbox.ts';

export class BodyFlow {
  /** Bytes of the body so far, without framing. */
  bytes = 0;
  readonly #out: Outbox;
  /** Framed in chunks; otherwise the head's Content-Length or the connection's end tells the length. */
  #chunked = false;
  #trailers = '';

  constructor(out: Outbox) {
    this.#out = out;
  }

  begin(chunked: boolean): void {
    this.#chunked = chunked;
  }

  write(slice: Buffer): void {
    this.bytes += slice.length;
    if (!this.#chunked) return this.#out.data(slice);
    this.#out.text(encodeChunkHeader(slice.length));
    this.#out.data(slice);
    this.#out.text(CHUNK_END);
  }

  /** Trailer lines, each with its CRLF; dropped where the framing has no place for them. */
  trailers(lines: string): void {
    this.#trailers += lines;
  }

  end(): void {
    if (this.#chunked) this.#out.text(encodeLastChunk(this.#trailers));
  }
}
