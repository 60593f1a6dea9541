import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assembled, OPEN_FLEET, own, pool, route, stableOf } from '../assemble/testkit.ts';
import type { AnyObject } from '../objects/objects.ts';
import { decide } from '../rollout/decide.ts';
import type { StatusSink } from '../status/statusFolder.ts';
import { digestsOf } from './assembler.ts';
import type { FleetReport } from './fleetController.ts';
import { Reporter } from './reporter.ts';

const MAIN = 'edge/main';
const OTHER = 'edge/other';
const OTHER_FLEET = own('ProxyRollout', OTHER, { fleet: { allowedNamespaces: { from: 'All' } } });
const toOther = route('shop/web', 'web.example', { fleetRef: { namespace: 'edge', name: 'other' } });

function reportOf(fleet: string, objects: readonly AnyObject[], isStable = true): FleetReport {
  const assembly = assembled(objects, undefined, { fleet, defaultFleet: MAIN });
  const idle = decide({
    nowMs: 0,
    fleet,
    spec: null,
    head: null,
    bundles: new Map(),
    current: new Map(),
    assemblies: new Map(),
    permittedStable: null,
    members: [],
    gates: [],
    memory: null,
  });
  assert.ok(idle.kind === 'Wait');
  const stable = isStable ? digestsOf(stableOf(assembly)) : new Map<string, never>();
  return { fleet, head: null, spec: null, view: idle.view, assembly, stable };
}

/** Statuses by `Kind/namespace/name`, and how often one changed. */
function memorySink() {
  const statuses = new Map<string, string>();
  const counted = { changes: 0 };
  const sink: StatusSink = {
    write: async (kind, namespace, name, status) => {
      const text = JSON.stringify(status);
      const key = `${kind}/${namespace}/${name}`;
      if (statuses.get(key) !== text) counted.changes += 1;
      statuses.set(key, text);
      return Promise.resolve();
    },
    remove: async (kind, namespace, name) => {
      statuses.delete(`${kind}/${namespace}/${name}`);
      return Promise.resolve();
    },
  };
  const reasonOf = (key: string, type = 'Programmed') => {
    const status = JSON.parse(statuses.get(key) ?? '{}') as { conditions?: { type: string; reason: string }[] };
    return status.conditions?.find((condition) => condition.type === type)?.reason;
  };
  return { sink, statuses, counted, reasonOf };
}

describe('an object that two fleets speak of', () => {
  test('has one status, of the fleet whose route leads to it, whoever reports', async () => {
    const objects = [OPEN_FLEET, OTHER_FLEET, toOther, pool('shop/web')];
    const { sink, counted, reasonOf } = memorySink();
    const reporter = new Reporter({ sink, wallNow: () => 0 });
    const reports = [reportOf(OTHER, objects), reportOf(MAIN, objects)];
    for (const report of reports) await reporter.report(report);
    assert.equal(reasonOf('UpstreamPool/shop/web'), 'Programmed');
    const { changes } = counted;
    for (let i = 0; i < 3; i += 1) await Promise.all(reports.map((report) => reporter.report(report)));
    assert.equal(counted.changes, changes);
  });

  test('is programmed when both run it', async () => {
    const objects = [OPEN_FLEET, OTHER_FLEET, toOther, route('shop/main', 'main.example'), pool('shop/web')];
    const { sink, reasonOf } = memorySink();
    const reporter = new Reporter({ sink, wallNow: () => 0 });
    await reporter.report(reportOf(MAIN, objects, false));
    await reporter.report(reportOf(OTHER, objects));
    assert.equal(reasonOf('UpstreamPool/shop/web'), 'Pending');
    await reporter.report(reportOf(MAIN, objects));
    assert.equal(reasonOf('UpstreamPool/shop/web'), 'Programmed');
  });

  test('keeps what one of them says when the other is gone', async () => {
    const objects = [OPEN_FLEET, OTHER_FLEET, toOther, pool('shop/web')];
    const { sink, statuses, reasonOf } = memorySink();
    const reporter = new Reporter({ sink, wallNow: () => 0 });
    await reporter.report(reportOf(MAIN, objects));
    await reporter.report(reportOf(OTHER, objects));
    await reporter.forget(OTHER);
    assert.equal(reasonOf('UpstreamPool/shop/web'), 'NotReferenced');
    assert.equal(statuses.has('ProxyRoute/shop/web'), false);
    assert.equal(statuses.has('ProxyRollout/edge/other'), false);
  });
});
