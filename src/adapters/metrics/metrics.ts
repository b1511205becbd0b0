/** Metrics in Prometheus' text format, by prom-client. */

import type { Counter as PromCounter, Gauge as PromGauge } from 'prom-client';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

import type { EndedRequest, Measure, Metrics, Sample } from '../../ports/metrics.ts';

/** Who scrapes gives up after about ten seconds; a hanging source must not cost them the rest. */
const READ_TIMEOUT_MS = 2_000;

/** From small answers to uploads of hours. */
const DURATION_BUCKETS_SECONDS = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600, 3600];

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS']);

export interface MetricsOptions {
  readonly version: string;
  readonly measures: readonly Measure[];
  /** A measure that takes longer is left out; 2 s by default. */
  readonly readTimeoutMs?: number;
}

/** A registry of its own; `measures` are read at each scrape. */
export function createMetrics(options: MetricsOptions): Metrics {
  const { version, measures, readTimeoutMs = READ_TIMEOUT_MS } = options;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const build = new Gauge({
    name: 'batchwright_build_info',
    help: 'Always 1; the label says which version runs.',
    labelNames: ['version'],
    registers: [registry],
  });
  build.set({ version }, 1);
  const unread = new Counter({
    name: 'batchwright_unread_measures_total',
    help: 'Measures that could not be read when somebody asked for them.',
    labelNames: ['measure'],
    registers: [registry],
  });
  const read = (measure: Measure) => samplesOf(measure, unread, readTimeoutMs);
  for (const measure of measures) register(measure, registry, read);
  return {
    requestEnded: requestsIn(registry),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}

type Read = (measure: Measure) => Promise<readonly Sample[]>;

function register(measure: Measure, registry: Registry, read: Read): void {
  const { name, help, kind } = measure;
  const common = { name, help, labelNames: [...measure.labels], registers: [] };
  if (kind === 'gauge') {
    const collect = async function (this: PromGauge): Promise<void> {
      const samples = await read(measure);
      empty(this, measure);
      for (const { labels, value } of samples) this.set(labels, value);
    };
    registry.registerMetric(new Gauge({ ...common, collect }));
    return;
  }
  const collect = async function (this: PromCounter): Promise<void> {
    const samples = await read(measure);
    empty(this, measure);
    for (const { labels, value } of samples) this.inc(labels, value);
  };
  registry.registerMetric(new Counter({ ...common, collect }));
}

/** Without labels a reset leaves a zero, and what is unknown is not zero. */
function empty(metric: PromGauge | PromCounter, { labels }: Measure): void {
  metric.reset();
  if (labels.length === 0) metric.remove();
}

async function samplesOf(
  measure: Measure,
  unread: PromCounter,
  timeoutMs: number,
): Promise<readonly Sample[]> {
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(() => late.reject(new Error('too late')), timeoutMs);
  try {
    return (await Promise.race([measure.read(), late.promise])) ?? [];
  } catch {
    unread.inc({ measure: measure.name });
    return [];
  } finally {
    clearTimeout(timer);
  }
}

function requestsIn(registry: Registry): (request: EndedRequest) => void {
  const registers = [registry];
  const ended = new Counter({
    name: 'batchwright_http_requests_total',
    help: 'HTTP requests that are over, by the pattern of their path.',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const durations = new Histogram({
    name: 'batchwright_http_request_duration_seconds',
    help: 'From the first byte of a request to the last byte of its answer.',
    labelNames: ['method', 'route'],
    buckets: DURATION_BUCKETS_SECONDS,
    registers,
  });
  const bytes = new Counter({
    name: 'batchwright_http_bytes_total',
    help: 'Bytes on the wire, headers included.',
    labelNames: ['direction'],
    registers,
  });
  return ({ route, status, seconds, receivedBytes, sentBytes, ...request }) => {
    // Anybody can invent methods, and each would be a series.
    const method = METHODS.has(request.method) ? request.method : 'other';
    ended.inc({ method, route, status: String(status) });
    durations.observe({ method, route }, seconds);
    bytes.inc({ direction: 'received' }, receivedBytes);
    bytes.inc({ direction: 'sent' }, sentBytes);
  };
}
