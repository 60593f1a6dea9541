/** What translation makes of one object. */
import type { Finding } from '../../proxy/contract/finding.ts';
import type { Fragment } from '../../proxy/contract/fragment.ts';
import type { ProxyRolloutSpec } from '../../crds/proxyRollout.ts';
import type { Namespaces } from '../../crds/shared.ts';
import type { OwnKind, OwnObject } from '../objects/objects.ts';

/** A field that names another object. Whether that exists is for assembly to see. */
export interface Reference {
  /** Field path such as `spec.poolRef`. */
  readonly path: string;
  readonly kind: 'UpstreamPool' | 'TrafficPolicy' | 'Service' | 'Secret';
  readonly namespace: string;
  readonly name: string;
  /** `Kind/namespace/name`. */
  readonly target: string;
  /** Service only: the port that it must have. */
  readonly port?: number;
}

/** Who may use a fleet: read from a ProxyRollout, never part of the bundle. */
export interface FleetRules {
  readonly allowedNamespaces: Namespaces;
  readonly hostClaims: readonly { readonly host: string; readonly namespaces: readonly string[] }[];
}

/** Depends on nothing but the object, so it is made once for each. */
export interface Translation {
  /** `Kind/namespace/name`. */
  readonly id: string;
  readonly kind: OwnKind;
  readonly object: OwnObject;
  /** Null from files, which have no age. */
  readonly createdAtMs: number | null;
  /** Null when `findings` has an error. */
  readonly fragment: Fragment | null;
  readonly findings: readonly Finding[];
  readonly references: readonly Reference[];
  /** ProxyRoute: the fleet it asks for as `namespace/name`; null: the default one. */
  readonly fleet: string | null;
  /** ProxyRollout: its spec, checked and without nulls; null where it is not accepted. */
  readonly rolloutSpec: ProxyRolloutSpec | null;
  /** ProxyRollout: who may use the fleet; null where that part of the spec is invalid. */
  readonly rules: FleetRules | null;
}
