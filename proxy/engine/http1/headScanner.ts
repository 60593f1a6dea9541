/**
 * Reads a start line and field lines up to the empty line, from any split of the bytes, byte by byte: what is refused
 * and when depends on the bytes alone, never on how they arrived. A head within one chunk is read in place; otherwise its
 * bytes are held back, at most the limits of the start line and the field section together.
 */
import type { ErrorCode } from '../../contract/errors.ts';
import { byteAt, classOf, COLON, CR, FIELD_CONTENT, HTAB, LF, SP, TOKEN, UNDERSCORE_CLASS } from './chars.ts';
import { HeaderBlock, MAX_SOURCE_BYTES, packLine } from './headerBlock.ts';
import { foldedId, knownHeaderIdAt, LAST_FRAMING_ID } from './knownHeaders.ts';

/** Why a message is refused. The detail never holds received bytes. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly detail: string;
}

/** What one kind of head (request, response, trailers) demands. */
export interface HeadRules {
  /** Bytes of the start line with its CRLF; 0 where there is no start line (trailers). */
  readonly startLineBytes: number;
  /** Bytes the start line may hold. */
  readonly startLineChars: Uint8Array;
  /** Whether one CRLF before the start line is skipped (RFC 9112 §2.2). */
  readonly skipsEmptyLine: boolean;
  /** Bytes of the field lines with the empty line that ends them. */
  readonly fieldBytes: number;
  readonly fieldCount: number;
  readonly malformed: ErrorCode;
  readonly startLineTooLong: ErrorCode;
  readonly fieldsTooLarge: ErrorCode;
}

/** Takes a complete start line, without its CRLF, or refuses it. */
export interface StartLineReader {
  readStartLine(buffer: Buffer, start: number, end: number): Refusal | null;
}

const FIRST_HELD_BYTES = 1024;

const BEGIN = 0;
const EMPTY_LINE_LF = 1;
const START_LINE = 2;
const FIELD_NAME = 3;
const FIELD_VALUE = 4;
const DONE = 5;
const REFUSED = 6;

/**
 * Skips visible ASCII and spaces, which is most of every head, four bytes at a time (half the time of a table look-up per
 * byte): a byte outside 0x20–0x7e makes one of the differences negative. May stop early, the tables decide the rest.
 */
function skipPlain(buffer: Buffer, start: number, stop: number): number {
  let pos = start;
  while (pos + 4 <= stop) {
    const a = byteAt(buffer, pos);
    const b = byteAt(buffer, pos + 1);
    const c = byteAt(buffer, pos + 2);
    const d = byteAt(buffer, pos + 3);
    const low = (a - 0x20) | (b - 0x20) | (c - 0x20) | (d - 0x20);
    const high = (0x7e - a) | (0x7e - b) | (0x7e - c) | (0x7e - d);
    if ((low | high) < 0) break;
    pos += 4;
  }
  return pos;
}

export class HeadScanner {
  refusal: Refusal | null = null;
  /** The start line, from its first byte, and the field lines as one latin1 string, once `complete`. */
  source = '';
  private readonly rules: HeadRules;
  private readonly reader: StartLineReader | null;
  private phase = BEGIN;
  private emptyLineSkipped = false;
  private held: Buffer | null = null;
  private heldLength = 0;
  // Positions are offsets into what is being read: the chunk, or `held`.
  private base = 0;
  private pos = 0;
  private lineStart = 0;
  private nameEnd = 0;
  private nameClasses = 0;
  /** Start of the field section, counted from `base`, and the lines found in it (see HeaderBlock). */
  private fieldsAt = 0;
  private lines: number[] = [];
  private seen = 0;

  constructor(rules: HeadRules, reader: StartLineReader | null) {
    if (rules.startLineBytes + rules.fieldBytes > MAX_SOURCE_BYTES)
      throw new RangeError('the limits of a head are too large');
    this.rules = rules;
    this.reader = reader;
  }

  get complete(): boolean {
    return this.phase === DONE;
  }

  /** True while nothing of a head has been received, an empty line apart. */
  get untouched(): boolean {
    return this.phase <= EMPTY_LINE_LF;
  }

