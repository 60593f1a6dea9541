/** Validators of everything that is read from a store or a file, compiled once. */
import { Ajv, type ErrorObject, type SchemaObject, type ValidateFunction } from 'ajv';
import { manifestSchema, shardSchema, type Manifest } from '../contract/bundle.ts';
import { documentSchema } from '../contract/document/document.ts';
import type { Section } from '../contract/document/entries.ts';
import { escapeControls } from '../contract/finding.ts';
import { headFileSchema, headSchema, type Head, type HeadFile } from '../contract/head.ts';
import { ok, type Result } from '../contract/result.ts';
import { refuse, type Refused } from './refused.ts';

const ajv = new Ajv({ strict: true, allowUnionTypes: true });

/** Compiles a schema into a check that refuses as Malformed and names the first field that is wrong. */
export function checker<T>(schema: SchemaObject, what: string): (value: unknown) => Result<T, Refused> {
  let validate: ValidateFunction<T> | undefined;
  return (value) => {
    validate ??= ajv.compile<T>(schema);
    if (validate(value)) return ok(value);
    return refuse('Malformed', `${what}${describe(validate.errors?.[0])}`);
  };
}

/** Paths and messages may carry names from the bytes themselves: shortened, and without control characters. */
function describe(error: ErrorObject | undefined): string {
  return escapeControls(`${error?.instancePath ?? ''} ${error?.message ?? 'is not of its format'}`.slice(0, 300));
}

export const checkManifest = checker<Manifest>(manifestSchema, 'manifest');
export const checkHead = checker<Head>(headSchema, 'head');
export const checkHeadFile = checker<HeadFile>(headFileSchema, 'head file');

/** A shard whose entries have a section, but values that are still unchecked. */
export interface RawShard {
  readonly format: number;
  readonly entries: readonly {
    readonly section: Section;
    readonly id: string;
    readonly object: string;
    readonly value: unknown;
  }[];
}
export const checkShard = checker<RawShard>(shardSchema, 'shard');

const document = documentSchema.properties;
const tls = document.tls.properties;

/** The value of an entry has the same schema as its place in the document. */
const valueSchemas: Readonly<Record<Section, SchemaObject>> = {
  routes: document.routes.items,
  pools: document.pools.items,
  policies: document.policies.items,
  traffic_management: document.traffic_management.items,
  middleware: document.middleware.items,
  cache: document.cache.items,
  plugins: document.plugins.items,
  tls_certificates: tls.certificates.items,
  tls_routes: tls.routes.items,
  tls_mtls: tls.mtls,
  http: document.http,
  metrics: document.metrics,
  access_log: document.access_log,
  tracing: document.tracing,
};

/** Checks of entry values by section. */
export const checkValue: ReadonlyMap<Section, (value: unknown) => Result<unknown, Refused>> = new Map(
  Object.entries(valueSchemas).map(([section, schema]) => [section as Section, checker(schema, section)]),
);
