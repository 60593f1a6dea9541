/**
 * Golden pairs: the objects of `<name>.in.yaml`, on top of what became stable from those of `<name>.before.yaml`, and the
 * document, conditions and findings that come of them. UPDATE_GOLDEN=1 rewrites the latter. Comments of the input may
 * hold versions back: `# held: Kind/namespace/name`, `# held-deletion: …`; `# no-fleet` leaves the common fleet out.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { entriesDocument } from '../../proxy/contract/document/entries.ts';
import { formatFinding } from '../../proxy/contract/finding.ts';
import { fragmentsOf, type Fragment } from '../../proxy/contract/fragment.ts';
import { assemble } from '../assemble/assemble.ts';
import type { AssembleInput, Assembly } from '../assemble/types.ts';
import { buildObjectSet, type ObjectSet } from '../objects/objectSet.ts';
import { OWN_KINDS, type AnyObject, type Stored } from '../objects/objects.ts';
import { translateAll } from '../translate/translate.ts';
import { FolderReader, type FolderReading } from '../watch/folder.ts';
import { fragmentStatusOf } from './conditions.ts';

const FOLDER = new URL('../../test/golden/translate/', import.meta.url);
const UPDATE = process.env['UPDATE_GOLDEN'] === '1';
const FLEET = 'edge/main';

const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.in.yaml'))
  .map((file) => file.slice(0, -'.in.yaml'.length));

for (const name of names) {
  test(`the objects of ${name}.in.yaml give ${name}.out.yaml`, async () => {
    const actual = await outcome(name);
    const file = new URL(`${name}.out.yaml`, FOLDER);
    if (UPDATE) writeFileSync(file, actual);
    assert.equal(actual, existsSync(file) ? readFileSync(file, 'utf8') : '', 'run `make golden` and read the diff');
  });
}

test('every golden file of objects belongs to a case', () => {
  const strays = readdirSync(FOLDER).filter((file) => !names.includes(file.replace(/\.(before|in|out)\.yaml$/, '')));
  assert.deepEqual(strays, ['fleet.yaml']);
});

async function outcome(name: string): Promise<string> {
  const before = `${name}.before.yaml`;
  const stable = existsSync(new URL(before, FOLDER))
    ? fragmentsOf(decide((await read(before)).objects, new Map()).entries)
    : new Map<string, Fragment>();
  const { objects, findings } = await read(`${name}.in.yaml`);
  const assembly = decide(objects, stable, holdsOf(name, objects, stable));
  assert.deepEqual(decide(reversed(objects), stable, holdsOf(name, objects, stable)).entries, assembly.entries);
  return stringify(
    {
      document: entriesDocument(assembly.entries),
      conditions: conditionsOf(assembly, stable),
      ...(assembly.permittedStable === null
        ? {}
        : { revoked: assembly.revoked, permittedStable: entriesDocument(assembly.permittedStable) }),
      findings: [...findings, ...assembly.findings].map(formatFinding),
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}

async function read(file: string): Promise<FolderReading> {
  const text = readFileSync(new URL(file, FOLDER), 'utf8');
  const { objects, findings } = await readFile(file);
  if (objects.ProxyRollout.size > 0 || text.includes('# no-fleet')) return { objects, findings };
  const fleet = await readFile('fleet.yaml');
  const all = [...allOf(objects), ...allOf(fleet.objects)];
  return { objects: buildObjectSet(all, objects.complete).set, findings };
}

/** Sources without the folder, which is elsewhere on every machine. */
async function readFile(file: string): Promise<FolderReading> {
  const { objects, findings } = await new FolderReader(fileURLToPath(new URL(file, FOLDER))).read();
  const short = (source: string) => source.slice(source.lastIndexOf('/') + 1);
  const stored = allOf(objects).map(({ object, source }) => ({ object, source: short(source) }));
  return {
    objects: buildObjectSet(stored, objects.complete).set,
    findings: findings.map(({ source = '', message, ...finding }) => ({
      ...finding,
      message: message.replaceAll(fileURLToPath(FOLDER), ''),
      source: short(source),
    })),
  };
}

function allOf(objects: ObjectSet): Stored<AnyObject>[] {
  const { complete: _complete, ...kinds } = objects;
  return Object.values(kinds).flatMap((map): Stored<AnyObject>[] => [...map.values()]);
}

function reversed(objects: ObjectSet): ObjectSet {
  return buildObjectSet(allOf(objects).reverse(), objects.complete).set;
}

function decide(
  objects: ObjectSet,
  stable: ReadonlyMap<string, Fragment>,
  holds: AssembleInput['holds'] = [],
): Assembly {
  return assemble({ fleet: FLEET, defaultFleet: FLEET, objects, translations: translateAll(objects), stable, holds });
}

function holdsOf(name: string, objects: ObjectSet, stable: ReadonlyMap<string, Fragment>): AssembleInput['holds'] {
  const text = readFileSync(new URL(`${name}.in.yaml`, FOLDER), 'utf8');
  const free = decide(objects, stable).objects;
  return [...text.matchAll(/^# (held|held-deletion): (\S+)$/gm)].map(([, what, object = '']) => ({
    object,
    digest: what === 'held' ? (free.get(object)?.desiredDigest ?? null) : null,
  }));
}

function conditionsOf({ objects }: Assembly, stable: ReadonlyMap<string, Fragment>): Record<string, unknown> {
  const shown: Record<string, Record<string, string>> = {};
  for (const verdict of objects.values()) {
    const stableDigest = stable.get(verdict.object)?.digest;
    const { conditions = [] } = fragmentStatusOf({ verdict, stableDigest, previous: null, nowMs: 0 });
    const lines: Record<string, string> = { used: verdict.used };
    for (const { type, status, reason, message } of conditions) {
      lines[type] = `${status} ${reason}${message === '' ? '' : `: ${message}`}`;
    }
    shown[verdict.object] = lines;
  }
  return shown;
}

test('the golden cases show every kind', () => {
  const text = names.map((name) => readFileSync(new URL(`${name}.out.yaml`, FOLDER), 'utf8')).join('');
  for (const kind of OWN_KINDS) assert.ok(text.includes(`${kind}/`), kind);
});
