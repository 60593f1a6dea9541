/** An upstream that records the bytes it gets and answers as the test tells it to. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class UpstreamConnectionRecord {
  readonly socket: Socket;
  /** Everything received, as latin1. */
  received = '';
  closed = false;
  readonly whenClosed: Promise<void>;

  constructor(socket: Socket, onData: (connection: UpstreamConnectionRecord) => void) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.received += text;
      onData(this);
    });
    socket.on('error', () => undefined);
    this.whenClosed = new Promise((resolve) => {
      socket.on('close', () => {
        this.closed = true;
        resolve();
      });
    });
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }
}

export interface RawUpstream {
  readonly port: number;
  readonly address: string;
  readonly connections: UpstreamConnectionRecord[];
  /** All bytes of all connections, in order of the connections. */
  readonly received: string;
  /** Waits for the connection with this index. */
  connection(index: number): Promise<UpstreamConnectionRecord>;
  /** Waits until the bytes received match. */
  until(pattern: RegExp): Promise<string>;
  close(): Promise<void>;
}

const HEAD_END = '\r\n\r\n';

/** Answers every complete head (requests without body) with `response`. */
export function answering(response: string): (connection: UpstreamConnectionRecord) => void {
  const answered = new WeakMap<UpstreamConnectionRecord, number>();
  return (connection) => {
    const heads = connection.received.split(HEAD_END).length - 1;
    for (let i = answered.get(connection) ?? 0; i < heads; i += 1) connection.send(response);
    answered.set(connection, heads);
  };
}

export async function startRawUpstream(
  onData: (connection: UpstreamConnectionRecord) => void = () => undefined,
): Promise<RawUpstream> {
  const connections: UpstreamConnectionRecord[] = [];
  const waiting: (() => void)[] = [];
  const wake = () => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  const server: Server = createServer({ noDelay: true }, (socket) => {
    const record = new UpstreamConnectionRecord(socket, (connection) => {
      onData(connection);
      wake();
    });
    connections.push(record);
    wake();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const news = async () => new Promise<void>((resolve) => waiting.push(resolve));
  const received = () => connections.map((connection) => connection.received).join('');
  return {
    port,
    address: `127.0.0.1:${port}`,
    connections,
    get received() {
      return received();
    },
    async connection(index) {
      while (connections[index] === undefined) await news();
      return connections[index];
    },
    async until(pattern) {
      while (!pattern.test(received())) await news();
      return received();
    },
    async close() {
      for (const { socket } of connections) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
