/** Parts that several kinds share: names, references, hosts, conditions. */
import type { Static } from 'typebox';
import Type from 'typebox';
import { DIGEST_PATTERN } from '../proxy/contract/canonical.ts';
import { limit } from '../proxy/contract/limits.ts';
import { TOKEN_PATTERN } from '../proxy/contract/document/parts.ts';
import { atomic, duration, integer, list, object, oneOf, optional, text, textMap } from './schema.ts';

const LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?';
const HOSTNAME = `${LABEL}(\\.${LABEL})*`;

/** A DNS label (RFC 1123): names of namespaces, and of entries in lists. */
export function label(description: string, byDefault?: string) {
  return text(description, {
    max: 63,
    pattern: `^${LABEL}$`,
    syntax: 'a name of at most 63 lowercase letters, digits and hyphens',
    ...(byDefault === undefined ? {} : { default: byDefault }),
  });
}

/** A DNS subdomain (RFC 1123): names of objects. */
export function objectName(description: string) {
  return text(description, {
    max: 253,
    pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
    syntax: 'the name of an object: lowercase letters, digits, hyphens and dots',
  });
}

/** An exact hostname, `*.` before one, or `*`. */
export function host(description: string) {
  return text(description, {
    max: 253,
    pattern: `^(\\*|(\\*\\.)?${HOSTNAME})$`,
    syntax: 'a lowercase host name such as api.example.com, *.example.com or *',
  });
}

/** The name in a TLS handshake: exact, or a wildcard for one label. */
export function serverName(description: string) {
  return text(description, {
    max: 253,
    pattern: `^(\\*\\.)?${HOSTNAME}$`,
    syntax: 'a lowercase host name such as api.example.com or *.example.com',
  });
}

/** RFC 9110 §5.1 field names; cookies have the same syntax (RFC 6265 §4.1.1). */
export function token(description: string) {
  return text(description, {
    max: 256,
    pattern: TOKEN_PATTERN,
    syntax: 'a name of letters, digits and hyphens, as headers and cookies have it (RFC 9110 §5.6.2)',
  });
}

export function digest(description: string) {
  return text(description, { max: 71, pattern: DIGEST_PATTERN, syntax: 'a digest: sha256: and 64 hex digits' });
}

/** A reference to an object of the same namespace. */
export function localRef(description: string, target: string) {
  return atomic(description, { name: objectName(`Name of the ${target}, in this object’s namespace.`) });
}

/** A reference to a pool. Another namespace needs a ReferenceGrant there. */
export function poolRef(description: string) {
  return atomic(description, {
    name: objectName('Name of the UpstreamPool.'),
    namespace: optional(
      label(
        'Namespace of the UpstreamPool. Another namespace than this object’s needs a ReferenceGrant there, and is ' +
          'refused (RefNotPermitted) where that kind is not installed.',
        'this object’s namespace',
      ),
    ),
  });
}

/** What tells one client from another. */
export function clientKey(description: string) {
  return atomic(description, {
    type: oneOf('Where the key is taken from.', ['Header', 'Cookie', 'ClientIP']),
    name: optional(token('Name of the header or cookie. Required for these, not allowed with ClientIP.')),
  });
}
export type ClientKey = Static<ReturnType<typeof clientKey>>;

export const LABEL_KEY_PATTERN = '^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$';
const LABEL_VALUE = {
  pattern: '^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$',
  syntax: 'a label value: at most 63 letters, digits, and -_. between them',
};

const labelSelector = atomic('Labels of namespaces; all conditions must hold. Only with from: Selector.', {
  matchLabels: optional(
    textMap('Labels that must have these values.', {
      max: 16,
      valueMax: 63,
      valuePattern: LABEL_VALUE.pattern,
      valueSyntax: LABEL_VALUE.syntax,
    }),
  ),
  matchExpressions: optional(
    list(
      'Further conditions on labels.',
      object('One condition.', {
        key: text('Key of the label.', {
          max: 317,
          pattern: LABEL_KEY_PATTERN,
          syntax: 'a label key such as team or example.com/team',
        }),
        operator: oneOf('How the label is compared.', ['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: optional(
          list(
            'Values for In and NotIn; not allowed with the others.',
            text('A label value.', { min: 0, max: 63, ...LABEL_VALUE }),
            { max: 16, type: 'atomic' },
          ),
        ),
      }),
      { max: 16, type: 'atomic' },
    ),
  ),
});
export type LabelSelector = Static<typeof labelSelector>;

/** Which namespaces may use something. */
export function namespaces(description: string, byDefault: 'Same' | 'All') {
  return object(description, {
    from: optional(
      oneOf(
        'Same: this object’s own namespace. All: every namespace. Selector: those whose labels match selector.',
        ['Same', 'All', 'Selector'],
        byDefault,
      ),
    ),
    selector: optional(labelSelector),
  });
}
export type Namespaces = Static<ReturnType<typeof namespaces>>;

/** Stops sending to a pool that fails; the same fields in a pool and in a policy. */
export function circuitBreaker(description: string) {
  return object(description, {
    errorThresholdPercent: integer('Error rate in percent that opens the breaker.', { min: 1, max: 100 }),
    minRequests: optional(
      integer('Requests in the window before the rate counts.', { min: 1, max: 1_000_000, default: 20 }),
    ),
    openDuration: optional(
      duration('How long the breaker stays open before it lets trial requests through.', {
        min: '100ms',
        max: '1h',
        default: '30s',
      }),
    ),
  });
}

const timestamp = (description: string) =>
  Type.String({ description, format: 'date-time', maxLength: 64, 'x-syntax': 'a time such as 2026-01-31T12:00:00Z' });

/** metav1.Condition. */
const condition = object('One aspect of the state.', {
  type: text('Type of the condition.', {
    max: 316,
    pattern: '^[A-Za-z]([A-Za-z0-9]*[A-Za-z0-9])?$',
    syntax: 'a CamelCase word',
  }),
  status: oneOf('True, False, or Unknown when it cannot be told yet.', ['True', 'False', 'Unknown']),
  observedGeneration: optional(
    integer('The metadata.generation this condition was computed from.', { min: 0, max: Number.MAX_SAFE_INTEGER }),
  ),
  lastTransitionTime: timestamp('When status last changed.'),
  reason: text('CamelCase reason for programs.', {
    max: 1024,
    pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
    syntax: 'a CamelCase word',
  }),
  message: text('Explanation for people.', { min: 0, max: 32_768 }),
});

export const conditions = optional(
  list('The state, one condition by aspect.', condition, { max: 16, type: { keys: ['type'] } }),
);

/** Status of the kinds that become one fragment of the document. */
export const fragmentStatus = object('What is really running. Written by the operator.', {
  fragmentDigest: optional(
    digest('Digest of what this object contributes to the document. The same spec always gives the same digest.'),
  ),
  conditions,
});
export type FragmentStatus = Static<typeof fragmentStatus>;

export { timestamp };

/** Longest `Kind/namespace/name`. */
const OBJECT_ID_LENGTH = 'UpstreamPool'.length + 2 + 63 + limit('idLength');

/** `Kind/namespace/name`, as findings and heads name objects. */
export function objectId(description: string, kinds: readonly string[]) {
  return text(description, {
    max: OBJECT_ID_LENGTH,
    pattern: `^(${kinds.join('|')})/${LABEL}/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`,
    syntax: `an object as Kind/namespace/name, of kind ${kinds.join(', ')}`,
  });
}
