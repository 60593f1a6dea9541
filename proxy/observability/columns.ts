/**
 * Metric columns: each thread counts in shared memory of its own, without locks; the main thread sums the threads at
 * scrape. A thread that dies leaves its counts behind.
 */
import { metricSpec, type MetricName } from './metricTable.ts';

/** Where the values of one series lie: one slot for a counter or gauge; buckets, +Inf and sum for a histogram. */
export interface SeriesDescriptor {
  readonly id: number;
  readonly metric: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly block: number;
  readonly offset: number;
}

/** Told to the main thread as they come up. */
export interface ColumnEvents {
  onBlock(index: number, buffer: SharedArrayBuffer): void;
  onSeries(series: SeriesDescriptor): void;
  onRelease(id: number): void;
}

/** Slots per block of shared memory: 64 KiB. */
const BLOCK_SLOTS = 8_192;

/** Slots that one series takes. */
export function seriesWidth(metric: MetricName): number {
  const buckets = metricSpec(metric).buckets;
  return buckets === undefined ? 1 : buckets.length + 2;
}

interface Place {
  readonly slots: Float64Array;
  readonly block: number;
  readonly offset: number;
}

/** A counter or gauge in a column. */
export class Cell {
  readonly id: number;
  readonly #slots: Float64Array;
  readonly #offset: number;
  constructor(id: number, place: Place) {
    this.id = id;
    this.#slots = place.slots;
    this.#offset = place.offset;
  }
  add(amount: number): void {
    this.#slots[this.#offset] = (this.#slots[this.#offset] ?? 0) + amount;
  }
  set(value: number): void {
    this.#slots[this.#offset] = value;
  }
}

/** A histogram in a column: counts per bucket (not cumulative until rendered), then the sum. */
export class HistogramCell {
  readonly id: number;
  readonly #slots: Float64Array;
  readonly #offset: number;
  readonly #bounds: readonly number[];
  constructor(id: number, place: Place, bounds: readonly number[]) {
    this.id = id;
    this.#slots = place.slots;
    this.#offset = place.offset;
    this.#bounds = bounds;
  }
  observe(value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
    const at = this.#offset + bucket;
    const sumAt = this.#offset + bounds.length + 1;
    this.#slots[at] = (this.#slots[at] ?? 0) + 1;
    this.#slots[sumAt] = (this.#slots[sumAt] ?? 0) + value;
  }
}

/** One thread’s columns: hands out cells, and says to the main thread where they are. */
export class ColumnWriter {
  readonly #events: ColumnEvents;
  /** Released places by width, for reuse. */
  readonly #free = new Map<number, Place[]>();
  readonly #places = new Map<number, { readonly place: Place; readonly width: number }>();
  #block: Float64Array = new Float64Array(0);
  #blockIndex = -1;
  #used = BLOCK_SLOTS;
  #nextId = 0;
  #series = 0;

  constructor(events: ColumnEvents) {
    this.#events = events;
  }

  /** Time series in use (a histogram counts as its buckets, +Inf, sum and count). */
  get series(): number {
    return this.#series;
  }

  counter(metric: MetricName, labels: Readonly<Record<string, string>>): Cell {
    const { id, place } = this.#allocate(metric, labels);
    return new Cell(id, place);
  }

  histogram(metric: MetricName, labels: Readonly<Record<string, string>>): HistogramCell {
    const { id, place } = this.#allocate(metric, labels);
    return new HistogramCell(id, place, metricSpec(metric).buckets ?? []);
  }

  /** Gives a series back; the caller must not write to its cell again. */
  release(id: number): void {
    const held = this.#places.get(id);
    if (held === undefined) return;
    this.#places.delete(id);
    this.#series -= renderedSeries(held.width);
    const list = this.#free.get(held.width);
    if (list === undefined) this.#free.set(held.width, [held.place]);
    else list.push(held.place);
    this.#events.onRelease(id);
  }

  #allocate(
    metric: MetricName,
    labels: Readonly<Record<string, string>>,
  ): { readonly id: number; readonly place: Place } {
    const width = seriesWidth(metric);
    const place = this.#free.get(width)?.pop() ?? this.#extend(width);
    place.slots.fill(0, place.offset, place.offset + width);
    const id = this.#nextId;
    this.#nextId += 1;
    this.#places.set(id, { place, width });
    this.#series += renderedSeries(width);
    this.#events.onSeries({ id, metric, labels, block: place.block, offset: place.offset });
    return { id, place };
  }

  #extend(width: number): Place {
    if (this.#used + width > BLOCK_SLOTS) {
      const buffer = new SharedArrayBuffer(BLOCK_SLOTS * Float64Array.BYTES_PER_ELEMENT);
      this.#block = new Float64Array(buffer);
      this.#blockIndex += 1;
      this.#used = 0;
      this.#events.onBlock(this.#blockIndex, buffer);
    }
    const place = { slots: this.#block, block: this.#blockIndex, offset: this.#used };
    this.#used += width;
    return place;
  }
}

/** Prometheus series that a width renders to. */
function renderedSeries(width: number): number {
  return width === 1 ? 1 : width + 1;
}
