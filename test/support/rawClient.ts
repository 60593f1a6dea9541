/** A client that sends and receives plain bytes: what it sees is what was on the wire. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export class RawClient {
  readonly socket: Socket;
  /** Everything received so far, as latin1. */
  received = '';
  /** Code of the error the connection ended with, such as ECONNRESET. */
  error = '';
  #closed = false;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.received += text;
      this.#wake();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => (this.error = error.code ?? error.message));
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  static async connect(port: number, options: { readonly allowHalfOpen?: boolean } = {}): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, ...options });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  /** Waits until what was received matches, and returns it. Fails if the connection closes before. */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      if (pattern.test(this.received)) return this.received;
      if (this.#closed)
        throw new Error(`closed (${this.error}) before ${String(pattern)}; received: ${JSON.stringify(this.received)}`);
      await this.#news();
    }
  }

  /** Waits for the end of the connection and returns all that was received. */
  async untilClosed(): Promise<string> {
    while (!this.#closed) await this.#news();
    return this.received;
  }

  /** Forgets what was received. */
  take(): string {
    const text = this.received;
    this.received = '';
    return text;
  }

  close(): void {
    this.socket.destroy();
  }

  async #news(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Sends one text on a connection of its own and returns all that comes back until it is closed. */
export async function talk(port: number, text: string): Promise<string> {
  const client = await RawClient.connect(port);
  client.send(text);
  return client.untilClosed();
}
