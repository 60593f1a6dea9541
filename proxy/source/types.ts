/** Where a proxy gets its configuration from: a file, a folder store, ConfigMaps, HTTP pull. */
import type { Entry } from '../contract/document/entries.ts';
import type { Digest } from '../contract/canonical.ts';
import type { Finding } from '../contract/finding.ts';
import type { Head } from '../contract/head.ts';
import type { Refusal } from '../contract/ack.ts';

/** A verified set of entries, ready to compile. */
export interface Candidate {
  readonly digest: Digest;
  readonly entries: readonly Entry[];
  readonly role: 'stable' | 'candidate';
  /** Null for unsigned files. */
  readonly head: Head | null;
  /** Warnings found while reading. */
  readonly findings: readonly Finding[];
}

export interface SourceEvents {
  /** Called with the newest verified configuration; while one is being taken, only the newest waits. */
  onCandidate(candidate: Candidate): void;
  /** A newer head names the digest that already runs: nothing to swap, but generation and role moved. */
  onHead(head: Head, role: 'stable' | 'candidate'): void;
  /** What is offered is again what was offered before: a refusal in between is over, and there is nothing to swap. */
  onUnchanged(digest: Digest): void;
  /** What was offered and refused, with the reason; what runs stays. */
  onRefused(refusal: Refusal, findings: readonly Finding[]): void;
}

export interface Source {
  /** Generation of the head that was newest when this process started; 0 before the first. See `digestToRun`. */
  readonly startGeneration: number;
  start(events: SourceEvents): Promise<void>;
  /** Looks again now (SIGHUP). */
  reload(): Promise<void>;
  /**
   * What was taken came to run (a source with a disk copy keeps it), is refused for what it is, or failed for reasons of
   * this process and may be offered again.
   */
  settled(digest: Digest, outcome: 'running' | 'refused' | 'failed'): Promise<void>;
  stop(): Promise<void>;
}
