/** What of stable itself is no longer permitted: that acts at once, ahead of any stage. */
import type { Fragment } from '../../proxy/contract/fragment.ts';
import type { Context } from './context.ts';
import { draftOf, type Draft } from './draft.ts';
import { ageOf, permitRoutes } from './permit.ts';
import { entriesOf, reachable } from './reach.ts';
import type { Assembly } from './types.ts';

type Revocations = Pick<Assembly, 'revoked' | 'permittedStable'>;

/** All that permission depends on beside stable: these change seldom, so that most assemblies need not ask again. */
interface Asked {
  readonly inputs: readonly unknown[];
  readonly answer: Revocations;
}

const known = new WeakMap<ReadonlyMap<string, Fragment>, Asked>();

/** Objects whose part in stable is not permitted any more, and stable without it. */
export function revocations(context: Context): Revocations {
  const drafts = stableDrafts(context);
  const inputs = inputsOf(context, drafts);
  const before = known.get(context.input.stable);
  if (before !== undefined && isSame(before.inputs, inputs)) return before.answer;
  const routes = [...drafts.values()].filter(({ kind }) => kind === 'ProxyRoute');
  permitRoutes(context, routes);
  const revoked = routes.filter(({ fragment, stable }) => fragment !== stable).map(({ id }) => id);
  const permittedStable = revoked.length === 0 ? null : entriesOf(drafts, reachable(context, drafts));
  const answer: Revocations = { revoked: revoked.sort(), permittedStable };
  known.set(context.input.stable, { inputs, answer });
  return answer;
}

function stableDrafts({ input }: Context): Map<string, Draft> {
  const drafts = new Map<string, Draft>();
  for (const [id, fragment] of input.stable) {
    drafts.set(id, draftOf(id, input.translations.get(id), fragment, 'stable', fragment));
  }
  return drafts;
}

/** Values that are compared by identity: objects that did not change are the same ones. */
function inputsOf({ input, rules }: Context, drafts: ReadonlyMap<string, Draft>): unknown[] {
  const objectsOf = (map: ReadonlyMap<string, { readonly object: unknown }>) =>
    [...map.values()].map(({ object }) => object);
  const { Namespace, ReferenceGrant } = input.objects;
  const inputs = [input.fleet, rules, Namespace.size, ...objectsOf(Namespace), ...objectsOf(ReferenceGrant)];
  for (const draft of drafts.values()) if (draft.kind === 'ProxyRoute') inputs.push(ageOf(draft));
  return inputs;
}

function isSame(before: readonly unknown[], now: readonly unknown[]): boolean {
  return before.length === now.length && before.every((value, i) => Object.is(value, now[i]));
}
