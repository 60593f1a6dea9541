/** A fleet's controller over a folder store, without proxies unless a test gives some. */
import type { TestContext } from 'node:test';
import { unwrap, SUPPORTS, CLUSTER } from '../../proxy/bundle/testkit.ts';
import type { Ack } from '../../proxy/contract/ack.ts';
import type { Head } from '../../proxy/contract/head.ts';
import type { Logger } from '../../proxy/observability/logger.ts';
import { FolderStore } from '../../proxy/store/folderStore.ts';
import { temporaryFolder } from '../../proxy/store/testkit.ts';
import type { Store } from '../../proxy/store/types.ts';
import { inputOf, OPEN_FLEET, pool, route } from '../assemble/testkit.ts';
import type { AnyObject } from '../objects/objects.ts';
import { KEY } from '../publish/testkit.ts';
import { Publisher } from '../publish/publisher.ts';
import { rolloutSpecOf } from '../rollout/spec.ts';
import type { AuditRecord, Member } from '../rollout/types.ts';
import type { World } from './assembler.ts';
import { FleetController, type FleetControllerOptions, type FleetReport } from './fleetController.ts';

export const FLEET = 'edge/main';
export const OBJECTS = [OPEN_FLEET, route('shop/web', 'web.example'), pool('shop/web')];
export const SPEC = rolloutSpecOf({});

export function worldOf(objects: readonly AnyObject[]): World {
  const { objects: set, translations } = inputOf(objects);
  return { objects: set, translations };
}

export function memberOf(podUid: string, change: Partial<Ack> = {}): Member {
  const ack: Ack = {
    podUid,
    bootId: 'boot',
    version: '0',
    fleet: FLEET,
    generation: 0,
    startGeneration: 0,
    running: null,
    role: 'stable',
    ready: true,
    draining: false,
    missing: [],
    knownKids: [],
    supports: { documentVersions: [1], features: [] },
    counters: { requests: 0, errors5xx: 0, swaps: 0, refusals: 0 },
    ...change,
  };
  return { podUid, ack, lastSeenMs: Date.now() };
}

/** Logs into a list, as `level: message`. */
export function listLogger(): { readonly lines: string[]; readonly logger: Logger } {
  const lines: string[] = [];
  const at = (level: string) => (_keys: object, message: string) => void lines.push(`${level}: ${message}`);
  return { lines, logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } };
}

export interface Operated {
  readonly controller: FleetController;
  readonly reports: FleetReport[];
  readonly audit: AuditRecord[];
  readonly lines: string[];
  /** The next report, of a round that begins now. */
  readonly nextReport: () => Promise<FleetReport>;
}

/** By test: controllers end before the folder goes that they work on. */
const operating = new WeakMap<object, FleetController[]>();

/** A running controller on a store of `newStore`, as after a start of the operator: it knows nothing but the store. */
export function operate(t: TestContext, store: Store, change: Partial<FleetControllerOptions> = {}): Operated {
  const { lines, logger } = listLogger();
  const reports: FleetReport[] = [];
  const audit: AuditRecord[] = [];
  let onReport: (report: FleetReport) => void = () => undefined;
  const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
  const controller = new FleetController({
    fleet: FLEET,
    defaultFleet: FLEET,
    publisher: new Publisher({ store, clusterUid: CLUSTER, keys: () => [KEY], supports: SUPPORTS, clock, log: logger }),
    reinitialize: false,
    onFinished: () => undefined,
    keys: () => [KEY],
    members: () => [],
    wallNow: () => Date.now(),
    onAudit: (records) => audit.push(...records),
    onReport: async (report) => {
      reports.push(report);
      onReport(report);
      return Promise.resolve();
    },
    logger,
    ...change,
  });
  operating.get(t)?.push(controller);
  const nextReport = async () => {
    const next = new Promise<FleetReport>((resolve) => (onReport = resolve));
    controller.start();
    controller.wake();
    return next;
  };
  return { controller, reports, audit, lines, nextReport };
}

export async function newStore(t: TestContext): Promise<{ readonly root: string; readonly store: FolderStore }> {
  const controllers: FleetController[] = [];
  operating.set(t, controllers);
  t.after(() => Promise.all(controllers.map((controller) => controller.stop())));
  const root = await temporaryFolder(t);
  return { root, store: new FolderStore(root) };
}

/** The head in the store, unverified. */
export async function headIn(store: Store): Promise<Head> {
  const { file } = unwrap(await store.getHead(FLEET));
  return JSON.parse(Buffer.from(file.jws.split('.')[1] ?? '', 'base64url').toString()) as Head;
}
