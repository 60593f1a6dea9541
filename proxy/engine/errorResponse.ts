/** Answers made by the proxy itself: errors from the one table, and complete answers of filters. */
import { STATUS_CODES } from 'node:http';
import { ERRORS, type ErrorCode } from '../contract/errors.ts';
import type { Answer } from '../snapshot/phases.ts';
import { encodeResponseHead, headerLine } from './http1/serialize.ts';

export interface AnswerContext {
  readonly requestId: string;
  /** To HEAD: the head of the answer without its body. */
  readonly withoutBody: boolean;
  readonly connectionLine: string;
  /** Value of Date. */
  readonly date: string;
}

/** A complete response for `code`: JSON with the code, what it means and the request's id; the code also as a header. */
export function errorResponse(code: ErrorCode, context: AnswerContext): string {
  const { status, description } = ERRORS[code];
  const body = `${JSON.stringify({ error: code, message: description, request_id: context.requestId })}\n`;
  const bytes = Buffer.from(body, 'utf8');
  const lines =
    `content-type: application/json\r\ncontent-length: ${bytes.length}\r\nx-proxy-error: ${code}\r\n` +
    ownLines(context);
  // latin1 text on the wire, whatever the description holds.
  return (
    encodeResponseHead(status, STATUS_CODES[status], lines) + (context.withoutBody ? '' : bytes.toString('latin1'))
  );
}

/** Head of a complete answer; its body follows. */
export function answerHead(answer: Answer, context: AnswerContext): string {
  let lines = '';
  for (const [name, value] of answer.headers) lines += headerLine(name, value);
  // 204 and 304 have no body, and 204 no Content-Length either (RFC 9110 §8.6).
  if (answer.status !== 204) lines += `content-length: ${answer.body.length}\r\n`;
  return encodeResponseHead(answer.status, STATUS_CODES[answer.status], lines + ownLines(context));
}

function ownLines(context: AnswerContext): string {
  return `x-request-id: ${context.requestId}\r\ndate: ${context.date}\r\n${context.connectionLine}`;
}
