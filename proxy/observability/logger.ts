/** The operational log: constant messages with keys, through pino. Secrets are `Secret`s, which print redacted. */
import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { escapeControls } from '../contract/finding.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';
export const LOG_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error'];

/** The part of pino that rooms use. */
export interface Logger {
  debug(keys: object, message: string): void;
  info(keys: object, message: string): void;
  warn(keys: object, message: string): void;
  error(keys: object, message: string): void;
}

/** @param json one JSON object per line (the default of `-log-json`), or a line for people */
export function createLogger(options: {
  readonly json: boolean;
  readonly level: LogLevel;
  readonly name: string;
  readonly stream?: DestinationStream;
}): PinoLogger {
  const out = options.stream ?? pino.destination({ fd: 2, sync: true });
  const config = {
    name: options.name,
    level: options.level,
    base: { name: options.name },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return pino(config, options.json ? out : humanStream(out));
}

const LEVEL_NAMES: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** Turns pino’s lines into `time level message key=value …`; control characters stay escaped. */
function humanStream(out: DestinationStream): DestinationStream {
  return {
    write(line: string): void {
      const { level, time, msg, name: _name, ...keys } = JSON.parse(line) as Record<string, unknown>;
      const pairs = Object.entries(keys).map(
        ([k, v]) => `${k}=${typeof v === 'string' ? escapeControls(v) : JSON.stringify(v)}`,
      );
      out.write(
        `${String(time).slice(11, 23)} ${LEVEL_NAMES[Number(level)] ?? ''} ${[escapeControls(String(msg)), ...pairs].join(' ')}\n`,
      );
    },
  };
}
