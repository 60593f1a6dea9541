/**
 * Fragments → document. Pure, and the only place that decides which version of each object is in the next document:
 * nothing that is wrong with one object stops or breaks another.
 *
 * - An invalid spec, and a change that refers to nothing, keep the last accepted version: stable's.
 * - A new object that refers to nothing is accepted, and so is an unchanged one whose target vanished: they answer 503.
 * - A deletion is staged like a change. A revoked ReferenceGrant, a lost host or a lost namespace act on every version.
 * - What a rollout holds back keeps stable's version for as long as it does not change.
 */
import { compileEntries } from '../../proxy/compiler/compile.ts';
import { compareEntries } from '../../proxy/contract/document/entries.ts';
import { contextOf } from './context.ts';
import { revocations } from './revoke.ts';
import { settle } from './settle.ts';
import type { AssembleInput, Assembly } from './types.ts';
import { verdicts } from './verdict.ts';

/**
 * Assembles the next document of a fleet. The same input gives the same output, whatever its order.
 * @param previous an earlier result: it makes the compiler faster, and no difference otherwise
 */
export function assemble(input: AssembleInput, previous?: Assembly): Assembly {
  const context = contextOf(input);
  const settled = settle(context, compileEntries, previous?.compiled);
  const broken = settled.compiled.findings.filter((finding) => finding.severity === 'error');
  const objects = verdicts(context, settled);
  return {
    // Where no object is to blame, there is nothing to take back: what is served stays as it is.
    entries:
      broken.length === 0
        ? settled.entries
        : [...input.stable.values()].flatMap((fragment) => fragment.entries).sort(compareEntries),
    compiled: settled.compiled,
    objects,
    findings: [...broken, ...[...objects.values()].flatMap((verdict) => verdict.findings)],
    ...revocations(context),
  };
}
