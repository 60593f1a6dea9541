/** What the router is asked and told. */
import type { MatchPlan } from '../compiler/plan.ts';

/** Request headers as conditions see them. Only called when a candidate has header conditions. */
export interface HeaderLookup {
  /** All lines of this (lower-case) name joined with ", " (RFC 9110 §5.3), or undefined without one. */
  get(lowerName: string): string | undefined;
}

/** A route to be found: the first of its matches that holds gives `value`. */
export interface RouteSpec<T> {
  readonly id: string;
  readonly matches: readonly MatchPlan[];
  readonly value: T;
}

/** Routes to add or replace, and ids to take away (unknown ids are passed over). */
export interface RouterChange<T> {
  readonly set: readonly RouteSpec<T>[];
  readonly delete: readonly string[];
}
