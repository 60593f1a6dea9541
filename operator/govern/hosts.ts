/**
 * Who may answer for a host.
 *
 * A host that the fleet claims belongs to the namespaces of its claim, which share it. The most specific claim counts: the
 * host's own, else that of the nearest wildcard above it. Regexes and `*` always need the claim of `*`, which covers
 * nothing else: a catch-all takes what nobody else has.
 *
 * Any other host belongs to the namespace of its oldest accepted route, and so do the names below a wildcard: who may
 * answer for `*.example.com` need not fear that a younger route elsewhere takes `login.example.com` out of it. A name that
 * is older than the wildcard above it stays where it is.
 */
import type { FindingReason } from '../../proxy/contract/finding.ts';
import { isHostname } from '../../proxy/contract/host.ts';

/** A route, and the hosts that it would answer for. */
export interface HostUser {
  /** `Kind/namespace/name`. */
  readonly object: string;
  readonly namespace: string;
  /** Unix milliseconds: the smaller, the older. `Infinity` for objects without age, as those from files. */
  readonly createdAtMs: number;
  /** Texts as in the document: names, wildcards, `*`, or expressions. */
  readonly hosts: readonly string[];
}

export interface LostHost {
  readonly host: string;
  readonly reason: Extract<FindingReason, 'HostConflict' | 'HostNotClaimed'>;
  readonly message: string;
}

export interface HostRules {
  readonly claims: readonly { readonly host: string; readonly namespaces: readonly string[] }[];
  /** Namespaces that answer for a host now, by host. Among routes of the same age (or of none) they keep it. */
  readonly currentOwners: ReadonlyMap<string, ReadonlySet<string>>;
}

export type HostKind = 'name' | 'wildcard' | 'any' | 'regex';

/** Kind of a host text of an operator's document, where names are lower case and what else looks like one is grouped. */
export function hostKind(host: string): HostKind {
  if (host === '*') return 'any';
  if (host.startsWith('*.') && isHostname(host.slice(2))) return 'wildcard';
  return isHostname(host) ? 'name' : 'regex';
}

/** The hosts that each user may not have, by object. Users that keep all their hosts are not in it. */
export function lostHosts(users: Iterable<HostUser>, rules: HostRules): Map<string, LostHost[]> {
  const claims = new Map(rules.claims.map((claim) => [claim.host, claim.namespaces]));
  const lost = new Map<string, LostHost[]>();
  const lose = (user: HostUser, entry: LostHost) => {
    const list = lost.get(user.object);
    if (list === undefined) lost.set(user.object, [entry]);
    else list.push(entry);
  };
  const unclaimed = new Map<string, HostUser[]>();
  for (const user of users) {
    for (const host of user.hosts) {
      const kind = hostKind(host);
      const claim = claimOf(claims, host, kind);
      if (claim === undefined && (kind === 'name' || kind === 'wildcard')) {
        const list = unclaimed.get(host);
        if (list === undefined) unclaimed.set(host, [user]);
        else list.push(user);
      } else if (claim?.namespaces.includes(user.namespace) !== true) {
        lose(user, { host, reason: 'HostNotClaimed', message: notClaimed(host, user.namespace, claim) });
      }
    }
  }
  const owners = new Map<string, HostUser>();
  for (const { user, host } of contestedBids(unclaimed, rules).sort(compareBids)) {
    const owner = ownerOf(owners, host);
    if (owner === undefined) owners.set(host, user);
    else if (owner.user.namespace !== user.namespace) {
      lose(user, { host, reason: 'HostConflict', message: conflict(host, owner.host, owner.user) });
    } else if (!owners.has(host)) owners.set(host, user);
  }
  return lost;
}

interface Bid {
  readonly user: HostUser;
  readonly host: string;
  readonly isWildcard: boolean;
  /** Its namespace answers for the host now. */
  readonly keeps: boolean;
}

/** Bids for the hosts that more than one namespace wants, itself or by a wildcard above: few among thousands. */
function contestedBids(unclaimed: ReadonlyMap<string, readonly HostUser[]>, { currentOwners }: HostRules): Bid[] {
  const contested = new Set<string>();
  let hasWildcards = false;
  for (const host of unclaimed.keys()) hasWildcards ||= host.startsWith('*.');
  for (const [host, users] of unclaimed) {
    const namespace = users[0]?.namespace;
    const isOther = (user: HostUser) => user.namespace !== namespace;
    if (users.some(isOther)) contested.add(host);
    if (!hasWildcards) continue;
    for (const wildcard of wildcardsAbove(host)) {
      const above = unclaimed.get(wildcard);
      if (above === undefined || !(above.some(isOther) || users.some(isOther))) continue;
      contested.add(host).add(wildcard);
    }
  }
  return [...contested].flatMap((host) =>
    (unclaimed.get(host) ?? []).map((user) => ({
      user,
      host,
      isWildcard: host.startsWith('*.'),
      keeps: currentOwners.get(host)?.has(user.namespace) === true,
    })),
  );
}

interface Claim {
  readonly host: string;
  readonly namespaces: readonly string[];
}

/** Oldest first, then who has the host now, then the more specific host (so that names outlast wildcards), then by name. */
function compareBids(a: Bid, b: Bid): number {
  if (a.user.createdAtMs !== b.user.createdAtMs) return a.user.createdAtMs < b.user.createdAtMs ? -1 : 1;
  if (a.keeps !== b.keeps) return a.keeps ? -1 : 1;
  if (a.isWildcard !== b.isWildcard) return b.isWildcard ? -1 : 1;
  if (a.isWildcard && a.host.length !== b.host.length) return b.host.length - a.host.length;
  if (a.user.object !== b.user.object) return a.user.object < b.user.object ? -1 : 1;
  return a.host < b.host ? -1 : 1;
}

function claimOf(claims: ReadonlyMap<string, readonly string[]>, host: string, kind: HostKind): Claim | undefined {
  if (claims.size === 0) return undefined;
  const names = kind === 'any' || kind === 'regex' ? ['*'] : [host, ...wildcardsAbove(host)];
  for (const name of names) {
    const namespaces = claims.get(name);
    if (namespaces !== undefined) return { host: name, namespaces };
  }
  return undefined;
}

/** Who has the host, or the nearest wildcard above it. */
function ownerOf(owners: ReadonlyMap<string, HostUser>, host: string): { user: HostUser; host: string } | undefined {
  for (const name of [host, ...wildcardsAbove(host)]) {
    const user = owners.get(name);
    if (user !== undefined) return { user, host: name };
  }
  return undefined;
}

/** `*.b.c` and `*.c` for `a.b.c`, and for `*.b.c` only `*.c`. */
function wildcardsAbove(host: string): string[] {
  const wildcards: string[] = [];
  const from = host.startsWith('*.') ? 2 : 0;
  for (let dot = host.indexOf('.', from); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    wildcards.push(`*${host.slice(dot)}`);
  }
  return wildcards;
}

function notClaimed(host: string, namespace: string, claim: Claim | undefined): string {
  if (claim !== undefined) {
    return `${host} is claimed for ${claim.namespaces.join(', ')} (spec.fleet.hostClaims, ${claim.host}), not for ${namespace}`;
  }
  const what = host === '*' ? 'the host *' : `the expression ${host}`;
  return `${what} needs a claim of * for namespace ${namespace} in spec.fleet.hostClaims of the fleet`;
}

function conflict(host: string, owned: string, owner: HostUser): string {
  const what = owned === host ? host : `${host} (below ${owned})`;
  return `${what} belongs to namespace ${owner.namespace}, by ${owner.object}`;
}
