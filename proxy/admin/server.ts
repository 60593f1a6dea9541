/**
 * The admin listener: probes, metrics, acks and inspection. What each path demands is one table; the listener asks every
 * client for a certificate and lets the table decide.
 */
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { limit } from '../contract/limits.ts';
import { fail, ok, type Result } from '../contract/result.ts';
import type { Secret } from '../contract/secret.ts';
import type { Logger } from '../observability/logger.ts';
import { sameToken } from './token.ts';

export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export function jsonReply(status: number, value: unknown): Reply {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value)}\n` };
}

/** What a path demands: nothing, a verified client certificate, or that and the admin token. */
export type Demand = 'nothing' | 'certificate' | 'certificateAndToken';

export interface AdminPath {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly demand: Demand;
  readonly handle: (request: IncomingMessage) => Promise<Reply> | Reply;
}

export interface AdminTls {
  readonly cert: string;
  readonly key: Secret;
  readonly clientCa: string | undefined;
}

export interface AdminServerOptions {
  readonly tls: AdminTls | undefined;
  readonly token: Secret | undefined;
  /** Asked at every request, since paths may follow the running document. */
  readonly paths: () => readonly AdminPath[];
  readonly logger: Logger;
}

const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;
const MAX_HEADER_BYTES = 16 * 1024;

export class AdminServer {
  readonly #options: AdminServerOptions;
  readonly #server: Server | HttpsServer;

  constructor(options: AdminServerOptions) {
    this.#options = options;
    const listener = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    const limits = {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
    };
    this.#server =
      options.tls === undefined
        ? createHttpServer(limits, listener)
        : createHttpsServer(
            { ...limits, ...secureContext(options.tls), requestCert: true, rejectUnauthorized: false },
            listener,
          );
    this.#server.maxConnections = limit('adminConnections');
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** @returns the port; fails with the listen error */
  listen(address: { readonly host: string | undefined; readonly port: number }): Promise<Result<number>> {
    return new Promise((resolve) => {
      const onError = (error: Error) => resolve(fail(error.message));
      this.#server.once('error', onError);
      this.#server.listen(address.port, address.host, () => {
        this.#server.off('error', onError);
        this.#server.on('error', (error) => this.#options.logger.error({ err: error }, 'admin listener failed'));
        const bound = this.#server.address();
        resolve(ok(typeof bound === 'object' && bound !== null ? bound.port : address.port));
      });
    });
  }

  /** New certificates for new connections. */
  renew(tls: AdminTls): void {
    if ('setSecureContext' in this.#server) this.#server.setSecureContext(secureContext(tls));
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let reply: Reply;
    try {
      reply = await this.#reply(request);
    } catch (error) {
      this.#options.logger.error({ err: error, path: request.url }, 'admin request failed');
      reply = jsonReply(500, { error: 'internal', message: 'The request failed; the log has the details.' });
    }
    request.resume();
    response.writeHead(reply.status, {
      'content-type': reply.contentType,
      'content-length': Buffer.byteLength(reply.body),
      'cache-control': 'no-store',
    });
    response.end(request.method === 'HEAD' ? undefined : reply.body);
  }

  #reply(request: IncomingMessage): Promise<Reply> | Reply {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const onPath = this.#options.paths().filter((p) => p.path === path);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const found = onPath.find((p) => p.method === method);
    if (onPath.length === 0) return jsonReply(404, { error: 'not_found', message: 'There is no such path.' });
    if (found === undefined)
      return jsonReply(405, {
        error: 'method_not_allowed',
        message: `Takes ${onPath.map((p) => p.method).join(', ')}.`,
      });
    const refused = this.#refusal(found.demand, request);
    if (refused !== undefined) return jsonReply(401, { error: 'unauthorized', message: refused });
    return found.handle(request);
  }

  /** Why the client may not: one message for what is missing, never for what would be right. */
  #refusal(demand: Demand, request: IncomingMessage): string | undefined {
    if (demand === 'nothing') return undefined;
    if (this.#options.tls?.clientCa === undefined) return 'The admin API is closed: it needs TLS and a client CA.';
    if (!(request.socket as TLSSocket).authorized)
      return 'A client certificate signed by the admin client CA is needed.';
    if (demand === 'certificate') return undefined;
    const token = this.#options.token;
    if (token === undefined) return 'The admin API is closed: no admin token is set.';
    return hasBearer(request, token) ? undefined : 'A valid bearer token is needed beside the client certificate.';
  }
}

/** Whether the request carries this bearer token. */
export function hasBearer(request: IncomingMessage, token: Secret): boolean {
  const given = /^Bearer ([^\s]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  return given !== undefined && sameToken(given, token);
}

function secureContext(tls: AdminTls) {
  return {
    cert: tls.cert,
    key: tls.key.reveal(),
    minVersion: 'TLSv1.2' as const,
    ...(tls.clientCa === undefined ? {} : { ca: tls.clientCa }),
  };
}
