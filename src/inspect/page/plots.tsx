import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Sample } from '../contract.js';
import { figure, timeOf } from './words.js';

interface Plot {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly { readonly name: string; readonly of: (sample: Sample) => number | null }[];
}

/** Colours that people who see few can tell apart too: those of `--plot-1` and `--plot-2`. */
const PLOTS: readonly Plot[] = [
  {
    title: 'Work',
    unit: 'units',
    lines: [
      { name: 'inside', of: ({ load }) => load },
      { name: 'served each second', of: ({ served }) => served },
    ],
  },
  {
    title: 'Requests',
    unit: '',
    lines: [
      { name: 'under way', of: ({ inFlight }) => inFlight },
      { name: 'waiting', of: ({ queued }) => queued },
    ],
  },
  {
    title: 'Latency',
    unit: 'ms',
    lines: [
      { name: 'median', of: ({ latencyP50Ms }) => latencyP50Ms },
      { name: '99 %', of: ({ latencyP99Ms }) => latencyP99Ms },
    ],
  },
  {
    title: 'Time to first byte',
    unit: 'ms',
    lines: [{ name: 'median', of: ({ firstByteP50Ms }) => firstByteP50Ms }],
  },
  {
    title: 'Since the last acknowledged report',
    unit: 's',
    lines: [{ name: 'age', of: ({ reportLagMs }) => (reportLagMs === null ? null : reportLagMs / 1_000) }],
  },
  {
    title: 'Memory',
    unit: 'MiB',
    lines: [
      { name: 'resident', of: ({ rssMib }) => rssMib },
      { name: 'heap', of: ({ heapMib }) => heapMib },
    ],
  },
  {
    title: 'Event-loop lag',
    unit: 'ms',
    lines: [{ name: 'worst', of: ({ eventLoopLagMs }) => eventLoopLagMs }],
  },
];

/** The last hour. */
export function Plots({ samples }: { readonly samples: readonly Sample[] }) {
  return (
    <section class="card" aria-labelledby="plots-title">
      <h2 id="plots-title">The last hour</h2>
      {samples.length === 0 ? (
        <p class="empty">No second has been measured yet.</p>
      ) : (
        <div class="plots">
          {PLOTS.map((plot) => (
            <Figure key={plot.title} plot={plot} samples={samples} />
          ))}
        </div>
      )}
    </section>
  );
}

const HEIGHT = 130;

function Figure({ plot, samples }: { readonly plot: Plot; readonly samples: readonly Sample[] }) {
  const place = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot | null>(null);
  useEffect(() => {
    if (place.current === null) return;
    const chart = new uPlot(optionsOf(plot, place.current), [[]], place.current);
    drawn.current = chart;
    const sizes = new ResizeObserver(([entry]) => {
      if (entry !== undefined) chart.setSize({ width: entry.contentRect.width, height: HEIGHT });
    });
    sizes.observe(place.current);
    return () => {
      sizes.disconnect();
      chart.destroy();
    };
  }, [plot]);
  useEffect(() => {
    drawn.current?.setData([
      samples.map(({ atMs }) => atMs / 1_000),
      ...plot.lines.map(({ of }) => samples.map(of)),
    ] as uPlot.AlignedData);
  }, [samples, plot]);
  const last = samples.at(-1);
  return (
    <figure class="plot">
      <figcaption>
        <span class="plot-title">{plot.title}</span>
        {plot.lines.map(({ name, of }, index) => (
          <span key={name} class={`series series-${index + 1}`}>
            {name} <strong>{last === undefined ? '–' : figure(of(last))}</strong> {plot.unit}
          </span>
        ))}
      </figcaption>
      <div ref={place} aria-hidden="true" />
    </figure>
  );
}

function optionsOf({ lines }: Plot, place: Element): uPlot.Options {
  const style = getComputedStyle(place);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: () => colour('--muted'),
    grid: { stroke: () => colour('--line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  return {
    width: Math.max(200, place.clientWidth),
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(high, 1) * 1.1] } },
    axes: [
      {
        ...axis,
        space: 80,
        size: 24,
        values: (_plot, ticks) => ticks.map((tick) => timeOf(tick * 1_000).slice(0, 8)),
      },
      { ...axis, size: 46, space: 28, values: (_plot, ticks) => ticks.map((tick) => figure(tick)) },
    ],
    series: [
      {},
      ...lines.map(
        (_line, index): uPlot.Series => ({
          stroke: () => colour(`--plot-${index + 1}`),
          width: 1.75,
          points: { show: false, filter: alone, size: 5 },
        }),
      ),
    ],
  };
}

/** Where nothing was measured before and after there is no line, but a point. */
function alone({ data }: uPlot, series: number): number[] | null {
  const values = data[series] ?? [];
  const isNone = (index: number) => values[index] == null;
  return [...values.keys()].filter((index) => !isNone(index) && isNone(index - 1) && isNone(index + 1));
}
