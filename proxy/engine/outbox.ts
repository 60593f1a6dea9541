/**
 * What is to be written to one side, collected while one read is handled, so that a head and the body that came with it
 * leave in one write. Bodies are copied here, hence their memory may be used again as soon as the read is handled.
 */
export class Outbox {
  #parts: (string | Buffer)[] = [];
  #bytes = 0;
  #hasData = false;

  /** Bytes collected. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds latin1 text. */
  text(text: string): void {
    this.#parts.push(text);
    this.#bytes += text.length;
  }

  /** Adds bytes; they must stay as they are until `take`. */
  data(slice: Buffer): void {
    this.#parts.push(slice);
    this.#bytes += slice.length;
    this.#hasData = true;
  }

  /** Everything collected, behind `prefix`, as one latin1 text or one buffer of its own; null when there is nothing. */
  take(prefix = ''): string | Buffer | null {
    const parts = this.#parts;
    if (parts.length === 0) return prefix === '' ? null : prefix;
    const bytes = prefix.length + this.#bytes;
    const taken = this.#hasData ? joined(prefix, parts, bytes) : prefix + parts.join('');
    this.clear();
    return taken;
  }

  clear(): void {
    this.#parts = [];
    this.#bytes = 0;
    this.#hasData = false;
  }
}

function joined(prefix: string, parts: readonly (string | Buffer)[], bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytes);
  let offset = prefix === '' ? 0 : buffer.write(prefix, 0, 'latin1');
  for (const part of parts) {
    if (typeof part === 'string') buffer.write(part, offset, 'latin1');
    else buffer.set(part, offset);
    offset += part.length;
  }
  return buffer;
}
