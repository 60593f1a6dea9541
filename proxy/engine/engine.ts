/** The engine of one thread: takes over accepted sockets and serves HTTP/1.1 on them. */
import type { Socket } from 'node:net';
import { ClientConnection, type ListenerSide } from './clientConnection.ts';
import { createContext, type EngineOptions } from './context.ts';

export interface Engine {
  /** Serves a socket (made with `allowHalfOpen`) until it closes. */
  serve(socket: Socket, side: ListenerSide): ClientConnection;
}

export function createEngine(options: EngineOptions): Engine {
  const context = createContext(options);
  return { serve: (socket, side) => new ClientConnection(context, socket, side) };
}
