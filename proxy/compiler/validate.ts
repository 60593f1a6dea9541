/** A hand-written document, given as a value: its shape, each of its entries, and ids used twice. */
import { documentSchema, DOCUMENT_VERSION, type Document } from '../contract/document/document.ts';
import type { Section } from '../contract/document/entries.ts';
import { errorAt, warningAt, type Finding, type FindingReason } from '../contract/finding.ts';
import { limit } from '../contract/limits.ts';
import { FindingList } from './findings.ts';
import { at, didYouMean, quote, root, type Problem } from './problem.ts';
import { readEntry } from './readEntry.ts';
import { schemaProblems } from './schema.ts';

const LISTS = ['routes', 'pools', 'policies', 'traffic_management', 'middleware', 'cache', 'plugins'] as const;
const SINGLES = ['http', 'metrics', 'access_log', 'tracing'] as const;
const FIELDS = Object.keys(documentSchema.properties);
const MAX_ITEMS = 2 * limit('objects');

type Fields = Readonly<Record<string, unknown>>;

export interface Validated {
  /** Undefined when there is an error. */
  readonly document: Document | undefined;
  readonly findings: readonly Finding[];
}

/** Checks a value that should be a document. `source` names where it is from; all findings carry it. */
export function validateDocument(value: unknown, source?: string): Validated {
  const check = new DocumentCheck();
  if (isFields(value)) check.document(value);
  else check.error('', 'Malformed', 'the document must be an object with routes, pools and so on');
  const findings = check.findings.list().map((finding) => (source === undefined ? finding : { ...finding, source }));
  // All of its entries were checked against their schemas, and its own fields above.
  return { document: check.findings.hasErrors ? undefined : (value as Document), findings };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

class DocumentCheck {
  readonly findings = new FindingList();

  error(path: string, reason: FindingReason, message: string): void {
    this.findings.add(errorAt('', path, reason, message));
  }

  document(value: Fields): void {
    for (const field of Object.keys(value)) {
      if (FIELDS.includes(field)) continue;
      this.error(root(field), 'UnknownField', `unknown field ${quote(field)}${didYouMean(field, FIELDS)}`);
      if (this.findings.isFull) return;
    }
    if (value['version'] !== undefined && value['version'] !== DOCUMENT_VERSION)
      this.error('version', 'Unsupported', `this version reads documents of version ${DOCUMENT_VERSION}`);
    for (const section of LISTS) this.#list(section, value[section], section);
    for (const section of SINGLES) this.#entry(section, value[section], section);
    this.#tls(value['tls']);
    this.#rollout(value['rollout']);
  }

  #list(section: Section, value: unknown, path: string): void {
    if (value === undefined) return;
    if (!Array.isArray(value)) return this.error(path, 'Invalid', 'must be a list');
    if (value.length > MAX_ITEMS) return this.error(path, 'TooLarge', `must not have more than ${MAX_ITEMS} items`);
    const seen = new Map<string, number>();
    for (const [i, item] of (value as readonly unknown[]).entries()) {
      if (this.findings.isFull) return;
      this.#entry(section, item, at(path, i));
      const id = idOf(section, item);
      if (id === undefined) continue;
      const first = seen.get(id.value);
      if (first === undefined) seen.set(id.value, i);
      else
        this.error(
          `${path}[${i}].${id.field}`,
          'Duplicate',
          `${quote(id.value)} is the ${id.field} of ${path}[${first}] too`,
        );
    }
  }

  #entry(section: Section, value: unknown, path: string): void {
    if (value !== undefined) this.#report(path, readEntry(section, value).problems);
  }

  #tls(tls: unknown): void {
    if (tls === undefined) return;
    if (!isFields(tls)) return this.error('tls', 'Invalid', 'must be an object');
    const fields = ['certificates', 'routes', 'mtls'];
    for (const field of Object.keys(tls)) {
      if (fields.includes(field)) continue;
      this.error(at('tls', field), 'UnknownField', `unknown field ${quote(field)}${didYouMean(field, fields)}`);
      if (this.findings.isFull) return;
    }
    this.#list('tls_certificates', tls['certificates'], 'tls.certificates');
    this.#list('tls_routes', tls['routes'], 'tls.routes');
    this.#entry('tls_mtls', tls['mtls'], 'tls.mtls');
  }

  #rollout(rollout: unknown): void {
    if (rollout === undefined) return;
    this.#report('rollout', schemaProblems('rollout', rollout));
    const message = 'a document does not stage itself: the stages of a fleet are in its ProxyRollout';
    this.findings.add(warningAt('', 'rollout', 'Ignored', message));
  }

  #report(path: string, problems: readonly Problem[]): void {
    for (const problem of problems) {
      const make = problem.severity === 'error' ? errorAt : warningAt;
      this.findings.add(make('', `${path}${problem.path}`, problem.reason, problem.message));
    }
  }
}

/** What an item of a list is named by, which must be unique within the list. */
function idOf(section: Section, item: unknown): { field: string; value: string } | undefined {
  if (!isFields(item) || section === 'tls_certificates') return undefined;
  const field = section === 'traffic_management' || section === 'cache' ? 'route' : 'id';
  const value = item[field];
  return typeof value === 'string' ? { field, value } : undefined;
}
