/** `validate` and `compile`: the proxy’s own validator and compiler, on files. */
import { readFile, stat } from 'node:fs/promises';
import { stringify } from 'yaml';
import { buildBundle } from '../bundle/buildBundle.ts';
import { compileDocument } from '../compiler/compileDocument.ts';
import type { Plan } from '../compiler/plan.ts';
import { DOCUMENT_VERSION } from '../contract/document/document.ts';
import { errorAt, formatFinding, hasErrors, type Finding } from '../contract/finding.ts';
import { limit } from '../contract/limits.ts';

/** 0: valid; 1: findings of severity error; 2: a file could not be read. */
export type ExitCode = 0 | 1 | 2;

interface Checked {
  readonly file: string;
  readonly digest: string | null;
  readonly plan: Plan | undefined;
  readonly findings: readonly Finding[];
  readonly unreadable: boolean;
}

async function check(file: string): Promise<Checked> {
  const nothing = { file, digest: null, plan: undefined };
  let text: string;
  try {
    if ((await stat(file)).size > limit('inputFileBytes')) {
      return {
        ...nothing,
        unreadable: false,
        findings: [{ ...errorAt('', '', 'TooLarge', 'The file is over the size limit.'), source: file }],
      };
    }
    text = await readFile(file, 'utf8');
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ...nothing, unreadable: true, findings: [{ ...errorAt('', '', 'Malformed', message), source: file }] };
  }
  const { entries, plan, findings } = compileDocument(text, file);
  if (entries === undefined || hasErrors(findings)) return { ...nothing, findings, unreadable: false };
  const built = buildBundle(entries, { documentVersion: DOCUMENT_VERSION, features: [] });
  if (!built.ok) return { ...nothing, findings: [...findings, ...built.error], unreadable: false };
  return { file, digest: built.value.digest, plan, findings, unreadable: false };
}

function exitCode(results: readonly Checked[]): ExitCode {
  if (results.some((r) => r.unreadable)) return 2;
  return results.some((r) => hasErrors(r.findings)) ? 1 : 0;
}

/** Prints the findings of each file. */
export async function validateFiles(
  files: readonly string[],
  json: boolean,
  print: (text: string) => void,
): Promise<ExitCode> {
  const results = await Promise.all(files.map(check));
  if (json) {
    print(
      `${JSON.stringify({ files: results.map(({ file, digest, findings }) => ({ file, valid: !hasErrors(findings), digest, findings })) }, null, 2)}\n`,
    );
    return exitCode(results);
  }
  for (const { file, digest, findings } of results) {
    for (const finding of findings) print(`${formatFinding(finding)}\n`);
    print(hasErrors(findings) ? `${file}: invalid\n` : `${file}: valid, ${digest}\n`);
  }
  return exitCode(results);
}

/** Prints digest and plan of each file; findings come first. */
export async function compileFiles(
  files: readonly string[],
  json: boolean,
  print: (text: string) => void,
): Promise<ExitCode> {
  const results = await Promise.all(files.map(check));
  const plain = (plan: Plan | undefined) =>
    plan === undefined
      ? null
      : { routes: [...plan.routes.values()], pools: [...plan.pools.values()], fleet: plan.fleet };
  if (json) {
    print(
      `${JSON.stringify({ files: results.map(({ file, digest, plan, findings }) => ({ file, digest, findings, plan: plain(plan) })) }, null, 2)}\n`,
    );
    return exitCode(results);
  }
  for (const { file, digest, plan, findings } of results) {
    for (const finding of findings) print(`${formatFinding(finding)}\n`);
    if (hasErrors(findings)) print(`${file}: invalid\n`);
    else
      print(`# ${file}\n${stringify({ digest, plan: plain(plan) }, { lineWidth: 120, aliasDuplicateObjects: false })}`);
  }
  return exitCode(results);
}
