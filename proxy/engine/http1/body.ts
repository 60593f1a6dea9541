/** Bodies and trailers (RFC 9112 §6, §7): by length, chunked, or up to the end of the connection. */
import type { ErrorCode } from '../../contract/errors.ts';
import { limit } from '../../contract/limits.ts';
import { byteAt, classOf, CR, HEX, LF, REQUEST_LINE, SEMICOLON } from './chars.ts';
import type { HeadRules, Refusal } from './headScanner.ts';
import { HeadScanner } from './headScanner.ts';
import type { Framing, HeaderLines } from './types.ts';

export interface BodySink {
  onData(slice: Buffer): void;
  onTrailers?(trailers: HeaderLines): void;
}

/** 13 hex digits stay below 2^52, so that sizes are exact numbers. */
const MAX_SIZE_DIGITS = 13;

/** chunk-ext of RFC 9112 §7.1.1 without the "bad" whitespace, which is refused. */
const CHUNK_EXTENSIONS =
  /^(?:;[!#$%&'*+\-.^_`|~\w]+(?:=(?:[!#$%&'*+\-.^_`|~\w]+|"(?:[\t \x21\x23-\x5b\x5d-\x7e]|\\[\t\x20-\x7e])*"))?)+$/;

const FIXED = 0;
const UNTIL_CLOSE = 1;
const SIZE = 2;
const EXTENSION = 3;
const SIZE_LF = 4;
const CHUNK = 5;
const CHUNK_CR = 6;
const CHUNK_LF = 7;
const TRAILERS = 8;
const ENDED = 9;

/** Rules of a trailer section, with the codes of the side it is read on. */
export function trailerRules(malformed: ErrorCode, tooLarge: ErrorCode): HeadRules {
  return {
    startLineBytes: 0,
    startLineChars: REQUEST_LINE,
    skipsEmptyLine: false,
    fieldBytes: limit('trailerBytes'),
    fieldCount: limit('headerCount'),
    malformed,
    startLineTooLong: tooLarge,
    fieldsTooLarge: tooLarge,
  };
}

export class BodyReader {
  refusal: Refusal | null = null;
  /** Set by a callback that wants `read` to return. */
  paused = false;
  private readonly sink: BodySink;
  private readonly rules: HeadRules;
  private readonly maxExtensionBytes = limit('chunkExtensionBytes');
  private phase = ENDED;
  /** Bytes left of the body, or of the chunk. */
  private left = 0;
  private digits = 0;
  private extension = '';
  private trailers: HeadScanner | null = null;

  constructor(sink: BodySink, rules: HeadRules) {
    this.sink = sink;
    this.rules = rules;
  }

  get ended(): boolean {
    return this.phase === ENDED;
  }

  get untilClose(): boolean {
    return this.phase === UNTIL_CLOSE;
  }

  /** Begins the body of a message; `length` in bytes counts for framing 'length'. */
  begin(framing: Framing, length: number): void {
    this.left = length;
    if (framing === 'chunked') this.beginChunk();
    else if (framing === 'close') this.phase = UNTIL_CLOSE;
    else this.phase = length > 0 ? FIXED : ENDED;
  }

  /** Ends a body that only the end of the connection could end. */
  end(): void {
    this.phase = ENDED;
  }

  /** Reads on until the body has ended, the chunk is used up, `paused` is set or `refusal`; returns the offset reached. */
  read(chunk: Buffer, offset: number): number {
    let pos = offset;
    while (pos < chunk.length && this.phase !== ENDED && !this.paused && this.refusal === null) {
      if (this.phase === FIXED || this.phase === CHUNK) pos = this.readCounted(chunk, pos);
      else if (this.phase === TRAILERS) pos = this.readTrailers(chunk, pos);
      else if (this.phase === UNTIL_CLOSE) {
        this.sink.onData(pos === 0 ? chunk : chunk.subarray(pos));
        pos = chunk.length;
      } else {
        this.readFramingByte(byteAt(chunk, pos));
        pos++;
      }
    }
    return pos;
  }

  private readCounted(chunk: Buffer, pos: number): number {
    const available = chunk.length - pos;
    const taken = available < this.left ? available : this.left;
    this.left -= taken;
    if (this.left === 0) this.phase = this.phase === CHUNK ? CHUNK_CR : ENDED;
    this.sink.onData(taken === chunk.length ? chunk : chunk.subarray(pos, pos + taken));
    return pos + taken;
  }

  private beginChunk(): void {
    this.phase = SIZE;
    this.left = 0;
    this.digits = 0;
    this.extension = '';
  }

  private readFramingByte(byte: number): void {
    switch (this.phase) {
      case SIZE:
        return this.readSize(byte);
      case EXTENSION:
        return this.readExtension(byte);
      case SIZE_LF:
        if (byte !== LF) return this.refuse('a CR without LF after a chunk size');
        if (this.left > 0) this.phase = CHUNK;
        else this.phase = TRAILERS;
        return;
      case CHUNK_CR:
        if (byte !== CR) return this.refuse('a chunk is longer than its size');
        this.phase = CHUNK_LF;
        return;
      default:
        if (byte !== LF) return this.refuse('a CR without LF after a chunk');
        this.beginChunk();
    }
  }

  private readSize(byte: number): void {
    const digit = classOf(HEX, byte);
    if (digit < 16) {
      if (++this.digits > MAX_SIZE_DIGITS) return this.refuse('a chunk size is too large');
      this.left = this.left * 16 + digit;
      return;
    }
    if (this.digits === 0) return this.refuse('a chunk size is missing or not hexadecimal');
    if (byte === CR) this.phase = SIZE_LF;
    else if (byte === SEMICOLON) {
      this.extension = ';';
      this.phase = EXTENSION;
    } else this.refuse(byte === LF ? 'a chunk size ends in a bare LF' : 'a chunk size is not hexadecimal');
  }

  /** Extensions are checked, counted and dropped: nobody uses them but attackers. */
  private readExtension(byte: number): void {
    if (byte === CR) {
      if (!CHUNK_EXTENSIONS.test(this.extension)) return this.refuse('a chunk extension is malformed');
      this.phase = SIZE_LF;
    } else if (byte === LF) this.refuse('a chunk extension holds a bare LF');
    else if (this.extension.length >= this.maxExtensionBytes) this.refuse('a chunk extension is over the limit');
    else this.extension += String.fromCharCode(byte);
  }

  private readTrailers(chunk: Buffer, pos: number): number {
    this.trailers ??= new HeadScanner(this.rules, null);
    const next = this.trailers.scan(chunk, pos);
    this.refusal = this.trailers.refusal;
    if (!this.trailers.complete) return next;
    const lines = this.trailers.fields();
    this.trailers.reset();
    this.phase = ENDED;
    if (lines.count > 0) this.sink.onTrailers?.(lines);
    return next;
  }

  private refuse(detail: string): void {
    this.refusal = { code: this.rules.malformed, detail };
  }
}
