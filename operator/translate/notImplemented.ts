/** Fields of objects that the data plane does not carry out yet: an object that asks for one is refused as a whole. */
import { errorAt, type Finding } from '../../proxy/contract/finding.ts';
import { NOT_IMPLEMENTED } from '../../proxy/contract/notImplemented.ts';
import type { OwnKind } from '../objects/objects.ts';

interface Field {
  /** Steps below the object, such as `['spec', 'canary']`. */
  readonly steps: readonly string[];
  readonly path: string;
  /** Only these values are meant; undefined: all. */
  readonly values: readonly string[] | undefined;
}

const FIELDS = fieldsByKind();

function fieldsByKind(): ReadonlyMap<string, readonly Field[]> {
  const byKind = new Map<string, Field[]>();
  for (const { objects = [], values } of NOT_IMPLEMENTED) {
    for (const entry of objects) {
      const [kind = '', path = ''] = entry.split(' ');
      const fields = byKind.get(kind) ?? [];
      fields.push({ steps: path.split('.'), path, values });
      byKind.set(kind, fields);
    }
  }
  return byKind;
}

/** Findings for the fields of `object` that are on the list of what is not implemented. Defaults never trigger it. */
export function findNotImplemented(kind: OwnKind, id: string, object: object): Finding[] {
  const findings: Finding[] = [];
  for (const { steps, path, values } of FIELDS.get(kind) ?? []) {
    const value = valueAt(object, steps);
    if (asksForNothing(value)) continue;
    if (values === undefined) {
      findings.push(errorAt(id, path, 'NotImplemented', 'this version does not carry out this field yet'));
    } else if (typeof value === 'string' && values.includes(value)) {
      findings.push(errorAt(id, path, 'NotImplemented', `this version does not carry out "${value}" yet`));
    }
  }
  return findings;
}

function valueAt(root: object, steps: readonly string[]): unknown {
  let value: unknown = root;
  for (const step of steps) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

/** Absent, or what is the default when it is absent. An empty object is not: `tls: {}` of a pool asks for TLS. */
function asksForNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== 'object') return false;
  if ((value as { enabled?: unknown }).enabled === false) return true;
  const members = Object.values(value);
  return members.length > 0 && members.every(asksForNothing);
}