  /** Makes ready for the next head. */
  reset(): void {
    this.phase = BEGIN;
    this.emptyLineSkipped = false;
    this.source = '';
    this.lines = [];
    this.seen = 0;
  }

  /** The field lines, once complete. */
  fields(): HeaderBlock {
    return new HeaderBlock(this.source, this.lines, this.source.length - 2, this.seen);
  }

  /** Reads on. Returns the offset of the first byte not taken: behind the head, or the end of the chunk. */
  scan(chunk: Buffer, offset: number): number {
    if (this.held !== null) return this.scanHeld(this.held, chunk, offset);
    const begin = this.phase <= EMPTY_LINE_LF ? this.skipEmptyLine(chunk, offset) : offset;
    if (begin >= chunk.length || this.phase === REFUSED) return begin;
    this.begin(begin);
    this.run(chunk, chunk.length);
    if (this.phase < DONE) this.holdBack(chunk);
    else return this.pos;
    return chunk.length;
  }

  private begin(at: number): void {
    this.base = at;
    this.pos = at;
    this.lineStart = at;
    this.fieldsAt = 0;
    this.nameClasses = 0;
    this.phase = this.rules.startLineBytes > 0 ? START_LINE : FIELD_NAME;
  }

  private skipEmptyLine(chunk: Buffer, offset: number): number {
    let pos = offset;
    if (this.phase === BEGIN) {
      if (!this.rules.skipsEmptyLine || this.emptyLineSkipped || chunk[pos] !== CR) return pos;
      this.phase = EMPTY_LINE_LF;
      pos++;
    }
    if (pos >= chunk.length) return pos;
    if (chunk[pos] !== LF) {
      this.refuse(this.rules.malformed, 'a CR without LF before the start line');
      return pos;
    }
    this.phase = BEGIN;
    this.emptyLineSkipped = true;
    return pos + 1;
  }

  /** Keeps the bytes of an unfinished head, moving all positions to the start of `held`. */
  private holdBack(chunk: Buffer): void {
    const length = chunk.length - this.base;
    // Not from the shared pool: a slow client would pin a slab of it.
    this.held = Buffer.allocUnsafeSlow(Math.max(FIRST_HELD_BYTES, length));
    chunk.copy(this.held, 0, this.base);
    this.heldLength = length;
    this.pos -= this.base;
    this.lineStart -= this.base;
    this.nameEnd -= this.base;
    this.base = 0;
  }

  private scanHeld(held: Buffer, chunk: Buffer, offset: number): number {
    const before = this.heldLength;
    // With this many bytes the head is complete or over a limit, so nothing beyond is ever needed.
    const most = this.rules.startLineBytes + this.rules.fieldBytes;
    const added = Math.min(chunk.length - offset, most - before);
    let room = held;
    if (before + added > held.length) {
      room = Buffer.allocUnsafeSlow(Math.min(most, Math.max(before + added, held.length * 2)));
      held.copy(room, 0, 0, before);
      this.held = room;
    }
    chunk.copy(room, before, offset, offset + added);
    this.heldLength = before + added;
    this.run(room, this.heldLength);
    if (this.phase < DONE) return chunk.length;
    this.held = null;
    return offset + (this.pos - before);
  }

  private run(buffer: Buffer, end: number): void {
    if (this.phase === START_LINE && !this.scanStartLine(buffer, end)) return;
    this.scanFields(buffer, end);
    if (this.phase === DONE) this.source = buffer.toString('latin1', this.base, this.pos);
  }

  private scanStartLine(buffer: Buffer, end: number): boolean {
    const { startLineBytes, startLineChars, startLineTooLong } = this.rules;
    const most = this.base + startLineBytes;
    const stop = end < most ? end : most;
    let pos = this.pos;
    pos = skipPlain(buffer, pos, stop);
    while (pos < stop && classOf(startLineChars, byteAt(buffer, pos)) !== 0) pos++;
    this.pos = pos;
    if (pos + 1 >= stop && (pos >= stop || buffer[pos] === CR)) {
      return stop === most ? this.refuse(startLineTooLong, 'the start line is over the limit') : false;
    }
    if (!this.endsLine(buffer, pos, 'the start line')) return false;
    const refusal = this.reader?.readStartLine(buffer, this.base, pos) ?? null;
    if (refusal !== null) return this.refuse(refusal.code, refusal.detail);
    this.pos = pos + 2;
    this.lineStart = this.pos;
    this.fieldsAt = this.pos - this.base;
    this.phase = FIELD_NAME;
    return true;
  }

