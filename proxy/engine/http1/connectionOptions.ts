/** The options of Connection (RFC 9110 §7.6.1). */
import { limit } from '../../contract/limits.ts';
import type { HeaderBlock } from './headerBlock.ts';
import { KnownHeader } from './knownHeaders.ts';
import type { HttpMinor } from './types.ts';

export interface ConnectionOptions {
  readonly close: boolean;
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
  /** Other lower-case names, te excepted: fields that are not to be forwarded. */
  readonly nominated: readonly string[];
}

const NONE: ConnectionOptions = { close: false, keepAlive: false, upgrade: false, nominated: [] };
const KEEP_ALIVE: ConnectionOptions = { ...NONE, keepAlive: true };
const CLOSE: ConnectionOptions = { ...NONE, close: true };

/** Whether the sender allows another message on its connection (RFC 9112 §9.3). */
export function persists(options: ConnectionOptions, minor: HttpMinor): boolean {
  return !options.close && (minor === 1 || options.keepAlive);
}

/** Options of every Connection line together, or null when there are more than the limit. */
export function connectionOptions(headers: HeaderBlock): ConnectionOptions | null {
  const index = headers.find(KnownHeader.connection);
  if (index < 0) return NONE;
  const more = headers.find(KnownHeader.connection, index + 1);
  if (more < 0) {
    const value = headers.value(index);
    if (value === 'keep-alive') return KEEP_ALIVE;
    if (value === 'close') return CLOSE;
  }
  return parseOptions(headers.getAll('connection').join(','));
}

function parseOptions(list: string): ConnectionOptions | null {
  const options = { close: false, keepAlive: false, upgrade: false };
  const nominated: string[] = [];
  // One more than the limit is enough to see that it is passed.
  const most = limit('connectionOptions');
  const items = list.split(',', most + 1);
  if (items.length > most) return null;
  for (const item of items) {
    const option = item.trim().toLowerCase();
    if (option === 'close') options.close = true;
    else if (option === 'keep-alive') options.keepAlive = true;
    else if (option === 'upgrade') options.upgrade = true;
    else if (option !== '' && option !== 'te') nominated.push(option);
  }
  return { ...options, nominated };
}
