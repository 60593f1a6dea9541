/**
 * One listening socket of one thread, its connections, and the stages of their drain. Threads share a port by
 * `reusePort`, where the kernel spreads connections over them.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { limit } from '../contract/limits.ts';
import type { ClientConnection, ListenerSide } from '../engine/clientConnection.ts';
import type { Engine } from '../engine/engine.ts';
import type { RefusedConnection } from '../observability/types.ts';

export interface HttpListenerOptions {
  readonly engine: Engine;
  /** Address to listen on; undefined: all. */
  readonly host: string | undefined;
  /** 0: any free port. */
  readonly port: number;
  /** Other threads listen on the same port. */
  readonly reusePort: boolean;
  /** Most client connections of this thread, from the current snapshot's `max_connections`. */
  readonly maxConnections: () => number;
  /** A connection was closed at once, or could not be accepted. */
  readonly onRefused: (reason: RefusedConnection, detail: string) => void;
}

export class HttpListener implements ListenerSide {
  readonly scheme = 'http';
  readonly #options: HttpListenerOptions;
  readonly #server: Server;
  readonly #connections = new Set<ClientConnection>();
  #port: number;
  #draining = false;

  constructor(options: HttpListenerOptions) {
    this.#options = options;
    this.#port = options.port;
    const settings = {
      // A client may end its side and still wait for its answer.
      allowHalfOpen: true,
      noDelay: true,
      highWaterMark: limit('bufferedBodyBytes'),
    };
    this.#server = createServer(settings, (socket) => this.#accept(socket));
  }

  /** The port that is listened on. */
  get port(): number {
    return this.#port;
  }

  /** Open client connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Connections with a request under way. */
  get active(): number {
    let active = 0;
    for (const connection of this.#connections) if (connection.busy) active += 1;
    return active;
  }

  /** Starts to listen; rejects when the port is taken. Resolves to the port. */
  async listen(): Promise<number> {
    const { host, port, reusePort } = this.#options;
    const server = this.#server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, reusePort, ...(host === undefined ? {} : { host }) }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    // An accept that fails (no descriptors left) is no reason to end the thread; the kernel keeps the connection queued.
    server.on('error', (error) => this.#options.onRefused('accept', error.message));
    this.#port = addressOf(server).port;
    return this.#port;
  }

  /** First stage of the drain: no new connections; responses end theirs. */
  stopAccepting(): void {
    this.#draining = true;
    for (const connection of this.#connections) connection.drain();
    if (this.#server.listening) this.#server.close();
  }

  /** Closes connections without a request under way. */
  closeIdle(): void {
    for (const connection of this.#connections) connection.closeIfIdle();
  }

  /** Last stage: cuts off what is left. */
  forceClose(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  onClosed(connection: ClientConnection): void {
    this.#connections.delete(connection);
  }

  #accept(socket: Socket): void {
    if (this.#connections.size >= this.#options.maxConnections()) {
      socket.destroy();
      this.#options.onRefused('limit', `${this.#connections.size} connections are open`);
      return;
    }
    const connection = this.#options.engine.serve(socket, this);
    if (this.#draining) connection.drain();
    this.#connections.add(connection);
  }
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('the server listens on no port');
  return address;
}
