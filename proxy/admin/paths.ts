/** The paths of the admin listener, and what each demands. */
import type { IncomingMessage } from 'node:http';
import type { FleetPlan } from '../compiler/plan.ts';
import type { Ack } from '../contract/ack.ts';
import type { Document } from '../contract/document/document.ts';
import { Secret } from '../contract/secret.ts';
import { hasBearer, jsonReply, type AdminPath, type Reply } from './server.ts';

/** What the admin listener asks of the proxy. */
export interface AdminView {
  /** Undefined when ready; else why not. */
  notReady(): string | undefined;
  ack(): Promise<Ack>;
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  metricsSettings(): FleetPlan['metrics'];
  current():
    | { readonly digest: string; readonly role: string; readonly generation: number; readonly document: Document }
    | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Probes and acks are for machines that hold no token: probes demand nothing, acks the operator’s certificate. */
export function adminPaths(view: AdminView): AdminPath[] {
  return [
    {
      method: 'GET',
      path: '/healthz',
      demand: 'nothing',
      handle: () => ({ status: 200, contentType: 'text/plain', body: 'ok\n' }),
    },
    { method: 'GET', path: '/ready', demand: 'nothing', handle: () => readiness(view) },
    { method: 'GET', path: '/api/v2/ack', demand: 'certificate', handle: async () => jsonReply(200, await view.ack()) },
    { method: 'GET', path: '/api/v2/config/current', demand: 'certificateAndToken', handle: () => current(view) },
    ...metricsPaths(view),
  ];
}

/** Only the metrics, for a listener of their own. */
export function metricsPaths(view: AdminView): AdminPath[] {
  const settings = view.metricsSettings();
  if (!settings.enabled) return [];
  return [{ method: 'GET', path: settings.path, demand: 'nothing', handle: (request) => metrics(view, request) }];
}

function readiness(view: AdminView): Reply {
  const reason = view.notReady();
  return reason === undefined
    ? { status: 200, contentType: 'text/plain', body: 'ready\n' }
    : { status: 503, contentType: 'text/plain', body: `not ready: ${reason}\n` };
}

function current(view: AdminView): Reply {
  const running = view.current();
  return running === undefined
    ? jsonReply(404, { error: 'no_snapshot', message: 'Nothing runs yet.' })
    : jsonReply(200, running);
}

async function metrics(view: AdminView, request: IncomingMessage): Promise<Reply> {
  const { requireToken, tokenEnv } = view.metricsSettings();
  if (requireToken) {
    const token = tokenEnv === null ? undefined : view.env[tokenEnv];
    // A token that is demanded and not set opens nothing.
    if (token === undefined || token === '' || !hasBearer(request, new Secret(token))) {
      return jsonReply(401, { error: 'unauthorized', message: 'A valid bearer token is needed.' });
    }
  }
  const { contentType, body } = await view.metrics();
  return { status: 200, contentType, body };
}