  /** The hot loop of the codec. */
  private scanFields(buffer: Buffer, end: number): void {
    const most = this.base + this.fieldsAt + this.rules.fieldBytes;
    const stop = end < most ? end : most;
    let pos = this.pos;
    for (;;) {
      if (this.phase === FIELD_NAME) {
        let classes = this.nameClasses;
        let tokenClass = 0;
        while (pos < stop && (tokenClass = classOf(TOKEN, byteAt(buffer, pos))) !== 0) {
          classes |= tokenClass;
          pos++;
        }
        this.nameClasses = classes;
        if (pos >= stop) break;
        if (buffer[pos] !== COLON || pos === this.lineStart) {
          if (pos + 1 >= stop && buffer[pos] === CR && pos === this.lineStart) break;
          this.endFields(buffer, pos);
          return;
        }
        this.nameEnd = pos++;
        this.phase = FIELD_VALUE;
      }
      pos = skipPlain(buffer, pos, stop);
      while (pos < stop && classOf(FIELD_CONTENT, byteAt(buffer, pos)) !== 0) pos++;
      if (pos + 1 >= stop && (pos >= stop || buffer[pos] === CR)) break;
      if (!this.endsLine(buffer, pos, 'a field value') || !this.addLine(buffer)) return;
      pos += 2;
      this.lineStart = pos;
      this.nameClasses = 0;
      this.phase = FIELD_NAME;
    }
    this.pos = pos;
    if (stop === most) this.refuse(this.rules.fieldsTooLarge, 'the header section is over the limit');
  }

  /** A line that starts with neither a name and a colon: the empty line, or a fault. */
  private endFields(buffer: Buffer, pos: number): void {
    const byte = byteAt(buffer, pos);
    if (pos === this.lineStart && byte === CR) {
      if (!this.endsLine(buffer, pos, 'the empty line')) return;
      this.pos = pos + 2;
      this.phase = DONE;
      return;
    }
    const blank = byte === SP || byte === HTAB;
    let detail = 'a field name holds a character that is not a token’s';
    if (byte === COLON) detail = 'a field name is empty';
    else if (blank && pos === this.lineStart) detail = 'a folded line (obs-fold)';
    else if (blank) detail = 'a space in or after a field name';
    else if (byte === LF) detail = 'a line ends in a bare LF';
    this.refuse(this.rules.malformed, detail);
  }

  private addLine(buffer: Buffer): boolean {
    const { lineStart, nameEnd } = this;
    if (this.lines.length >= this.rules.fieldCount) {
      return this.refuse(this.rules.fieldsTooLarge, 'too many field lines');
    }
    const id =
      (this.nameClasses & UNDERSCORE_CLASS) === 0
        ? knownHeaderIdAt(buffer, lineStart, nameEnd)
        : foldedId(buffer.toString('latin1', lineStart, nameEnd).toLowerCase());
    this.lines.push(packLine(lineStart - this.base, id));
    if (id <= LAST_FRAMING_ID) this.seen |= 1 << id;
    return true;
  }

  /** Whether CR LF stands at `pos`, where the allowed characters of a line ended; refuses everything else. */
  private endsLine(buffer: Buffer, pos: number, what: string): boolean {
    const byte = buffer[pos];
    if (byte === CR && buffer[pos + 1] === LF) return true;
    if (byte === LF) return this.refuse(this.rules.malformed, `${what} ends in a bare LF`);
    return this.refuse(
      this.rules.malformed,
      `${what} holds a ${byte === CR ? 'bare CR' : 'control or forbidden character'}`,
    );
  }

  private refuse(code: ErrorCode, detail: string): false {
    this.phase = REFUSED;
    this.refusal = { code, detail };
    return false;
  }
}
