import { createServer } from 'node:net';
import { fail, ok, type Result } from '../contract/result.ts';

/**
 * Binds a port once without sharing it, and lets it go: with `reusePort` alone a second proxy would silently share the
 * port of the first.
 *
 * @returns the port (one that is free when 0 was asked for), or why it cannot be had
 */
export function reservePort(host: string | undefined, port: number): Promise<Result<number>> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = `${host ?? ''}:${port}`;
      resolve(
        fail(error.code === 'EADDRINUSE' ? `${where} is in use by another process` : `${where}: ${error.message}`),
      );
    });
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(ok(bound)));
    });
  });
}
