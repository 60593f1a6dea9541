/** What makes a kind: its names, columns, schemas and cross-field rules, from which CRDs, docs and validation are derived. */
import type { TObject } from 'typebox';
import type { FindingReason } from '../proxy/contract/finding.ts';

export const GROUP = 'modernproxy.io';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;
/** `kubectl get mrp` lists every kind. */
export const CATEGORY = 'mrp';

/** The metadata that is read; the API server checks the rest. */
export interface ObjectMeta {
  readonly name: string;
  /** Absent only in files, where it means `default`. */
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  /** RFC 3339; absent in files. */
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An object of one kind, as read from the API server or a file. */
export interface KubeObject<K extends string, Spec, Status> {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: K;
  readonly metadata: ObjectMeta;
  readonly spec: Spec;
  readonly status?: Status;
}

export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** 1: only with `-o wide`. */
  readonly priority?: 1;
}

/**
 * A rule between fields, written twice side by side: in CEL for the API server, in TypeScript for folders.
 * The cases of crds/fixtures say what both must answer. It runs only where the schema itself is satisfied.
 */
export interface Rule {
  /** The node that the rule sees, as `spec.matches[].path`; `[]` stands for every item. */
  readonly at: string;
  readonly cel: string;
  /** What is asked for, as a sentence without a full stop. */
  readonly message: string;
  /** The field to blame, relative to the node, such as `.hosts`; default: the node itself. */
  readonly field?: string;
  readonly reason: Extract<FindingReason, 'Invalid' | 'Required' | 'Duplicate' | 'AddressNotAllowed'>;
  /** True when the node is in order. Gets only values that satisfy the node's schema. */
  readonly check: (node: never) => boolean;
}

/** Type of the value at a path such as `matches[].path`. */
type ValueAt<T, P extends string> = P extends `${infer Head}.${infer Rest}` ? ValueAt<Step<T, Head>, Rest> : Step<T, P>;
type Step<T, S extends string> = S extends `${infer Key}[]`
  ? Field<T, Key> extends readonly (infer Item)[]
    ? Item
    : never
  : Field<T, S>;
type Field<T, Key> = Key extends keyof T ? NonNullable<T[Key]> : never;

interface RuleOf<Root, P extends string> extends Omit<Rule, 'at' | 'check'> {
  readonly at: P;
  readonly check: (node: ValueAt<Root, P>) => boolean;
}

/** Declares rules over `{spec: Spec}`, so that each check gets the type of the node it is declared at. */
export function rulesOver<Spec>() {
  return <P extends string>(rule: RuleOf<{ spec: Spec }, P>): Rule => rule;
}

export interface ConditionDoc {
  readonly type: string;
  readonly meaning: string;
  /** Reasons beside those of findings, with what they mean. */
  readonly reasons: Readonly<Record<string, string>>;
}

export interface KindDefinition<K extends string = string> {
  readonly kind: K;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  /** First sentence: what it is. */
  readonly description: string;
  readonly columns: readonly PrinterColumn[];
  readonly spec: TObject;
  readonly status: TObject;
  readonly rules: readonly Rule[];
  readonly conditions: readonly ConditionDoc[];
}
