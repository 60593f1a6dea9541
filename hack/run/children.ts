/** The processes that `make run` starts, and ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';

export class Children {
  readonly #running = new Map<ChildProcess, string>();
  readonly #onUnexpectedEnd: (name: string, how: string) => void;
  readonly #onChange: (pids: readonly number[]) => void;
  #ending = false;

  constructor(onUnexpectedEnd: (name: string, how: string) => void, onChange: (pids: readonly number[]) => void) {
    this.#onChange = onChange;
    this.#onUnexpectedEnd = onUnexpectedEnd;
    // However this program ends, it leaves nothing behind.
    process.on('exit', () => this.signal('SIGKILL'));
  }

  /** Starts a TypeScript program with this very Node; its stderr goes to `logFile`. */
  start(name: string, args: readonly string[], logFile: string, env: Readonly<Record<string, string>> = {}): void {
    // A process group of its own: a Ctrl-C in the terminal reaches this program only, which then ends the others in order.
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
      env: { ...process.env, ...env },
    });
    const log = createWriteStream(logFile, { flags: 'a' });
    // A full disk costs the log, not the processes.
    log.on('error', () => child.stderr?.resume());
    child.stderr?.pipe(log);
    this.#running.set(child, name);
    this.#onChange(this.pids);
    child.on('exit', (code, signal) => {
      this.#running.delete(child);
      this.#onChange(this.pids);
      if (!this.#ending) this.#onUnexpectedEnd(name, signal ?? `exit code ${code}`);
    });
  }

  get pids(): number[] {
    return [...this.#running.keys()].flatMap(({ pid }) => pid ?? []);
  }

  /** Names of what still runs. */
  get names(): string[] {
    return [...this.#running.values()];
  }

  signal(signal: NodeJS.Signals): void {
    this.#ending = true;
    for (const child of this.#running.keys()) child.kill(signal);
  }

  /** Resolves when all have ended. */
  async ended(): Promise<void> {
    await Promise.all(
      [...this.#running.keys()].map((child) => new Promise<void>((resolve) => child.once('exit', () => resolve()))),
    );
  }
}
