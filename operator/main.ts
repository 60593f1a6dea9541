/** The operator: objects in, signed bundles and staged heads out, status back. Everything is wired here, in order. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SUPPORTS } from '../proxy/contract/bundle.ts';
import { Secret } from '../proxy/contract/secret.ts';
import { VERSION } from '../proxy/contract/version.ts';
import { createLogger, type Logger } from '../proxy/observability/logger.ts';
import { FolderStore } from '../proxy/store/folderStore.ts';
import { ensureSigningKeys, writeKeySet } from '../proxy/store/keyFolder.ts';
import { AckBook } from './acks/book.ts';
import { AckPoller } from './acks/poller.ts';
import { readOperatorOptions, type OperatorOptions } from './cli/options.ts';
import { FindingLog } from './control/findingLog.ts';
import { FleetController } from './control/fleetController.ts';
import { Fleets } from './control/fleets.ts';
import { surviving } from './control/surviving.ts';
import { Reporter } from './control/reporter.ts';
import { AuditLog } from './govern/auditLog.ts';
import { Publisher } from './publish/publisher.ts';
import { StatusFolder } from './status/statusFolder.ts';
import { FolderWatcher } from './watch/watcher.ts';

const read = readOperatorOptions(process.argv.slice(2), process.env);
if (!read.ok) fail(read.error, 2);
else if ('help' in read.value) process.stdout.write(read.value.help);
else await run(read.value.options);

function fail(lines: readonly string[], code: number): never {
  process.stderr.write(lines.map((line) => `${line}\n`).join(''));
  process.exit(code);
}

async function run(options: OperatorOptions): Promise<void> {
  const logger = createLogger({ json: options.logJson, level: options.logLevel, name: 'operator' });

  // Trust: the signing keys are the operator’s own; proxies get the file of public keys.
  const keys = await ensureSigningKeys(options.keysDir, Date.now());
  if (!keys.ok) return fail([`--keys-dir: ${keys.error.message}`], 1);
  const written = await writeKeySet(join(options.keysDir, 'public.json'), keys.value);
  if (!written.ok) return fail([`--keys-dir: ${written.error.message}`], 1);

  const publisher = new Publisher({
    store: new FolderStore(options.storeDir),
    clusterUid: options.clusterUid,
    keys: () => keys.value,
    supports: SUPPORTS,
    clock: { wallMs: () => Date.now(), monotonicMs: () => performance.now() },
    log: logger,
  });
  const findings = new FindingLog(logger);
  const audit = new AuditLog(options.auditFile, logger);
  const reporter = new Reporter({
    sink: options.statusDir === undefined ? undefined : new StatusFolder(options.statusDir, logger),
    wallNow: () => Date.now(),
  });

  const acks = createAcks(options, logger, () => fleets.wakeAll());
  const fleets = new Fleets({
    makeController: (fleet, onFinished) =>
      new FleetController({
        fleet,
        defaultFleet: options.defaultFleet,
        publisher,
        reinitialize: options.reinitializedFleets.includes(fleet),
        keys: () => keys.value,
        members: () => (acks === undefined ? [] : acks.book.membersOf(fleet)),
        wallNow: () => Date.now(),
        onFinished,
        onAudit: (records) => audit.append(records),
        onReport: async (report) => {
          findings.set(`fleet ${fleet}`, report.assembly.findings);
          await reporter.report(report);
        },
        logger,
      }),
    onRemoved: (fleet) => {
      findings.set(`fleet ${fleet}`, []);
      logger.info({ fleet }, 'fleet is gone; its proxies keep what is stable');
      reporter.forget(fleet).catch((err: unknown) => logger.warn({ fleet, err }, 'status could not be removed'));
    },
  });
  const watcher = new FolderWatcher(options.manifests, (objects, found) => {
    findings.set('folder', found);
    const ownFindings = surviving(logger, () => fleets.setObjects(objects));
    if (ownFindings !== undefined) findings.set('objects', ownFindings);
  });

  await watcher.start();
  acks?.book.start();
  logger.info({ manifests: options.manifests, kids: keys.value.map((k) => k.kid), version: VERSION }, 'operating');
  process.on('SIGHUP', () => void watcher.reload());
  onEnd(logger, async () => {
    await watcher.stop();
    await fleets.stop();
    await acks?.stop();
  });
}

/** The first signal ends in order, the second at once. */
function onEnd(logger: Logger, end: () => Promise<void>): void {
  let ending = false;
  const stop = () => {
    if (ending) process.exit(1);
    ending = true;
    end().then(
      () => process.exit(0),
      (err: unknown) => {
        logger.error({ err }, 'ending failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function createAcks(
  options: OperatorOptions,
  logger: Logger,
  onPolled: () => void,
): { readonly book: AckBook; stop(): Promise<void> } | undefined {
  if (options.ackTls === undefined || options.members.length === 0) return undefined;
  const { caFile, certFile, keyFile } = options.ackTls;
  const text = (flag: string, file: string) => {
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      return fail([`${flag}: ${error instanceof Error ? error.message : String(error)}`], 1);
    }
  };
  const poller = new AckPoller({
    tls: {
      ca: text('--ack-ca-file', caFile),
      cert: text('--ack-cert-file', certFile),
      key: new Secret(text('--ack-key-file', keyFile)),
    },
    now: () => Date.now(),
  });
  const book = new AckBook({
    addresses: () => options.members,
    poll: (members) => poller.poll(members),
    onPolled,
    setTimer: (run, ms) => setTimeout(run, ms),
    logger,
  });
  const stop = async () => {
    book.stop();
    await poller.close();
  };
  return { book, stop };
}
