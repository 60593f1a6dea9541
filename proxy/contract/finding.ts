/**
 * Findings are how user errors travel: collected while checking, never thrown.
 * A finding names the object, the field and a stable reason; status, logs, `validate` and acks all show the same one.
 */

/** `error` refuses the object (or document); `warning` accepts it and says what is odd. */
export type Severity = 'error' | 'warning';

/** Stable machine-readable reasons. Users script against them, so they are only ever added to. */
export const FINDING_REASONS = {
  Malformed: 'The text is not valid YAML or JSON.',
  TooLarge: 'The input is over its size limit.',
  UnknownKind: 'No such kind (or apiVersion) is read here.',
  UnknownField: 'The field does not exist in the schema.',
  Invalid: 'A value is of the wrong type, out of bounds, or breaks a rule of its field.',
  Required: 'A field that must be present is missing.',
  Duplicate: 'The same identifier is used twice.',
  NotImplemented: 'The field is part of the API, but this version does not carry it out yet.',
  RefNotFound: 'A reference names an object that does not exist.',
  RefNotPermitted: 'A reference into another namespace without a ReferenceGrant.',
  UnsafeRegex: 'A regular expression that is malformed, over its limits, or uses unsupported syntax.',
  AddressNotAllowed: 'An endpoint address that is link-local, a metadata service, or the proxy itself.',
  HostConflict: 'The host belongs to the namespace of an older route.',
  HostNotClaimed: 'A regex or catch-all host that the fleet does not grant to this namespace.',
  NamespaceNotAllowed: 'The fleet does not take routes from this namespace.',
  Overlapped: 'Another route answers the same host and match, and wins.',
  NoEndpoints: 'The pool has no endpoint, so its routes answer 503.',
  Ignored: 'The field is understood and has no effect here.',
  FleetNotFound: 'No ProxyRollout of that name exists, and no default fleet applies.',
  Unsupported: 'A feature that the fleet’s proxies (or this environment) cannot run.',
} as const;

export type FindingReason = keyof typeof FINDING_REASONS;

export interface Finding {
  /** `Kind/namespace/name` of the object, or `''` for a hand-written document. */
  readonly object: string;
  /** Where the text came from (a file path), when known. */
  readonly source?: string;
  /** Field path such as `spec.hosts[0]` or `routes[2].path_regex`; `''` for the whole object. */
  readonly path: string;
  readonly reason: FindingReason;
  readonly message: string;
  readonly severity: Severity;
}

/** An `error` finding. */
export function errorAt(object: string, path: string, reason: FindingReason, message: string): Finding {
  return { object, path, reason, message, severity: 'error' };
}

/** A `warning` finding. */
export function warningAt(object: string, path: string, reason: FindingReason, message: string): Finding {
  return { object, path, reason, message, severity: 'warning' };
}

export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some((f) => f.severity === 'error');
}

/** One line for people: `error ProxyRoute/shop/web spec.hosts[0]: message (Reason) [file]`. Control characters are escaped. */
export function formatFinding(f: Finding): string {
  const where = [f.object, f.path].filter((s) => s !== '').join(' ');
  const line = `${f.severity} ${where === '' ? '' : `${where}: `}${f.message} (${f.reason})`;
  return escapeControls(f.source === undefined ? line : `${line} [${f.source}]`);
}

/** Newlines and other controls in users' strings are literal data: they must not forge a second log line (reliability list, 54). */
export function escapeControls(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
