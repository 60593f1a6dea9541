/**
 * Golden pairs: `<name>.in.yaml` (a document, or a list of entries as the operator makes them) and the plan, findings
 * and, for the requests of `<name>.requests.yaml`, the routes that come of it. UPDATE_GOLDEN=1 rewrites them.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import type { Entry } from '../contract/document/entries.ts';
import { normalizeHost } from '../contract/host.ts';
import { normalizePath } from '../contract/path.ts';
import { Router } from '../router/router.ts';
import { compileEntries } from './compile.ts';
import { compileDocument } from './compileDocument.ts';
import type { Plan } from './plan.ts';

const FOLDER = new URL('../../test/golden/compile/', import.meta.url);
const UPDATE = process.env['UPDATE_GOLDEN'] === '1';

const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.in.yaml'))
  .map((file) => file.slice(0, -'.in.yaml'.length));

for (const name of names) {
  test(`compiling ${name}.in.yaml gives ${name}.out.yaml`, () => {
    const actual = outcome(name);
    const file = new URL(`${name}.out.yaml`, FOLDER);
    if (UPDATE) writeFileSync(file, actual);
    assert.equal(actual, existsSync(file) ? readFileSync(file, 'utf8') : '', 'run `make golden` and read the diff');
  });
}

test('every golden output and every list of requests belongs to an input', () => {
  const strays = readdirSync(FOLDER).filter((file) => !names.includes(file.replace(/\.(in|out|requests)\.yaml$/, '')));
  assert.deepEqual(strays, []);
});

function outcome(name: string): string {
  const text = readFileSync(new URL(`${name}.in.yaml`, FOLDER), 'utf8');
  const { plan, findings } = text.includes('\nentries:')
    ? compileEntries((parse(text) as { entries: Entry[] }).entries)
    : compileDocument(text, `${name}.in.yaml`);
  const requests = new URL(`${name}.requests.yaml`, FOLDER);
  const asked = existsSync(requests) ? (parse(readFileSync(requests, 'utf8')) as Asked[]) : [];
  const shown = {
    findings: findings.map(({ severity, object, path, reason, message }) => ({
      severity,
      ...(object === '' ? {} : { object }),
      path,
      reason,
      message,
    })),
    ...(plan === undefined ? {} : { plan: shownPlan(plan) }),
    ...(plan === undefined || asked.length === 0 ? {} : { answers: answers(plan, asked) }),
  };
  return stringify(shown, { lineWidth: 120, collectionStyle: 'any', aliasDuplicateObjects: false });
}

function shownPlan(plan: Plan): unknown {
  const byId = (a: { readonly id: string }, b: { readonly id: string }) => (a.id < b.id ? -1 : 1);
  return {
    routes: [...plan.routes.values()].sort(byId),
    pools: [...plan.pools.values()].sort(byId),
    fleet: plan.fleet,
  };
}

type Asked = string | { readonly request: string; readonly headers: Readonly<Record<string, string>> };

/** The route that answers each request, `GET host/path?query`. */
function answers(plan: Plan, asked: readonly Asked[]): unknown {
  const set = [...plan.routes.values()].map(({ id, matches }) => ({ id, matches, value: id }));
  const steps = Router.empty<string>().apply({ set, delete: [] });
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  const router = step.value;
  return asked.map((item) => {
    const { request, headers } = typeof item === 'string' ? { request: item, headers: {} } : item;
    const [, method = '', hostHeader = '', target = '', query = ''] =
      /^(\S+) ([^/]*)(\/[^?]*)\??(.*)$/.exec(request) ?? [];
    const host = normalizeHost(hostHeader);
    const path = normalizePath(target);
    const lookup = { get: (field: string) => new Map(Object.entries(headers)).get(field) };
    const route =
      host === undefined
        ? '400 invalid_host'
        : path === undefined
          ? '400 invalid_path'
          : (router.match(host, path, method, lookup, query) ?? '404 no_route');
    return { request, ...(typeof item === 'string' ? {} : { headers }), route };
  });
}
