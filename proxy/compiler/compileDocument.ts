/** Hand-written text all the way to a plan: what `validate`, `compile` and a reloaded file need. */
import type { Document } from '../contract/document/document.ts';
import { documentEntries, entryKey, type Entry, type Section } from '../contract/document/entries.ts';
import type { Finding } from '../contract/finding.ts';
import { compileEntries, type CompileResult } from './compile.ts';
import { parseDocument } from './parse.ts';
import type { Plan } from './plan.ts';
import { at } from './problem.ts';

export interface CompiledDocument {
  /** Undefined when the text was refused before it came to entries. */
  readonly entries: readonly Entry[] | undefined;
  /** Undefined when there is an error. */
  readonly plan: Plan | undefined;
  readonly findings: readonly Finding[];
  /** For the next compilation. */
  readonly result: CompileResult | undefined;
}

/**
 * Parses, validates and compiles a hand-written document.
 * @param source where the text is from, as findings name it
 * @param previous an earlier result of the same source, so that unchanged routes are not compiled again
 */
export function compileDocument(text: string, source: string, previous?: CompileResult): CompiledDocument {
  const parsed = parseDocument(text, source);
  if (parsed.document === undefined)
    return { entries: undefined, plan: undefined, findings: parsed.findings, result: undefined };
  const entries = documentEntries(parsed.document, '');
  const paths = entryPaths(parsed.document);
  const result = compileEntries(entries, previous, { pathOf: (entry) => paths.get(entryKey(entry)) ?? entry.section });
  const fresh = result.findings.filter(
    (f) => !parsed.findings.some((p) => p.path === f.path && p.message === f.message),
  );
  const findings = [...parsed.findings, ...fresh.map((finding) => ({ ...finding, source }))];
  return { entries, plan: result.plan, findings, result };
}

/** Where each entry stands in the document. */
function entryPaths(document: Document): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  const list = (section: Section, items: readonly { readonly id: string }[] | undefined) => {
    for (const [i, { id }] of (items ?? []).entries()) paths.set(entryKey({ section, id }), at(section, i));
  };
  const byRoute = (items: readonly { readonly route: string }[] | undefined) =>
    items?.map(({ route }) => ({ id: route }));
  list('routes', document.routes);
  list('pools', document.pools);
  list('policies', document.policies);
  list('traffic_management', byRoute(document.traffic_management));
  return paths;
}
