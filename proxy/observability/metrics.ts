/** The main thread’s side of metrics: sums the threads’ columns, adds the process’s own, and renders through prom-client. */
import { AggregatorRegistry, Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import { seriesWidth, type SeriesDescriptor } from './columns.ts';
import { METRICS, metricSpec, type MetricName, type MetricSpec } from './metricTable.ts';

interface ThreadColumns {
  readonly blocks: Float64Array[];
  readonly series: Map<number, SeriesDescriptor>;
}

type Labels = Readonly<Record<string, string>>;
interface Sample {
  readonly labels: Labels;
  readonly values: number[];
}

/** Summed values of one metric by its labels. */
type Summed = Map<MetricName, Map<string, Sample>>;

export class Metrics {
  readonly #threads = new Map<number, ThreadColumns>();
  readonly #registry = new Registry();
  readonly #counters = new Map<MetricName, Counter>();
  readonly #gauges = new Map<MetricName, Gauge>();

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
    for (const name of Object.keys(METRICS) as MetricName[]) {
      const spec: MetricSpec = metricSpec(name);
      if (COLUMN_METRICS.has(name)) continue;
      const config = { name, help: spec.help, labelNames: [...spec.labels], registers: [this.#registry] };
      if (spec.type === 'counter') this.#counters.set(name, new Counter(config));
      else this.#gauges.set(name, new Gauge(config));
    }
  }

  /** A counter of the process itself. */
  count(name: MetricName, labels: Labels = {}, amount = 1): void {
    this.#counters.get(name)?.inc({ ...labels }, amount);
  }

  /** A gauge of the process itself. */
  gauge(name: MetricName, labels: Labels, value: number): void {
    this.#gauges.get(name)?.set({ ...labels }, value);
  }

  /** Forgets a gauge’s label sets, before new ones are set. */
  clearGauge(name: MetricName): void {
    this.#gauges.get(name)?.reset();
  }

  /** @param thread unique over restarts: a dead thread’s counts stay in the sums */
  addBlock(thread: number, index: number, buffer: SharedArrayBuffer): void {
    this.#columns(thread).blocks[index] = new Float64Array(buffer);
  }

  addSeries(thread: number, series: SeriesDescriptor): void {
    this.#columns(thread).series.set(series.id, series);
  }

  releaseSeries(thread: number, id: number): void {
    this.#columns(thread).series.delete(id);
  }

  /**
   * Sum of one metric’s first value over all label sets that `accept` takes. Goes back when series are released: what
   * must only grow is counted in metrics whose series are not.
   */
  total(name: MetricName, accept: (labels: Labels) => boolean = () => true): number {
    let sum = 0;
    for (const { series, blocks } of this.#threads.values()) {
      for (const s of series.values()) {
        if (s.metric === name && accept(s.labels)) sum += blocks[s.block]?.[s.offset] ?? 0;
      }
    }
    return sum;
  }

  /** Prometheus text format. */
  async render(): Promise<string> {
    const columns = AggregatorRegistry.aggregate([columnMetrics(this.#sum())]);
    return `${await this.#registry.metrics()}\n${await columns.metrics()}`;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #columns(thread: number): ThreadColumns {
    let columns = this.#threads.get(thread);
    if (columns === undefined) {
      columns = { blocks: [], series: new Map() };
      this.#threads.set(thread, columns);
    }
    return columns;
  }

  #sum(): Summed {
    const summed: Summed = new Map();
    for (const { series, blocks } of this.#threads.values()) {
      for (const s of series.values()) {
        const slots = blocks[s.block];
        if (slots === undefined) continue;
        addSample(summed, s, slots);
      }
    }
    return summed;
  }
}

/** Metrics whose labels only the request path knows. */
const COLUMN_METRICS: ReadonlySet<MetricName> = new Set([
  'proxy_requests_total',
  'proxy_responses_total',
  'proxy_connections_refused_total',
  'proxy_request_duration_seconds',
  'proxy_request_size_bytes',
  'proxy_response_size_bytes',
  'proxy_upstream_requests_total',
  'proxy_upstream_duration_seconds',
  'proxy_metric_series_dropped_total',
]);

function addSample(summed: Summed, series: SeriesDescriptor, slots: Float64Array): void {
  const width = seriesWidth(series.metric);
  let samples = summed.get(series.metric);
  if (samples === undefined) {
    samples = new Map();
    summed.set(series.metric, samples);
  }
  const key = Object.values(series.labels).join('\n');
  const sample = samples.get(key);
  const values = slots.subarray(series.offset, series.offset + width);
  if (sample === undefined) samples.set(key, { labels: series.labels, values: [...values] });
  else for (let i = 0; i < width; i += 1) sample.values[i] = (sample.values[i] ?? 0) + (values[i] ?? 0);
}

/** In the form that prom-client’s own cluster workers send. */
function columnMetrics(summed: Summed): object[] {
  return [...summed].map(([name, samples]) => {
    const spec = metricSpec(name);
    const values = [...samples.values()].flatMap((s) =>
      spec.buckets === undefined
        ? [{ labels: s.labels, value: s.values[0] ?? 0 }]
        : histogramValues(name, s, spec.buckets),
    );
    return { name, help: spec.help, type: spec.type, aggregator: 'sum', values };
  });
}

function histogramValues(name: string, sample: Sample, bounds: readonly number[]): object[] {
  const values: object[] = [];
  let count = 0;
  for (const [i, bound] of [...bounds, '+Inf'].entries()) {
    count += sample.values[i] ?? 0;
    values.push({ labels: { ...sample.labels, le: bound }, value: count, metricName: `${name}_bucket` });
  }
  values.push({ labels: sample.labels, value: sample.values[bounds.length + 1] ?? 0, metricName: `${name}_sum` });
  values.push({ labels: sample.labels, value: count, metricName: `${name}_count` });
  return values;
}
