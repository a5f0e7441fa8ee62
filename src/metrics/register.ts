import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { METRICS, type MetricName, type MetricRow } from './table.js';

/** A value, and by what it is told apart from the others of its metric. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

export type HistogramName = {
  [N in MetricName]: (typeof METRICS)[N]['type'] extends 'histogram' ? N : never;
}[MetricName];

/** What every metric that is no histogram reads at one moment; a number alone where there is one value. */
export type Readings = Readonly<Record<Exclude<MetricName, HistogramName>, number | readonly Sample[]>>;

/** Registers all that is no histogram. Answers the function that sets what they read. */
export function registerReadings(registry: Registry): (readings: Readings) => void {
  const setters = new Map(
    Object.entries<MetricRow>(METRICS)
      .filter(([, { type }]) => type !== 'histogram')
      .map(([name, row]) => [name, setterOf(row, registry)]),
  );
  return (readings) => {
    for (const [name, reading] of Object.entries(readings)) {
      setters.get(name)?.(typeof reading === 'number' ? [[{}, reading]] : reading);
    }
  };
}

/** Registers a histogram that has the label `route`, at zero for each. Answers how to observe, by route. */
export function registerHistogram(name: HistogramName, routes: Iterable<string>, registry: Registry) {
  const { name: metric, help, labels, buckets } = METRICS[name];
  const histogram = new Histogram({
    name: metric,
    help,
    labelNames: [...labels],
    buckets: [...buckets],
    registers: [registry],
  });
  return new Map(
    Array.from(routes, (route) => {
      histogram.zero({ route });
      return [route, histogram.labels(route)] as const;
    }),
  );
}

function setterOf({ type, name, help, labels }: MetricRow, registry: Registry) {
  const options = { name, help, labelNames: [...labels], registers: [registry] };
  // The sums are kept where they arise, and only shown here: nothing is hashed while a request is under way.
  const metric = type === 'counter' ? new Counter(options) : new Gauge(options);
  return (samples: readonly Sample[]) => {
    metric.reset();
    for (const [of, value] of samples) metric.inc(of, value);
  };
}
