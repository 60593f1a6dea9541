/** What is answered and logged when a client's bytes never became a request. */
import { ERRORS, type ErrorCode } from '../contract/errors.ts';
import type { EngineContext } from './context.ts';
import { errorResponse } from './errorResponse.ts';

/** The response for a head that was refused (or not finished in time); writes its record. The connection ends with it. */
export function refuse(code: ErrorCode, context: EngineContext, peer: string): string {
  const requestId = context.nextRequestId();
  const snapshot = context.currentSnapshot();
  const { status } = ERRORS[code];
  snapshot?.unrouted.onRequest(status, 0, 0, 0);
  context.accessLog.write({
    startedAtMs: context.wallNow(),
    requestId,
    method: '',
    path: '',
    query: '',
    host: '',
    route: '',
    pool: '',
    endpoint: '',
    status,
    durationMs: 0,
    upstreamDurationMs: 0,
    retries: 0,
    requestBytes: 0,
    responseBytes: 0,
    error: code,
    snapshot: snapshot?.version ?? '',
    client: peer,
  });
  const connectionLine = 'connection: close\r\n';
  return errorResponse(code, { requestId, withoutBody: false, connectionLine, date: context.date() });
}
