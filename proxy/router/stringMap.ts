/**
 * A map from strings whose versions share structure: changing one key copies only the few nodes on the way to it, so
 * a router of 100,000 routes that differs in one route costs microseconds and keeps the rest.
 *
 * A trie over a hash of the key, with small hash tables as leaves. What decides the speed of a look-up among so many
 * routes is how much memory it touches, so a leaf keeps keys and values side by side in one array.
 */
import { randomInt } from 'node:crypto';

/** Whoever holds the token changes in place the nodes that were made with it; all others are copied first. */
export type Edit = object;

/** Each level of the trie takes so many bits of the hash. */
const BITS = 5;
const FAN_OUT = 2 ** BITS;
const MAX_DEPTH = Math.floor(32 / BITS);
/** A leaf with more keys is split. Copying one takes a microsecond or so. */
const LEAF_KEYS = 192;

/** Begins at a number of this process, so that nobody can choose names that all land in one place. */
export const HASH_START = randomInt(2 ** 31);
const NOBODY: Edit = {};

/** FNV-1a: the hash of a text that is one UTF-16 unit longer. */
export function hashStep(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193);
}

function hashText(text: string): number {
  let hash = HASH_START;
  for (let i = 0; i < text.length; i += 1) hash = hashStep(hash, text.charCodeAt(i));
  return hash;
}

/** Makes each bit depend on the whole text. */
function mixed(hash: number): number {
  const half = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (half ^ (half >>> 13)) >>> 0;
}

/** Where a key is looked for in a table of `mask + 1` places: by bits that the first three levels do not use. */
function homeOf(hash: number, mask: number): number {
  return (hash >>> (3 * BITS)) & mask;
}

function slotOf(hash: number, depth: number): number {
  return (hash >>> (depth * BITS)) % FAN_OUT;
}

export class StringMap<V> {
  #size = 0;
  /** Of a leaf with one key, as most hosts have: it and its value. */
  #onlyKey: string | undefined;
  #onlyValue: V | undefined;
  /** Of other leaves: keys at even places, their values after them; a quarter is always free. Length: a power of two. */
  #table: unknown[] | undefined;
  /** Of branches. */
  #children: (StringMap<V> | undefined)[] | undefined;
  readonly #owner: Edit;

  private constructor(owner: Edit) {
    this.#owner = owner;
  }

