/**
 * What the HTTP/1.1 codec hands to the engine and takes from it (RFC 9110, RFC 9112). No sockets here: bytes in, events
 * out, text out. RequestParser faces clients, ResponseParser faces upstreams; both read any split of the same bytes alike.
 */
import type { ErrorCode } from '../../contract/errors.ts';

/** Minor version of HTTP/1.x. */
export type HttpMinor = 0 | 1;

/**
 * The header (or trailer) lines of one message, in the order and with the bytes received (latin1 text).
 * Names and values are cut out of the head's one string when asked for: keep a copy (`Buffer.from`), not the slice, of
 * anything that outlives the request, since a slice keeps the whole head alive.
 */
export interface HeaderLines {
  readonly count: number;
  /** Field name as received. */
  name(index: number): string;
  /** Field value without the whitespace around it. May hold obs-text (0x80–0xff), never CR, LF or NUL. */
  value(index: number): string;
  /** A constant of `KnownHeader`, 0 for every other name. */
  id(index: number): number;
  /** First value of a field, `lowerName` in lower case. */
  get(lowerName: string): string | undefined;
  /** Every value of a field, in order: rules on a multi-value header must see all of them. */
  getAll(lowerName: string): string[];
  /** Lines `from` (inclusive) to `to` (exclusive) as received, each with its CRLF. */
  text(from: number, to: number): string;
}

/** How the end of a body is found (RFC 9112 §6.3). 'close' exists in responses only. */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

export interface RequestHead {
  readonly method: string;
  /** Request-target as received: visible ASCII without `#`, in origin-, absolute- or asterisk-form. */
  readonly target: string;
  /** Target in origin-form (`/path?query`), or `*` for OPTIONS: what is routed and forwarded. Not yet normalised. */
  readonly path: string;
  /** Scheme of an absolute-form target, else ''. */
  readonly scheme: 'http' | 'https' | '';
  readonly minor: HttpMinor;
  readonly headers: HeaderLines;
  /** The validated Host value as received: `host[:port]`. */
  readonly authority: string;
  /** Host in lower case without port or final dot; IPv6 addresses keep their brackets. For routing. */
  readonly hostname: string;
  /** Port of the Host value, 0 where it names none. */
  readonly port: number;
  readonly framing: 'none' | 'length' | 'chunked';
  /** Content-Length; 0 unless framing is 'length'. Limits on bodies are the engine's. */
  readonly contentLength: number;
  /** The client allows another request on this connection. */
  readonly keepAlive: boolean;
  /** Value of Upgrade when Connection names it and the version is 1.1, else ''. */
  readonly upgrade: string;
  /** 'unknown': an expectation other than 100-continue (417). Always 'none' in HTTP/1.0. */
  readonly expect: 'none' | 'continue' | 'unknown';
  /** `TE: trailers` was sent. The TE line itself is never forwarded. */
  readonly acceptsTrailers: boolean;
  /** Lower-case names nominated by Connection, without close, keep-alive, upgrade, te; input of `forwardedLines`. */
  readonly nominated: readonly string[];
}

export interface ResponseHead {
  readonly minor: HttpMinor;
  readonly status: number;
  /** Reason phrase as received, often ''. */
  readonly reason: string;
  readonly headers: HeaderLines;
  readonly framing: Framing;
  /** Content-Length of the body that follows; 0 unless framing is 'length'. */
  readonly contentLength: number;
  /** The upstream allows another request on this connection. */
  readonly keepAlive: boolean;
  /** 101 to a request that asked for it (or 2xx to CONNECT): what follows is not HTTP/1.1; the parser stops. */
  readonly upgrade: boolean;
  /** Lower-case names nominated by Connection, as in RequestHead. */
  readonly nominated: readonly string[];
}

/** Events of one downstream connection. Callbacks must not call `execute` themselves. */
export interface RequestHandler {
  onHead(head: RequestHead): void;
  /** A piece of the decoded body; a view of the chunk given to `execute`, not a copy. */
  onData(slice: Buffer): void;
  /** Trailer lines of a chunked body, only when there are any; before onMessageEnd. */
  onTrailers?(trailers: HeaderLines): void;
  onMessageEnd(): void;
  /** The connection's framing can't be trusted any more: nothing else is reported, `execute` ignores what follows. */
  onError(code: ErrorCode, detail: string): void;
}

/** Events of one upstream connection. Callbacks must not call `execute` themselves. */
export interface ResponseHandler {
  /** An interim response (1xx except 101). */
  onInformational(head: ResponseHead): void;
  onHead(head: ResponseHead): void;
  onData(slice: Buffer): void;
  onTrailers?(trailers: HeaderLines): void;
  /** `reusable`: kept alive, and nothing was received after the end of this response. */
  onMessageEnd(reusable: boolean): void;
  /** 'upstream_protocol_error' or 'upstream_response_too_large'. */
  onError(code: ErrorCode, detail: string): void;
}

/**
 * Shared by RequestParser (`new RequestParser(handler: RequestHandler, limits?)`) and ResponseParser
 * (`new ResponseParser(handler: ResponseHandler)`).
 */
export interface MessageParser {
  /**
   * Parses `chunk` from `offset` and returns the offset of the first byte it did not take. That is `chunk.length` unless
   * it stopped after a message's end (the next message, or the tunnel after an upgrade, begins there) or was paused.
   */
  execute(chunk: Buffer, offset?: number): number;
  /** From a callback: `execute` returns after it. The next `execute` goes on with the bytes not taken. */
  pause(): void;
  /** True between messages: nothing of a next message has been received (one CRLF apart). */
  readonly idle: boolean;
}

/**
 * What the end of the stream meant: 'idle' nothing was under way; 'complete' it ended a close-delimited body
 * (onMessageEnd(false) was called); 'before_head' it cut a head short or came while a response was due;
 * 'truncated' it cut a body short.
 */
export type FinishResult = 'idle' | 'complete' | 'before_head' | 'truncated';

export interface RequestParserApi extends MessageParser {
  /** The client has ended its side. */
  finish(): FinishResult;
}

export interface ResponseParserApi extends MessageParser {
  /**
   * To be called when a request is sent: one response is due. `method` and `upgrade` (the request carried Upgrade) decide
   * its framing. Bytes received while none is due are an error.
   */
  expect(method: string, upgrade: boolean): void;
  /** The upstream has ended its side. */
  finish(): FinishResult;
}

/** Names that are not to be forwarded, compiled once by `dropRules(names)` in hopByHop.ts. */
export interface DropRules {
  /** Indexed by `KnownHeader`: 1 drops the line. */
  readonly known: Uint8Array;
  /** Other names in lower case with hyphens for underscores. */
  readonly names: ReadonlySet<string>;
}
