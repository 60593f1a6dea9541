/** Hints that something may have changed: events where the file system delivers them, and a poll where it does not. */
import { watch, type FSWatcher } from 'node:fs';

/** Network and overlay mounts deliver no events; this is how late a change is seen there. */
export const POLL_MS = 250;

/** Calls back when something may have changed; gives how to stop. */
export type Watch = (onHint: () => void) => () => void;

/**
 * Watches a folder (not what is below it), also while it does not exist yet.
 *
 * @param pollMs time between hints when no event comes
 */
export function watchFolder(folder: string, pollMs: number = POLL_MS): Watch {
  return (onHint) => {
    let watcher: FSWatcher | undefined;
    const connect = () => {
      try {
        watcher = watch(folder, { persistent: false }, onHint);
        // The folder was removed, or the limit of watches is reached: the poll goes on, and tries again.
        watcher.on('error', () => {
          watcher?.close();
          watcher = undefined;
        });
      } catch {
        watcher = undefined;
      }
    };
    connect();
    const timer = setInterval(() => {
      if (watcher === undefined) connect();
      onHint();
    }, pollMs);
    timer.unref();
    return () => {
      clearInterval(timer);
      watcher?.close();
    };
  };
}
