/** Header lines as offsets into the one string of their head: a name or value becomes a string only when asked for. */
import { COLON, HTAB, SP } from './chars.ts';
import { knownHeaderId, LAST_FRAMING_ID } from './knownHeaders.ts';
import { headerLine } from './serialize.ts';
import type { HeaderLines } from './types.ts';

/** Beyond this an offset and an id do not fit into one small integer. */
export const MAX_SOURCE_BYTES = 4 * 1024 * 1024;

/** A line as one number: where it starts in the source, and the id of its name. */
export function packLine(start: number, id: number): number {
  return start * 256 + id;
}

export class HeaderBlock implements HeaderLines {
  readonly count: number;
  private readonly source: string;
  private readonly lines: readonly number[];
  private readonly end: number;
  private readonly seen: number;

  /**
   * `source` holds well-formed field lines at `lines` (see packLine) up to `end`, behind the CRLF of the last one;
   * `seen` has a bit for each framing id among them.
   */
  constructor(source: string, lines: readonly number[], end: number, seen: number) {
    this.count = lines.length;
    this.source = source;
    this.lines = lines;
    this.end = end;
    this.seen = seen;
  }

  /** A block of given names and values, for heads that did not come over HTTP/1.1. Throws as `headerLine` does. */
  static of(pairs: Iterable<readonly [name: string, value: string]>): HeaderBlock {
    let source = '';
    let seen = 0;
    const lines: number[] = [];
    for (const [name, value] of pairs) {
      const id = knownHeaderId(name.toLowerCase());
      lines.push(packLine(source.length, id));
      if (id <= LAST_FRAMING_ID) seen |= 1 << id;
      source += headerLine(name, value);
    }
    return new HeaderBlock(source, lines, source.length, seen);
  }

  name(index: number): string {
    const start = this.start(index);
    return this.source.slice(start, this.source.indexOf(':', start));
  }

  value(index: number): string {
    const { source } = this;
    let start = source.indexOf(':', this.start(index)) + 1;
    let end = this.start(index + 1) - 2;
    // Not trim(): it takes away U+00A0, which is obs-text and belongs to the value.
    while (start < end && isBlank(source.charCodeAt(start))) start++;
    while (end > start && isBlank(source.charCodeAt(end - 1))) end--;
    return source.slice(start, end);
  }

  id(index: number): number {
    return this.packed(index) & 0xff;
  }

  get(lowerName: string): string | undefined {
    const index = this.indexOf(lowerName, 0);
    return index < 0 ? undefined : this.value(index);
  }

  getAll(lowerName: string): string[] {
    const values: string[] = [];
    for (let index = this.indexOf(lowerName, 0); index >= 0; index = this.indexOf(lowerName, index + 1)) {
      values.push(this.value(index));
    }
    return values;
  }

  text(from: number, to: number): string {
    return from < to ? this.source.slice(this.start(from), this.start(to)) : '';
  }

  /** Index of the first line with this framing id at or after `from`, -1 without one. */
  find(id: number, from = 0): number {
    if ((this.seen & (1 << id)) === 0) return -1;
    for (let index = from; index < this.count; index++) {
      if ((this.packed(index) & 0xff) === id) return index;
    }
    return -1;
  }

  private start(index: number): number {
    return index < this.count ? this.packed(index) >> 8 : this.end;
  }

  /** The cast holds for indexes below `count`, which callers keep to. */
  private packed(index: number): number {
    return this.lines[index] as number;
  }

  private indexOf(lowerName: string, from: number): number {
    const { length } = lowerName;
    for (let index = from; index < this.count; index++) {
      const start = this.start(index);
      // The colon comes first: a cheap look before anything is copied.
      if (this.source.charCodeAt(start + length) !== COLON) continue;
      if (this.source.slice(start, start + length).toLowerCase() === lowerName) return index;
    }
    return -1;
  }
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}