  static empty<V>(): StringMap<V> {
    return new StringMap<V>(NOBODY);
  }

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    return this.find(hashText(key), key, key.length);
  }

  /** The value of the key that is the first `length` units of `text`, which hash to `hash`. */
  find(hash: number, text: string, length: number): V | undefined {
    const spread = mixed(hash);
    const leaf = StringMap.#leafOf(this, spread);
    if (leaf === undefined) return undefined;
    const table = leaf.#table;
    if (table === undefined) {
      const only = leaf.#onlyKey;
      return only?.length === length && text.startsWith(only) ? leaf.#onlyValue : undefined;
    }
    const mask = table.length / 2 - 1;
    for (let i = homeOf(spread, mask); ; i = (i + 1) & mask) {
      const key = table[2 * i];
      if (typeof key !== 'string') return undefined;
      if (key.length === length && text.startsWith(key)) return table[2 * i + 1] as V;
    }
  }

  /** Key and value where there is one key only. */
  onlyEntry(): readonly [string, V] | undefined {
    if (this.#size !== 1) return undefined;
    if (this.#children === undefined) return [...this.#leafEntries()][0];
    // Empty children are taken away, so there is one.
    return this.#children.find((child) => child !== undefined)?.onlyEntry();
  }

  static #leafOf<V>(root: StringMap<V>, spread: number): StringMap<V> | undefined {
    let node: StringMap<V> | undefined = root;
    for (let depth = 0; node !== undefined && node.#children !== undefined; depth += 1) {
      node = node.#children[slotOf(spread, depth)];
    }
    return node;
  }

  /** This map with `key` set. Not to be used again where `edit` made it. */
  set(key: string, value: V, edit: Edit): StringMap<V> {
    return this.#put(key, value, mixed(hashText(key)), edit, 0);
  }

  /** This map without `key`. Not to be used again where `edit` made it. */
  delete(key: string, edit: Edit): StringMap<V> {
    return this.get(key) === undefined ? this : this.#take(key, mixed(hashText(key)), edit, 0);
  }

  #put(key: string, value: V, spread: number, edit: Edit, depth: number): StringMap<V> {
    const own = this.#owned(edit);
    if (own.#children === undefined) {
      own.#putInLeaf(key, value, spread);
      if (own.#size > LEAF_KEYS && depth < MAX_DEPTH) own.#split(edit, depth);
      return own;
    }
    const slot = slotOf(spread, depth);
    const child = own.#children[slot] ?? new StringMap<V>(edit);
    const before = child.#size;
    const changed = child.#put(key, value, spread, edit, depth + 1);
    own.#children[slot] = changed;
    own.#size += changed.#size - before;
    return own;
  }

  #putInLeaf(key: string, value: V, spread: number): void {
    if (this.#table === undefined && (this.#size === 0 || this.#onlyKey === key)) {
      this.#onlyKey = key;
      this.#onlyValue = value;
      this.#size = 1;
      return;
    }
    let table = this.#table;
    if (table === undefined || (this.#size + 1) * 8 > table.length * 3) table = this.#refill(this.#size + 1);
    if (putInTable(table, key, value, spread)) this.#size += 1;
  }

  /** `key` is in it. */
  #take(key: string, spread: number, edit: Edit, depth: number): StringMap<V> {
    const own = this.#owned(edit);
    own.#size -= 1;
    if (own.#children === undefined) {
      own.#removeFromLeaf(key, spread);
      return own;
    }
    const slot = slotOf(spread, depth);
    const child = own.#children[slot];
    if (child !== undefined) {
      const rest = child.#take(key, spread, edit, depth + 1);
      own.#children[slot] = rest.#size === 0 ? undefined : rest;
    }
    return own;
  }

  #removeFromLeaf(key: string, spread: number): void {
    if (this.#size > 0) {
      // Refilling at each removal took three quarters of a change of every route; it is kept for tables far too large.
      if (this.#table !== undefined && this.#table.length < 8 * this.#size + 16)
        removeFromTable(this.#table, key, spread);
      else this.#refill(this.#size, key);
      return;
    }
    this.#onlyKey = undefined;
    this.#onlyValue = undefined;
    this.#table = undefined;
  }

  /** Makes the table anew for so many keys, leaving out one. */
  #refill(keys: number, without?: string): unknown[] {
    // The next power of two at which a quarter stays free.
    const table = emptyTable(2 ** Math.ceil(Math.log2((keys * 4) / 3 + 1)));
    for (const [key, value] of this.#leafEntries()) {
      if (key !== without) putInTable(table, key, value, mixed(hashText(key)));
    }
    this.#onlyKey = undefined;
    this.#onlyValue = undefined;
    this.#table = table;
    return table;
  }

  *#leafEntries(): Generator<readonly [string, V]> {
    if (this.#onlyKey !== undefined) yield [this.#onlyKey, this.#onlyValue as V];
    if (this.#table !== undefined) yield* entriesOf<V>(this.#table);
  }

  #split(edit: Edit, depth: number): void {
    const entries = [...this.#leafEntries()];
    this.#table = undefined;
    this.#children = Array.from<StringMap<V> | undefined>({ length: FAN_OUT });
    this.#size = 0;
    for (const [key, value] of entries) this.#put(key, value, mixed(hashText(key)), edit, depth);
  }

  #owned(edit: Edit): StringMap<V> {
    if (this.#owner === edit) return this;
    const copy = new StringMap<V>(edit);
    copy.#size = this.#size;
    copy.#onlyKey = this.#onlyKey;
    copy.#onlyValue = this.#onlyValue;
    copy.#table = this.#table?.slice();
    copy.#children = this.#children?.slice();
    return copy;
  }
}

function emptyTable(places: number): unknown[] {
  return Array.from({ length: 2 * places }, () => undefined);
}

function* entriesOf<V>(table: readonly unknown[]): Generator<readonly [string, V]> {
  for (let at = 0; at < table.length; at += 2) {
    const key = table[at];
    if (typeof key === 'string') yield [key, table[at + 1] as V];
  }
}

/** Takes out a key that is there, and closes the hole: what stands behind one would not be found. */
function removeFromTable(table: unknown[], key: string, spread: number): void {
  const mask = table.length / 2 - 1;
  let hole = homeOf(spread, mask);
  while (table[2 * hole] !== key) hole = (hole + 1) & mask;
  for (let i = (hole + 1) & mask; ; i = (i + 1) & mask) {
    const next = table[2 * i];
    if (typeof next !== 'string') break;
    const home = homeOf(mixed(hashText(next)), mask);
    // It may move back unless its home lies behind the hole.
    if (((i - home) & mask) < ((i - hole) & mask)) continue;
    table[2 * hole] = next;
    table[2 * hole + 1] = table[2 * i + 1];
    hole = i;
  }
  table[2 * hole] = undefined;
  table[2 * hole + 1] = undefined;
}

/** Whether the key is new. At least one place is free. */
function putInTable(table: unknown[], key: string, value: unknown, spread: number): boolean {
  const mask = table.length / 2 - 1;
  let i = homeOf(spread, mask);
  while (table[2 * i] !== undefined && table[2 * i] !== key) i = (i + 1) & mask;
  const fresh = table[2 * i] === undefined;
  table[2 * i] = key;
  table[2 * i + 1] = value;
  return fresh;
}
