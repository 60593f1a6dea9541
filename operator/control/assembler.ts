/** Assemblies of one fleet and the bundles made of them, kept until objects or stable change. */
import { LRUCache } from 'lru-cache';
import { buildBundle } from '../../proxy/bundle/buildBundle.ts';
import type { Bundle, Requirements } from '../../proxy/contract/bundle.ts';
import type { Digest } from '../../proxy/contract/canonical.ts';
import { DOCUMENT_VERSION } from '../../proxy/contract/document/document.ts';
import type { Entry } from '../../proxy/contract/document/entries.ts';
import { formatFinding } from '../../proxy/contract/finding.ts';
import { fragmentsOf, type Fragment } from '../../proxy/contract/fragment.ts';
import { limit } from '../../proxy/contract/limits.ts';
import { assemble } from '../assemble/assemble.ts';
import type { Assembly } from '../assemble/types.ts';
import type { ObjectSet } from '../objects/objectSet.ts';
import { holdKey } from '../rollout/assemblies.ts';
import type { AssembledBundle, FragmentDigests, HoldSet, Member } from '../rollout/types.ts';
import type { Translation } from '../translate/types.ts';

export interface World {
  readonly objects: ObjectSet;
  readonly translations: ReadonlyMap<string, Translation>;
}

interface Made {
  readonly assembly: Assembly;
  readonly assembled: AssembledBundle;
}

const NO_HOLDS: HoldSet = new Map();

/** What every bundle of this version needs of a proxy. */
const REQUIRES: Requirements = { documentVersion: DOCUMENT_VERSION, features: [] };

/** Why a member could not run what is assembled here; null when all of them can. One that never answered is not known to. */
export function unsupportedBy(members: readonly Member[], requires: Requirements = REQUIRES): string | null {
  for (const { podUid, ack } of members) {
    if (ack === null || ack.draining) continue;
    const { documentVersions, features } = ack.supports;
    const lacking = documentVersions.includes(requires.documentVersion)
      ? requires.features.find((feature) => !features.includes(feature))
      : `documentVersion ${requires.documentVersion}`;
    if (lacking !== undefined) return `Unsupported: proxy ${podUid} (${ack.version}) does not support ${lacking}`;
  }
  return null;
}

export function digestsOf(fragments: ReadonlyMap<string, Fragment>): FragmentDigests {
  return new Map([...fragments].map(([object, fragment]) => [object, fragment.digest]));
}

export class Assembler {
  readonly #fleet: string;
  readonly #defaultFleet: string | null;
  /** Beside their fragments, which change seldom: whoever compares them can tell by identity that nothing changed. */
  readonly #current = new WeakMap<Assembly, FragmentDigests>();
  readonly #made = new LRUCache<string, Made>({ max: limit('assembliesKept') });
  readonly #bundles = new LRUCache<Digest, Bundle>({ max: limit('assembliesKept') });
  #world: World | undefined;
  #stableDigest: Digest | null = null;
  #unsupported: string | null = null;
  #stable: ReadonlyMap<string, Fragment> = new Map();
  #last: Bundle | undefined;
  /** What it compiled is taken over by the next where it is the same. */
  #lastAssembly: Assembly | undefined;

  constructor(fleet: string, defaultFleet: string | null) {
    this.#fleet = fleet;
    this.#defaultFleet = defaultFleet;
  }

  /**
   * Says what to assemble from; what was made from something else is forgotten.
   *
   * @param unsupported from `unsupportedBy`: then nothing new can be published
   */
  use(
    world: World,
    stableDigest: Digest | null,
    stable: ReadonlyMap<string, Fragment>,
    unsupported: string | null = null,
  ): void {
    const isSame = world === this.#world && stableDigest === this.#stableDigest && unsupported === this.#unsupported;
    if (isSame) return;
    this.#world = world;
    this.#unsupported = unsupported;
    this.#stableDigest = stableDigest;
    this.#stable = stable;
    this.#made.clear();
  }

  assembly(holds: HoldSet): Assembly {
    return this.#make(holds).assembly;
  }

  /** What the present spec of each object contributes, holds aside. */
  current(): FragmentDigests {
    const assembly = this.assembly(NO_HOLDS);
    let current = this.#current.get(assembly);
    if (current === undefined) {
      const digests = new Map<string, Digest>();
      for (const { object, desiredDigest } of assembly.objects.values())
        if (desiredDigest !== null) digests.set(object, desiredDigest);
      this.#current.set(assembly, (current = digests));
    }
    return current;
  }

  /** What has been made, by the key that rollout asks with. */
  get assembled(): ReadonlyMap<string, AssembledBundle> {
    return new Map([...this.#made.entries()].map(([key, { assembled }]) => [key, assembled]));
  }

  make(holds: HoldSet): void {
    this.#make(holds);
  }

  /**
   * Stable without what is no longer permitted, when something is. A proxy that cannot run it keeps what it has, as it would
   * if nothing were published: that must not keep the others from it.
   */
  permittedStable(): AssembledBundle | null {
    const { permittedStable } = this.assembly(NO_HOLDS);
    return permittedStable === null ? null : this.#bundle(permittedStable, null);
  }

  /** A bundle made here not long ago. */
  bundle(digest: Digest): Bundle | undefined {
    return this.#bundles.get(digest);
  }

  #make(holds: HoldSet): Made {
    const world = this.#world;
    if (world === undefined) throw new Error('nothing to assemble from yet');
    const key = holdKey(holds);
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const input = {
      fleet: this.#fleet,
      defaultFleet: this.#defaultFleet,
      objects: world.objects,
      translations: world.translations,
      stable: this.#stable,
      holds: [...holds].map(([object, digest]) => ({ object, digest })),
    };
    const assembly = assemble(input, this.#lastAssembly);
    this.#lastAssembly = assembly;
    const made = { assembly, assembled: this.#bundle(assembly.entries, this.#unsupported) };
    this.#made.set(key, made);
    return made;
  }

  #bundle(entries: readonly Entry[], unsupported: string | null): AssembledBundle {
    const fragments = digestsOf(fragmentsOf(entries));
    const built = buildBundle(entries, REQUIRES, this.#last);
    if (!built.ok) return { digest: null, problem: built.error.map(formatFinding).join('; '), fragments };
    this.#last = built.value;
    const { digest } = built.value;
    // What is stable already is not published again, and is said to be what the objects ask for.
    if (unsupported !== null && digest !== this.#stableDigest) return { digest: null, problem: unsupported, fragments };
    this.#bundles.set(digest, built.value);
    return { digest, fragments };
  }
}
