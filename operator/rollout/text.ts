/** Texts that proxies and people wrote, on their way into heads, status and logs. */
import { escapeControls } from '../../proxy/contract/finding.ts';

/** Keeps 500 holds with their reasons well below the size of a head. */
const BRIEF_LENGTH = 240;

/** One short line: controls escaped, the end cut off. */
export function brief(text: string): string {
  const line = escapeControls(text);
  return line.length <= BRIEF_LENGTH ? line : `${line.slice(0, BRIEF_LENGTH - 1)}…`;
}
