/** What the developer programs print: titles, durations, and colours only where a terminal shows them. */

const colours = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;

function coloured(code: number, text: string): string {
  return colours ? `\u001b[${code}m${text}\u001b[0m` : text;
}

export const green = (text: string): string => coloured(32, text);
export const red = (text: string): string => coloured(31, text);
export const dim = (text: string): string => coloured(2, text);

/** Milliseconds as `1.2 s`, or `2 min 5 s` from a minute on. */
export function formatElapsed(elapsedMs: number): string {
  if (elapsedMs < 60_000) return `${(elapsedMs / 1000).toFixed(1)} s`;
  const seconds = Math.round(elapsedMs / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
