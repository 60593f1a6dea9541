/** The head of a fleet in a folder store, as `make run` and a fleet on one machine use it. */
import { FolderStore } from '../store/folderStore.ts';
import { StoreSource, type StoreSourceOptions } from './storeSource.ts';
import { POLL_MS, watchFolder } from './watching.ts';

export interface FolderSourceOptions extends Omit<StoreSourceOptions, 'store' | 'watch'> {
  /** Root of the store. */
  readonly folder: string;
  readonly pollMs?: number;
}

/** Throws on a name that is no fleet (`namespace/name`). */
export function folderSource(options: FolderSourceOptions): StoreSource {
  const { folder, pollMs = POLL_MS, ...rest } = options;
  const store = new FolderStore(folder);
  return new StoreSource({ ...rest, store, watch: watchFolder(store.headsFolder(rest.fleet), pollMs) });
}
