/** The program that RE2JS compiles an expression to: its public, untyped inside, checked and given types. */
import type { RE2JS } from 're2js';

export interface Instruction {
  readonly op: number;
  /** The instruction that follows. */
  readonly out: number;
  /** The second one that follows an alternative; the bits of an assertion. */
  readonly arg: number;
  /** Pairs of first and last character; a single one stands for itself. */
  readonly runes: ArrayLike<number>;
  matchRune(character: number): boolean;
}

export interface Program {
  readonly instructions: readonly Instruction[];
  readonly start: number;
}

/** Operations, as RE2JS numbers them. Look-behind (12 and 13) needs a flag that is never given. */
export const OP = {
  alternative: 1,
  alternativeMatch: 2,
  capture: 3,
  assertion: 4,
  fail: 5,
  match: 6,
  nothing: 7,
  firstRune: 8,
  lastRune: 11,
} as const;

/** Bits of assertions. */
export const ASSERTION = {
  beginLine: 1,
  endLine: 2,
  beginText: 4,
  endText: 8,
  wordBoundary: 16,
  noWordBoundary: 32,
} as const;

/** Upper- and lower-case partners of Latin-1 letters beyond Latin-1, which only `(?i)` brings into a program. */
const FOLDED = [0x178, 0x17f, 0x39c, 0x3bc, 0x1e9e, 0x212a, 0x212b];
const LAST_CHARACTER = 0x10ffff;

export function isRune({ op }: Instruction): boolean {
  return op >= OP.firstRune && op <= OP.lastRune;
}

/** Throws where RE2JS is not built as it was in the version that this was written for. */
export function programOf(compiled: RE2JS): Program {
  const program: unknown = compiled.re2().prog;
  if (typeof program !== 'object' || program === null || !('inst' in program) || !('start' in program))
    throw new TypeError('unknown build of re2js: no program');
  const { inst, start } = program;
  if (!Array.isArray(inst) || typeof start !== 'number' || !inst.every(isInstruction))
    throw new TypeError('unknown build of re2js: other instructions');
  return { instructions: inst, start };
}

function isInstruction(value: unknown): value is Instruction {
  return (
    typeof value === 'object' &&
    value !== null &&
    'op' in value &&
    typeof value.op === 'number' &&
    value.op <= OP.lastRune &&
    'runes' in value &&
    value.runes instanceof Int32Array &&
    'matchRune' in value &&
    typeof value.matchRune === 'function'
  );
}

/** Whether it tells characters beyond U+00FF apart. Paths and hosts have none. */
export function needsUnicode({ instructions }: Program): boolean {
  return instructions.some((instruction) => {
    if (!isRune(instruction)) return false;
    const runes = [...Array.from(instruction.runes)];
    return runes.some((rune) => rune > 0xff && rune !== LAST_CHARACTER && !isFolded(rune));
  });
}

function isFolded(rune: number): boolean {
  return FOLDED.some((folded) => Math.abs(folded - rune) <= 1);
}
