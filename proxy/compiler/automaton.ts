/**
 * Users' regular expressions as tables. RE2 matches in linear time, but its factor is the size of the expression: one
 * path of 16 KiB can hold a thread for half a second. Here the whole automaton is built beforehand, within limits, or
 * the expression is refused; then a match costs one look-up per character, whatever was written.
 *
 * Works on the program that RE2JS compiles to (https://swtch.com/~rsc/regexp/regexp2.html) by subset construction: a
 * state is the set of instructions that the characters so far can have led to.
 */
import { fail, ok, type Result } from '../contract/result.ts';
import { ASSERTION, isRune, OP, type Instruction, type Program } from './regexProgram.ts';

export interface AutomatonLimits {
  readonly states: number;
  /** Instructions visited while building. */
  readonly steps: number;
}

/** What stands before the first and after the last character. */
const NONE = -1;
const NEWLINE = 0x0a;
/** Characters beyond Latin-1 are all alike: expressions that tell them apart are refused before. */
const OTHER = 0x100;
/** Stands for them where a character is asked for. */
const OTHER_EXAMPLE = 0xfffd;

/** States without a row in the table. */
const DEAD = 0;
const ACCEPTED = 1;
const FIRST_ROW = 2;

export class Automaton {
  /** Class of each Latin-1 character, and of all others. */
  readonly #classes: Uint16Array;
  /** Next state by state and class; the last class is the end of the text. */
  readonly #table: Uint16Array;
  readonly #width: number;
  readonly #start: number;

  constructor(classes: Uint16Array, table: Uint16Array, width: number, start: number) {
    this.#classes = classes;
    this.#table = table;
    this.#width = width;
    this.#start = start;
  }

  /** Whether the expression matches somewhere in the text. */
  test(text: string): boolean {
    let state = this.#start;
    for (let i = 0; i < text.length && state >= FIRST_ROW; i += 1) {
      const code = text.charCodeAt(i);
      // Two surrogates are one character.
      if (isBetween(code, 0xd800, 0xdbff) && isBetween(text.charCodeAt(i + 1), 0xdc00, 0xdfff)) i += 1;
      state = this.#next(state, this.#classes[code < OTHER ? code : OTHER] ?? 0);
    }
    return (state < FIRST_ROW ? state : this.#next(state, this.#width - 1)) === ACCEPTED;
  }

  #next(state: number, characterClass: number): number {
    return this.#table[(state - FIRST_ROW) * this.#width + characterClass] ?? DEAD;
  }
}

function isBetween(code: number, first: number, last: number): boolean {
  return code >= first && code <= last;
}

/** Builds the automaton of a program, or says which limit it passes. */
export function buildAutomaton(program: Program, limits: AutomatonLimits): Result<Automaton> {
  const { classes, examples } = classify(program.instructions);
  const builder = new Builder(program, [...examples, NONE]);
  const start = builder.enter([program.start], NONE);
  const rows: number[] = [];
  // States are entered while rows are made; each gets its row in turn.
  for (let state = builder.states[0]; state !== undefined; state = builder.states[state.index - FIRST_ROW + 1]) {
    rows.push(...builder.row(state));
    if (builder.states.length > limits.states) return fail(`it needs more than ${limits.states} states`);
    if (builder.steps > limits.steps) return fail('it is too complex');
  }
  return ok(new Automaton(classes, Uint16Array.from(rows), examples.length + 1, start));
}

/** Characters that nothing in the program tells apart share a class, which keeps rows short. */
function classify(instructions: readonly Instruction[]): { classes: Uint16Array; examples: readonly number[] } {
  const distinct = new Map<string, Instruction>();
  for (const i of instructions) if (isRune(i)) distinct.set(`${i.op} ${i.arg} ${Array.from(i.runes).join()}`, i);
  const assertions = instructions.some((i) => i.op === OP.assertion);
  const classes = new Uint16Array(OTHER + 1);
  const examples: number[] = [];
  const known = new Map<string, number>();
  for (let code = 0; code <= OTHER; code += 1) {
    const example = code === OTHER ? OTHER_EXAMPLE : code;
    let taken = assertions ? `${String(isWord(example))} ${String(example === NEWLINE)} ` : '';
    for (const instruction of distinct.values()) taken += instruction.matchRune(example) ? '1' : '0';
    const found = known.get(taken) ?? known.size;
    if (found === known.size) {
      known.set(taken, found);
      examples.push(example);
    }
    classes[code] = found;
  }
  return { classes, examples };
}

/** As RE2 sees words: ASCII only. */
function isWord(character: number): boolean {
  return character >= 0 && character < 0x80 && /\w/.test(String.fromCharCode(character));
}

