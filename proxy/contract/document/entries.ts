/**
 * A document as a flat set of entries: the unit of diffing, sharding and ownership.
 * Each entry has a key that is unique in the document, the object that it came from, and a JSON value.
 * A fragment is all entries of one object; the bundle keeps `object`, so that an operator can rebuild the fragments of
 * any stored bundle.
 */
import type { Json } from '../canonical.ts';
import type { AccessLogDoc, HttpDoc, MetricsDoc, PluginDoc, TlsDoc, TracingDoc } from './fleet.ts';
import type { Document } from './document.ts';
import type { ChainDoc, PolicyDoc, PoolDoc } from './pools.ts';
import type { CacheDoc, RouteDoc, TrafficDoc } from './routes.ts';

type CertificateDoc = NonNullable<TlsDoc['certificates']>[number];
type TlsRouteDoc = NonNullable<TlsDoc['routes']>[number];
type MtlsDoc = NonNullable<TlsDoc['mtls']>;

/** Value types by section; the key of an entry is `<section>/<id>` (single sections have the id `-`). */
export interface SectionValues {
  routes: RouteDoc;
  pools: PoolDoc;
  policies: PolicyDoc;
  traffic_management: TrafficDoc;
  middleware: ChainDoc;
  cache: CacheDoc;
  plugins: PluginDoc;
  tls_certificates: CertificateDoc;
  tls_routes: TlsRouteDoc;
  tls_mtls: MtlsDoc;
  http: HttpDoc;
  metrics: MetricsDoc;
  access_log: AccessLogDoc;
  tracing: TracingDoc;
}
export type Section = keyof SectionValues;

export const SECTIONS = [
  'routes',
  'pools',
  'policies',
  'traffic_management',
  'middleware',
  'cache',
  'plugins',
  'tls_certificates',
  'tls_routes',
  'tls_mtls',
  'http',
  'metrics',
  'access_log',
  'tracing',
] as const satisfies readonly Section[];

export type Entry = {
  [S in Section]: {
    readonly section: S;
    readonly id: string;
    readonly object: string;
    readonly value: SectionValues[S];
  };
}[Section];

/** Key of an entry, unique in a document. */
export function entryKey(entry: { readonly section: Section; readonly id: string }): string {
  return `${entry.section}/${entry.id}`;
}

/** Orders entries by key, so that the same set always has the same bytes. */
export function compareEntries(a: Entry, b: Entry): number {
  const ka = entryKey(a);
  const kb = entryKey(b);
  return ka < kb ? -1 : ka > kb ? 1 : 0;
}

/** The canonical JSON form of an entry, as it stands in a shard. */
export function entryJson(entry: Entry): Json {
  return { id: entry.id, object: entry.object, section: entry.section, value: entry.value as Json };
}

function certificateId(c: CertificateDoc): string {
  return `${c.secret ?? c.cert_file ?? '-'}#${c.sni ?? '*'}`;
}

/** Splits a validated document into entries that all belong to `object`. The `rollout` block has no entry: it has no effect. */
export function documentEntries(document: Document, object: string): Entry[] {
  const entries: Entry[] = [];
  for (const value of document.routes ?? []) entries.push({ section: 'routes', id: value.id, object, value });
  for (const value of document.pools ?? []) entries.push({ section: 'pools', id: value.id, object, value });
  for (const value of document.policies ?? []) entries.push({ section: 'policies', id: value.id, object, value });
  for (const value of document.traffic_management ?? [])
    entries.push({ section: 'traffic_management', id: value.route, object, value });
  for (const value of document.middleware ?? []) entries.push({ section: 'middleware', id: value.id, object, value });
  for (const value of document.cache ?? []) entries.push({ section: 'cache', id: value.route, object, value });
  for (const value of document.plugins ?? []) entries.push({ section: 'plugins', id: value.id, object, value });
  for (const value of document.tls?.certificates ?? [])
    entries.push({ section: 'tls_certificates', id: certificateId(value), object, value });
  for (const value of document.tls?.routes ?? []) entries.push({ section: 'tls_routes', id: value.id, object, value });
  if (document.tls?.mtls !== undefined)
    entries.push({ section: 'tls_mtls', id: '-', object, value: document.tls.mtls });
  if (document.http !== undefined) entries.push({ section: 'http', id: '-', object, value: document.http });
  if (document.metrics !== undefined) entries.push({ section: 'metrics', id: '-', object, value: document.metrics });
  if (document.access_log !== undefined)
    entries.push({ section: 'access_log', id: '-', object, value: document.access_log });
  if (document.tracing !== undefined) entries.push({ section: 'tracing', id: '-', object, value: document.tracing });
  return entries;
}

/** Puts entries back together as the document that a person could have written. */
export function entriesDocument(entries: Iterable<Entry>): Document {
  const sorted = [...entries].sort(compareEntries);
  const of = <S extends Section>(section: S) =>
    sorted.filter((e) => e.section === section).map((e) => e.value as SectionValues[S]);
  const document: Document = {};
  for (const section of [
    'routes',
    'pools',
    'policies',
    'traffic_management',
    'middleware',
    'cache',
    'plugins',
  ] as const) {
    const values = of(section);
    if (values.length > 0) Object.assign(document, { [section]: values });
  }
  const tls: TlsDoc = {};
  const [certificates, routes, mtls] = [of('tls_certificates'), of('tls_routes'), of('tls_mtls')[0]];
  if (certificates.length > 0) tls.certificates = certificates;
  if (routes.length > 0) tls.routes = routes;
  if (mtls !== undefined) tls.mtls = mtls;
  if (Object.keys(tls).length > 0) document.tls = tls;
  for (const section of ['http', 'metrics', 'access_log', 'tracing'] as const) {
    const value = of(section)[0];
    if (value !== undefined) Object.assign(document, { [section]: value });
  }
  return document;
}
