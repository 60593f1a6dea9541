/** What was read of every entry, by section and id; kept from one compilation to the next. */
import type { Entry, Section } from '../contract/document/entries.ts';
import type { Claims } from './conflicts.ts';
import type { Problem } from './problem.ts';
import type { Draft, DraftOf } from './readEntry.ts';

export interface KnownEntry {
  readonly entry: Entry;
  readonly draft: Draft;
  readonly problems: readonly Problem[];
  /** Of routes. */
  readonly claims: Claims | undefined;
}

export class KnownEntries {
  readonly #sections = new Map<Section, Map<string, KnownEntry>>();

  get(section: Section, id: string): KnownEntry | undefined {
    return this.#sections.get(section)?.get(id);
  }

  has(section: Section, id: string): boolean {
    return this.get(section, id) !== undefined;
  }

  add(item: KnownEntry): void {
    const { section, id } = item.entry;
    const items = this.#sections.get(section);
    if (items === undefined) this.#sections.set(section, new Map([[id, item]]));
    else items.set(id, item);
  }

  /** All of a section, by id. */
  of(section: Section): Iterable<KnownEntry> {
    return this.#sections.get(section)?.values() ?? [];
  }

  /** What an entry says; undefined when there is none, or it was refused. */
  draft<S extends Section & Draft['section']>(section: S, id: string): DraftOf<S> | undefined {
    const draft = this.get(section, id)?.draft;
    return draft?.section === section ? (draft as DraftOf<S>) : undefined;
  }
}
