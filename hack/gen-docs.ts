/** Writes the parts of docs/ that are lists of what the code has: configuration, errors, limits, metrics, flags, reasons. */
import { REFUSAL_REASONS } from '../proxy/contract/ack.ts';
import { documentSchema } from '../proxy/contract/document/document.ts';
import { ERRORS } from '../proxy/contract/errors.ts';
import { FINDING_REASONS } from '../proxy/contract/finding.ts';
import { LIMITS, type Limit } from '../proxy/contract/limits.ts';
import { NOT_IMPLEMENTED } from '../proxy/contract/notImplemented.ts';
import { OPERATOR_FLAGS, type OperatorFlag } from '../operator/cli/options.ts';
import { flagSpecs } from '../proxy/cli/flags.ts';
import { METRICS, type MetricSpec } from '../proxy/observability/metricTable.ts';
import { configDoc, type Schema } from './docs/config.ts';
import { cell, page, table } from './docs/markdown.ts';
import { writeGenerated } from './docs/write.ts';

function code(text: string): string {
  return `\`${text}\``;
}

function errorsDoc(): string {
  const rows = Object.entries(ERRORS).map(([name, e]) => [
    code(name),
    String(e.status),
    e.side,
    e.retryable ? 'yes' : 'no',
    e.closes ? 'yes' : 'no',
    e.description,
  ]);
  return page(
    'Errors of the data plane',
    'Every error response is JSON with `error` (the code), `message` and `request_id`, carries `x-proxy-error` and `x-request-id`, and is logged with the same code. “Retryable” says that another attempt can help and that nothing has reached the upstream’s application; “closes” that the client’s connection is closed after it.',
    table(['Code', 'Status', 'Side', 'Retryable', 'Closes', 'When'], rows),
  );
}

function limitsDoc(): string {
  const rows = Object.entries(LIMITS).map(([name, l]: [string, Limit]) => [
    code(name),
    l.value.toLocaleString('en-US'),
    l.unit,
    l.over,
  ]);
  return page(
    'Limits',
    'Everything that is queued, buffered, cached, read or awaited has a limit; these are the defaults.',
    table(['Limit', 'Default', 'Unit', 'What is over it'], rows),
  );
}

function metricsDoc(): string {
  const rows = Object.entries(METRICS).map(([name, m]: [string, MetricSpec]) => [
    code(name),
    m.type,
    m.labels.map(code).join(' '),
    m.help,
  ]);
  return page(
    'Metrics of the proxy',
    'In Prometheus text format on the admin listener (`/metrics` unless configured), beside the usual `process_*` and `nodejs_*`.',
    table(['Metric', 'Type', 'Labels', 'Meaning'], rows),
  );
}

function flagsDoc(): string {
  const deferred = new Set(NOT_IMPLEMENTED.flatMap((n) => n.flag ?? []));
  const rows = flagSpecs().map((f) => [
    code(`-${f.name}`),
    f.env === undefined ? '' : code(f.env),
    f.type,
    f.default === undefined || f.default === '' ? '' : code(f.default),
    `${f.description}${deferred.has(f.name) ? ' **Not implemented yet**: refused.' : ''}`,
  ]);
  return page(
    'Flags of the proxy',
    'One dash or two. A flag beats its environment variable, which beats the default. Subcommands: `validate FILES…` and `compile FILES…` (both take `--json`).',
    table(['Flag', 'Variable', 'Type', 'Default', 'Meaning'], rows),
  );
}

function operatorFlagsDoc(): string {
  const rows = OPERATOR_FLAGS.map((f: OperatorFlag) => [
    code(`--${f.name} ${f.value}`),
    f.env === undefined ? '' : code(f.env),
    f.default === undefined ? '' : code(f.default),
    f.description,
  ]);
  return page(
    'Flags of the operator',
    'A flag beats its environment variable, which beats the default.',
    table(['Flag', 'Variable', 'Default', 'Meaning'], rows),
  );
}

function reasonsDoc(): string {
  const findings = Object.entries(FINDING_REASONS).map(([name, text]) => [code(name), text]);
  const refusals = Object.entries(REFUSAL_REASONS).map(([name, text]) => [code(name), text]);
  return page(
    'Reasons',
    'Stable, machine-readable reasons. Findings say what is wrong with an object or document; refusals why a proxy did not take a configuration.',
    `## Findings\n\n${table(['Reason', 'Meaning'], findings)}\n\n## Refusals by a proxy\n\n${table(['Reason', 'Meaning'], refusals)}`,
  );
}

function notImplementedDoc(): string {
  const rows = NOT_IMPLEMENTED.map((n) => [
    n.document === undefined ? '' : code(n.document),
    (n.objects ?? []).map(code).join(', '),
    n.flag === undefined ? '' : code(`-${n.flag}`),
    (n.values ?? []).map((v) => cell(code(v))).join(' '),
  ]);
  return page(
    'Not implemented yet',
    'Fields that the API has and this version does not carry out. Objects and documents that use one are refused with `NotImplemented`, so that nobody relies on a protection that is not there.',
    table(['Document', 'Objects', 'Flag', 'Only these values'], rows),
  );
}

await writeGenerated({
  // Through JSON: what a reader of the schema file sees, without TypeBox’s own types.
  'docs/CONFIG.md': configDoc(JSON.parse(JSON.stringify(documentSchema)) as Schema),
  'docs/ERRORS.md': errorsDoc(),
  'docs/LIMITS.md': limitsDoc(),
  'docs/METRICS.md': metricsDoc(),
  'docs/reference/flags.md': flagsDoc(),
  'docs/reference/operator-flags.md': operatorFlagsDoc(),
  'docs/reference/reasons.md': reasonsDoc(),
  'docs/reference/not-implemented.md': notImplementedDoc(),
  'docs/reference/config.schema.json': `${JSON.stringify({ $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'modern-reverse-proxy document', ...documentSchema }, null, 2)}\n`,
});