/** A set of instructions, and what is known of the character before. */
interface State {
  readonly index: number;
  /** Instructions that wait for a character, or assert something about it. */
  readonly waiting: readonly number[];
  readonly previous: number;
}

const BEGINS = ASSERTION.beginText | ASSERTION.beginLine;

/** What holds at a place between two characters by the one before it. */
function factsBehind(previous: number): number {
  if (previous === NONE) return BEGINS;
  return previous === NEWLINE ? ASSERTION.beginLine : 0;
}

/** What holds at a place between two characters. */
function factsAt(previous: number, next: number): number {
  let ahead = 0;
  if (next === NONE) ahead = ASSERTION.endText | ASSERTION.endLine;
  else if (next === NEWLINE) ahead = ASSERTION.endLine;
  const word = isWord(previous) === isWord(next) ? ASSERTION.noWordBoundary : ASSERTION.wordBoundary;
  return factsBehind(previous) | ahead | word;
}

class Builder {
  /** By index, from FIRST_ROW. */
  readonly states: State[] = [];
  steps = 0;
  readonly #program: Program;
  readonly #examples: readonly number[];
  readonly #known = new Map<string, number>();
  /** Which instructions the walk of this number has seen; kept, since building is mostly such walks. */
  readonly #seen: Uint32Array;
  #walk = 0;
  /** Whether a match may begin elsewhere than at the start of the text. */
  readonly #beginsLater: boolean;

  constructor(program: Program, examples: readonly number[]) {
    this.#program = program;
    this.#examples = examples;
    this.#seen = new Uint32Array(program.instructions.length);
    const later = this.#reach([program.start], (bits) => ((bits & ASSERTION.beginText) === 0 ? 'holds' : 'fails'));
    this.#beginsLater = later === undefined || later.length > 0;
  }

  /** The next state for each class of characters, and for the end of the text. */
  row(state: State): readonly number[] {
    return this.#examples.map((character) => this.#next(state, character));
  }

  /** The state in which these instructions are to be tried after the character `previous`. */
  enter(instructions: readonly number[], previous: number): number {
    const behind = factsBehind(previous);
    // What the next character decides must wait; what the one before has decided is settled now.
    const waiting = this.#reach(instructions, (bits) => {
      if ((bits & BEGINS & ~behind) !== 0) return 'fails';
      return (bits & ~behind) === 0 ? 'holds' : 'waits';
    });
    if (waiting === undefined) return ACCEPTED;
    if (waiting.length === 0 && !this.#beginsLater) return DEAD;
    const asserts = waiting.some((pc) => this.#program.instructions[pc]?.op === OP.assertion);
    // Without assertions the character before is of no interest, and states that differ in it are one.
    const key = `${waiting.join()} ${asserts ? `${behind} ${String(isWord(previous))}` : ''}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const index = FIRST_ROW + this.states.length;
    this.#known.set(key, index);
    this.states.push({ index, waiting, previous });
    return index;
  }

  #next(state: State, character: number): number {
    const facts = factsAt(state.previous, character);
    const ready = this.#reach(state.waiting, (bits) => ((bits & ~facts) === 0 ? 'holds' : 'fails'));
    if (ready === undefined) return ACCEPTED;
    if (character === NONE) return DEAD;
    const after: number[] = [];
    for (const pc of ready) {
      const instruction = this.#program.instructions[pc];
      if (instruction?.matchRune(character) === true) after.push(instruction.out);
    }
    // A match may begin after this character as well.
    after.push(this.#program.start);
    return this.enter(after, character);
  }

  /**
   * All instructions within reach without reading a character, sorted; undefined when a match is among them.
   * `judge` decides on assertions by their bits.
   */
  #reach(from: readonly number[], judge: (bits: number) => 'holds' | 'fails' | 'waits'): number[] | undefined {
    this.#walk += 1;
    const waiting: number[] = [];
    const open = from.slice();
    for (let pc = open.pop(); pc !== undefined; pc = open.pop()) {
      const instruction = this.#program.instructions[pc];
      if (instruction === undefined || this.#seen[pc] === this.#walk) continue;
      this.#seen[pc] = this.#walk;
      this.steps += 1;
      if (instruction.op === OP.match) return undefined;
      if (isRune(instruction)) waiting.push(pc);
      else if (instruction.op === OP.assertion) {
        const judged = judge(instruction.arg);
        if (judged === 'holds') open.push(instruction.out);
        else if (judged === 'waits') waiting.push(pc);
      } else if (instruction.op !== OP.fail) {
        open.push(instruction.out);
        if (instruction.op === OP.alternative || instruction.op === OP.alternativeMatch) open.push(instruction.arg);
      }
    }
    return waiting.sort((a, b) => a - b);
  }
}
