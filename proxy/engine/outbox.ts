/**
 * What is to be written to one side, collected while one read is handled, so that a head and the body that came with it
 * leave in one write. Bodies are copied here, hence their memory may be used again as soon as the read is handled.
 */
export class Outbox {
  /** Text before the first bytes: most often a head, and often all there is. */
  #text = '';
  #parts: (string | Buffer)[] | null = null;
  #partsBytes = 0;

  /** Adds latin1 text. */
  text(text: string): void {
    if (this.#parts === null) {
      this.#text += text;
      return;
    }
    this.#parts.push(text);
    this.#partsBytes += text.length;
  }

  /** Adds bytes; they must stay as they are until `take`. */
  data(slice: Buffer): void {
    (this.#parts ??= []).push(slice);
    this.#partsBytes += slice.length;
  }

  /** Everything collected, behind `prefix`, as one latin1 text or one buffer of its own; null when there is nothing. */
  take(prefix = ''): string | Buffer | null {
    const text = prefix + this.#text;
    const parts = this.#parts;
    const bytes = text.length + this.#partsBytes;
    this.clear();
    if (parts === null) return text === '' ? null : text;
    const buffer = Buffer.allocUnsafe(bytes);
    let offset = text === '' ? 0 : buffer.write(text, 0, 'latin1');
    for (const part of parts) {
      if (typeof part === 'string') buffer.write(part, offset, 'latin1');
      else buffer.set(part, offset);
      offset += part.length;
    }
    return buffer;
  }

  clear(): void {
    this.#text = '';
    this.#parts = null;
    this.#partsBytes = 0;
  }
}
