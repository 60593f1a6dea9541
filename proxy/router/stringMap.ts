/**
 * A map from strings whose versions share structure: changing one key copies only the few nodes on the way to it, so
 * a router of 100,000 routes that differs in one route costs microseconds and keeps the rest.
 *
 * A trie over a hash of the key, with native maps as leaves: few enough objects on the way that a lookup stays fast
 * when nothing of it is in the processor's cache.
 */
import { randomInt } from 'node:crypto';

/** Whoever holds the token changes in place the nodes that were made with it; all others are copied first. */
export type Edit = object;

/** Each level of the trie takes so many bits of the hash. */
const BITS = 5;
const FAN_OUT = 2 ** BITS;
const MAX_DEPTH = Math.floor(32 / BITS);
/** A leaf with more keys is split. Copying one takes some microseconds. */
const LEAF_KEYS = 256;

/** Begins at a number of this process, so that nobody can choose names that all land in one leaf. */
const HASH_START = randomInt(2 ** 31);
const NOBODY: Edit = {};

export class StringMap<V> {
  #size = 0;
  #entries = new Map<string, V>();
  /** Undefined in leaves. */
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
    let children = this.#children;
    if (children === undefined) return this.#entries.get(key);
    for (let bits = hashText(key); ; bits >>>= BITS) {
      const node: StringMap<V> | undefined = children[bits % FAN_OUT];
      if (node === undefined) return undefined;
      if (node.#children === undefined) return node.#entries.get(key);
      children = node.#children;
    }
  }

  /** This map with `key` set. Not to be used again where `edit` made it. */
  set(key: string, value: V, edit: Edit): StringMap<V> {
    return this.#put(key, value, edit, 0);
  }

  /** This map without `key`. Not to be used again where `edit` made it. */
  delete(key: string, edit: Edit): StringMap<V> {
    return this.get(key) === undefined ? this : this.#take(key, edit, 0);
  }

  #put(key: string, value: V, edit: Edit, depth: number): StringMap<V> {
    const own = this.#owned(edit);
    if (own.#children === undefined) {
      own.#entries.set(key, value);
      own.#size = own.#entries.size;
      if (own.#size > LEAF_KEYS && depth < MAX_DEPTH) own.#split(edit, depth);
      return own;
    }
    const at = slotOf(key, depth);
    const child = own.#children[at] ?? new StringMap<V>(edit);
    const before = child.#size;
    const changed = child.#put(key, value, edit, depth + 1);
    own.#children[at] = changed;
    own.#size += changed.#size - before;
    return own;
  }

  /** `key` is in it. */
  #take(key: string, edit: Edit, depth: number): StringMap<V> {
    const own = this.#owned(edit);
    own.#size -= 1;
    if (own.#children === undefined) {
      own.#entries.delete(key);
      return own;
    }
    const at = slotOf(key, depth);
    const child = own.#children[at];
    if (child !== undefined) {
      const rest = child.#take(key, edit, depth + 1);
      own.#children[at] = rest.#size === 0 ? undefined : rest;
    }
    return own;
  }

  #split(edit: Edit, depth: number): void {
    const entries = this.#entries;
    this.#entries = new Map();
    this.#children = Array.from<StringMap<V> | undefined>({ length: FAN_OUT });
    this.#size = 0;
    for (const [key, value] of entries) this.#put(key, value, edit, depth);
  }

  #owned(edit: Edit): StringMap<V> {
    if (this.#owner === edit) return this;
    const copy = new StringMap<V>(edit);
    copy.#size = this.#size;
    if (this.#children === undefined) copy.#entries = new Map(this.#entries);
    else copy.#children = this.#children.slice();
    return copy;
  }
}

function slotOf(key: string, depth: number): number {
  return (hashText(key) >>> (depth * BITS)) % FAN_OUT;
}

/** FNV-1a over UTF-16 units, mixed at the end so that each five bits depend on the whole text. */
function hashText(text: string): number {
  let hash = HASH_START;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
