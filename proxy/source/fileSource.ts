/**
 * One file, as `-config-file` names it: a document written by hand (JSON or YAML), or a signed bundle where public keys
 * are given. Read again when it changes; what is refused leaves what runs.
 */
import { dirname } from 'node:path';
import { buildBundle } from '../bundle/buildBundle.ts';
import { importBundle, looksLikeBundleFile } from '../bundle/exportedBundle.ts';
import type { KeySet } from '../bundle/keys.ts';
import type { Supports } from '../bundle/refused.ts';
import type { RefusalReason } from '../contract/ack.ts';
import { digestOf, type Digest } from '../contract/canonical.ts';
import { DOCUMENT_VERSION, type Document } from '../contract/document/document.ts';
import { documentEntries } from '../contract/document/entries.ts';
import { formatFinding, hasErrors, type Finding } from '../contract/finding.ts';
import { limit } from '../contract/limits.ts';
import type { Logger } from '../observability/logger.ts';
import { attempt, NODE_FILE_SYSTEM, readBounded } from '../store/files.ts';
import { fileSignature } from './keyFile.ts';
import type { Candidate, Source, SourceEvents } from './types.ts';
import { Signal } from './waits.ts';
import { POLL_MS, watchFolder } from './watching.ts';

/** The compiler’s parser, handed in by the composition root: a source compiles nothing. */
export type ParseDocument = (
  text: string,
  source: string,
) => { readonly document?: Document | undefined; readonly findings: readonly Finding[] };

export interface FileSourceOptions {
  readonly path: string;
  readonly parse: ParseDocument;
  /** With keys only a bundle that one of them signed is taken; null takes documents, unsigned. */
  readonly keys: (() => KeySet) | null;
  readonly supports: Supports;
  readonly log: Logger;
  readonly pollMs?: number;
}

export class FileSource implements Source {
  /** Files have no generations. */
  readonly startGeneration = 0;
  readonly #options: FileSourceOptions;
  readonly #signal = new Signal();
  #events: SourceEvents | undefined;
  #stopWatching: (() => void) | undefined;
  #loop: Promise<void> | undefined;
  #stopped = false;
  #signature: string | undefined;
  /** What was read last: a file that was touched, or seen in the middle of one write, is not a new one. */
  #content: Digest | undefined;
  #running: Digest | undefined;
  /** What was offered last; it runs, or will unless it is refused. */
  #target: Digest | undefined;
  /** What came after it was refused. */
  #refusedSince = false;

  constructor(options: FileSourceOptions) {
    this.#options = options;
  }

  /** Reads the file once before it returns, so that a file that is refused is known at start. */
  async start(events: SourceEvents): Promise<void> {
    this.#events = events;
    this.#signature = await fileSignature(this.#options.path);
    await this.#read();
    const { path, pollMs = POLL_MS } = this.#options;
    this.#stopWatching = watchFolder(dirname(path), pollMs)(() => this.#signal.raise());
    this.#loop = this.#follow();
  }

  /** Reads the file again, changed or not. */
  async reload(): Promise<void> {
    this.#signature = undefined;
    this.#content = undefined;
    this.#target = undefined;
    this.#signal.raise();
  }

  async settled(digest: Digest, outcome: 'running' | 'refused' | 'failed'): Promise<void> {
    if (outcome === 'running') this.#running = digest;
    else {
      this.#refusedSince = true;
      if (this.#target === digest) this.#target = this.#running;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopWatching?.();
    this.#signal.raise();
    await this.#loop;
  }

  async #follow(): Promise<void> {
    for (;;) {
      await this.#signal.wait();
      if (this.#stopped) return;
      try {
        const signature = await fileSignature(this.#options.path);
        if (signature === this.#signature) continue;
        // An editor may still be writing: what is read then is refused, and read again at the next change.
        this.#signature = signature;
        await this.#read();
      } catch (error) {
        this.#options.log.error({ error: String(error) }, 'source failed; it goes on with the next change');
      }
    }
  }

  async #read(): Promise<void> {
    const { path, keys } = this.#options;
    const bytes = await attempt(async () => readBounded(NODE_FILE_SYSTEM, path, limit('inputFileBytes')));
    const content = bytes.ok ? digestOf(bytes.value) : undefined;
    if (content !== undefined && content === this.#content) return;
    this.#content = content;
    if (!bytes.ok) {
      this.#refuse(bytes.error.reason === 'TooLarge' ? 'TooLarge' : 'Missing', bytes.error.message, []);
      return;
    }
    const text = bytes.value.toString('utf8');
    if (keys === null) this.#readDocument(text);
    else await this.#readSigned(text, keys());
  }

  #readDocument(text: string): void {
    const { path, parse } = this.#options;
    if (looksLikeBundleFile(text)) {
      this.#refuse('UnknownKey', `${path} is a signed bundle: give its key with -public-key-file`, []);
      return;
    }
    const parsed = parse(text, path);
    if (parsed.document === undefined || hasErrors(parsed.findings)) {
      this.#refuse('CompileFailed', summary(parsed.findings), parsed.findings);
      return;
    }
    const entries = documentEntries(parsed.document, '');
    const bundle = buildBundle(entries, { documentVersion: DOCUMENT_VERSION, features: [] });
    if (!bundle.ok) {
      const findings = bundle.error.map((finding) => ({ ...finding, source: path }));
      this.#refuse('CompileFailed', summary(findings), [...parsed.findings, ...findings]);
      return;
    }
    this.#offer({ digest: bundle.value.digest, entries, role: 'stable', head: null, findings: parsed.findings });
  }

  async #readSigned(text: string, keys: KeySet): Promise<void> {
    const imported = await importBundle(text, keys, this.#options.supports);
    if (!imported.ok) {
      const hint = looksLikeBundleFile(text) ? '' : ' (with public keys, only a signed bundle is taken)';
      this.#refuse(imported.error.reason, `${imported.error.message}${hint}`, []);
      return;
    }
    const { digest, entries } = imported.value;
    this.#offer({ digest, entries, role: 'stable', head: null, findings: [] });
  }

  #offer(candidate: Candidate): void {
    const refusedSince = this.#refusedSince;
    this.#refusedSince = false;
    if (candidate.digest === this.#target) {
      if (refusedSince) this.#events?.onUnchanged(candidate.digest);
      return;
    }
    this.#target = candidate.digest;
    this.#events?.onCandidate(candidate);
  }

  #refuse(reason: RefusalReason, message: string, findings: readonly Finding[]): void {
    this.#refusedSince = true;
    this.#options.log.error({ path: this.#options.path, reason, detail: message }, 'file refused; what runs goes on');
    this.#events?.onRefused({ digest: null, reason, message: message.slice(0, 2048), generation: 0 }, findings);
  }
}

function summary(findings: readonly Finding[]): string {
  const errors = findings.filter((finding) => finding.severity === 'error');
  const [first] = errors;
  if (first === undefined) return 'the document could not be read';
  return errors.length === 1 ? formatFinding(first) : `${formatFinding(first)} (and ${errors.length - 1} more)`;
}
