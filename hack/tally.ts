/** Counts what node:test reports, and what it does not count as a failure although it is one here. */
import type { TestEvent } from 'node:test/reporters';

type EventOf<T extends TestEvent['type']> = Extract<TestEvent, { type: T }>;

export interface FileResult {
  readonly file: string;
  passed: number;
  failed: number;
  readonly skipped: string[];
}

/** How many tests passed and failed, per file; fed with the events of one run. */
export class Tally {
  readonly files = new Map<string, FileResult>();
  readonly failures: EventOf<'test:fail'>[] = [];

  add(event: TestEvent): void {
    if (event.type === 'test:pass') this.#pass(event);
    else if (event.type === 'test:fail') this.#fail(event);
  }

  get passed(): number {
    return this.#sum((file) => file.passed);
  }

  get failed(): number {
    return this.#sum((file) => file.failed);
  }

  /** `file: name` of each test that was skipped or is still to be written. */
  get skipped(): string[] {
    return [...this.files.values()].flatMap((file) => file.skipped.map((name) => `${file.file}: ${name}`));
  }

  /** Files that ended well without any test: most likely they define none by mistake. */
  get empty(): string[] {
    return [...this.files.values()]
      .filter((file) => file.passed + file.failed + file.skipped.length === 0)
      .map((file) => file.file);
  }

  #pass({ data }: EventOf<'test:pass'>): void {
    const file = this.#file(data.file ?? data.name);
    if (data.name === data.file || data.details.type === 'suite') return; // the file itself, or a describe() block
    if (data.skip !== undefined || data.todo !== undefined) file.skipped.push(data.name);
    else file.passed += 1;
  }

  #fail(event: EventOf<'test:fail'>): void {
    const { data } = event;
    const file = this.#file(data.file ?? data.name);
    // A block fails with its tests, which were counted; it counts by itself when a hook of it failed.
    if (failureType(data.details.error) === 'subtestsFailed') return;
    file.failed += 1;
    this.failures.push(event);
  }

  #file(path: string): FileResult {
    const known = this.files.get(path);
    if (known !== undefined) return known;
    const added: FileResult = { file: path, passed: 0, failed: 0, skipped: [] };
    this.files.set(path, added);
    return added;
  }

  #sum(count: (file: FileResult) => number): number {
    return [...this.files.values()].reduce((total, file) => total + count(file), 0);
  }
}

function failureType(error: unknown): unknown {
  return error instanceof Error && 'failureType' in error ? error.failureType : undefined;
}
