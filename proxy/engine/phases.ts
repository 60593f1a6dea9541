/**
 * The life of a request, in order. Each phase stands where it does for the reason beside it; what a route does not use
 * costs a comparison.
 *
 *   accept           listener: limits on connections hold before a byte is read
 *   head             codec: nothing is decided on half a head; the snapshot is taken here, once
 *   route            what comes later depends on the route
 *   admit            limits that can be judged on the head alone, before anything is spent on the request
 *   request filters  the route's middleware, in its order: may wait, may answer, may change headers
 *   cache lookup     after the filters, so that no cached answer passes by authentication (no cache exists yet)
 *   pick             an endpoint of the pool, as late as possible; again where connecting failed
 *   send             head and body, as the body arrives
 *   response head    the upstream's; interim ones pass at once
 *   response filters the route's middleware on the way back: may change headers
 *   body             both ways, through BodyFlow
 *   log              exactly one record, whatever the end was
 *
 * `route` to `send` are the functions below, run by `runRequestPhases`; pick and send are one step, since an attempt that
 * gets no connection picks again. From the response head on the upstream's events drive the exchange.
 */
import type { ErrorCode } from '../contract/errors.ts';
import { normalizePath } from '../router/path.ts';
import type { Answer, FilterRequest } from '../snapshot/phases.ts';
import type { Route, Snapshot } from '../snapshot/snapshot.ts';
import type { RequestHead } from './http1/types.ts';

/** What the phases see of an exchange, and what they may do with it. */
export interface PhaseSubject extends FilterRequest {
  readonly head: RequestHead;
  readonly snapshot: Snapshot | undefined;
  readonly route: Route | undefined;
  /** It was answered or has ended: no further phase runs. */
  readonly settled: boolean;
  /** All lines of a request header joined with ", ": how routes compare headers. */
  get(lowerName: string): string | undefined;
  setTarget(path: string, query: string, target: string): void;
  setRoute(route: Route): void;
  fail(code: ErrorCode, detail?: string): void;
  answer(answer: Answer): void;
  /** Picks an endpoint and sends; ends the request by itself. */
  send(): void;
}

type Phase = (subject: PhaseSubject) => void | Promise<void>;

const REQUEST_PHASES: readonly Phase[] = [findRoute, admit, runRequestFilters, send];

/** Runs the phases up to the sending; a phase that waits lets the others follow when it is done. */
export function runRequestPhases(subject: PhaseSubject): void | Promise<void> {
  return runFrom(subject, 0);
}

function runFrom(subject: PhaseSubject, first: number): void | Promise<void> {
  for (let index = first; index < REQUEST_PHASES.length && !subject.settled; index += 1) {
    const waiting = REQUEST_PHASES[index]?.(subject);
    if (waiting !== undefined) return waiting.then(() => runFrom(subject, index + 1));
  }
}

function findRoute(subject: PhaseSubject): void {
  const { head, snapshot } = subject;
  if (snapshot === undefined) return subject.fail('no_snapshot');
  const mark = head.path.indexOf('?');
  const received = mark === -1 ? head.path : head.path.slice(0, mark);
  const query = mark === -1 ? '' : head.path.slice(mark + 1);
  // `OPTIONS *` asks about the server behind the host: it goes where the host's root goes.
  const path = received === '*' ? '/' : normalizePath(received);
  if (path === undefined) {
    subject.setTarget(received, query, head.path);
    return subject.fail('invalid_path');
  }
  const same = path === received || received === '*';
  subject.setTarget(path, query, same ? head.path : mark === -1 ? path : `${path}?${query}`);
  const route = snapshot.router.match(head.hostname, path, head.method, subject, query);
  if (route === undefined) return subject.fail('no_route');
  subject.setRoute(route);
}

function admit(subject: PhaseSubject): void {
  const { head, snapshot, route } = subject;
  if (snapshot === undefined || route === undefined) return;
  const { maxHeaders, maxHeaderBytes } = snapshot.fleet.http;
  const { count } = head.headers;
  if (count > maxHeaders || head.headers.text(0, count).length > maxHeaderBytes)
    return subject.fail('headers_too_large');
  if (head.expect === 'unknown') return subject.fail('expectation_failed');
  if (head.contentLength > route.plan.bodyLimitBytes) return subject.fail('body_too_large');
}

function runRequestFilters(subject: PhaseSubject): void | Promise<void> {
  const filters = subject.route?.phases.requestFilters;
  if (filters !== undefined && filters.length > 0) return runFilters(subject, filters, 0);
}

function runFilters(
  subject: PhaseSubject,
  filters: Route['phases']['requestFilters'],
  first: number,
): void | Promise<void> {
  for (let index = first; index < filters.length && !subject.settled; index += 1) {
    const outcome = filters[index]?.(subject);
    if (outcome instanceof Promise)
      return outcome.then((answer) => {
        if (answer === undefined) return runFilters(subject, filters, index + 1);
        if (!subject.settled) subject.answer(answer);
      });
    if (outcome !== undefined) return subject.answer(outcome);
  }
}

function send(subject: PhaseSubject): void {
  if (subject.route?.plan.pool === null || subject.route?.pool === undefined) subject.fail('unresolved_ref');
  else subject.send();
}
