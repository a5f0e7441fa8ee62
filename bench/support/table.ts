import type { Goal, Row } from './rows.js';
import type { Target } from './stand.js';
import { groupsOf } from './stats.js';

const NAMES: Readonly<Record<Target, string>> = {
  upstream: 'upstream alone',
  bare: 'bare relay',
  unsecured: 'worker, unsecured',
  secured: 'worker, signatures checked',
};

const HEAD = [
  'server',
  'requests/s',
  'events/s',
  'p50 ms',
  'p99 ms',
  'added p50',
  'CPU µs/request',
  'generator',
  'ratio',
  'min … quartiles … max',
];

const KINDS = { json: 'JSON answers of 1 KB', stream: 'streams of 200 events' } as const;

/** The rows as tables in Markdown, one for each load. */
export function tablesOf(rows: readonly Row[]): string {
  const groups = groupsOf(rows, ({ kind, connections }) => `${KINDS[kind]}, ${connectionsOf(connections)}`);
  return [...groups].map(([title, group]) => `${title}\n\n${tableOf(group.map(cellsOf))}`).join('\n\n');
}

export function goalsText(goals: readonly Goal[]): string {
  return goals
    .map(
      ({ what, value, goal, met }) =>
        `${met ? 'met    ' : 'NOT MET'}  ${what}: ${value.toFixed(2)} (${goal})`,
    )
    .join('\n');
}

function connectionsOf(count: number): string {
  return count === 1 ? '1 connection' : `${count} connections`;
}

function cellsOf(row: Row): string[] {
  const { min, lowerQuartile, median, upperQuartile, max } = row.ratio;
  return [
    NAMES[row.target],
    whole(row.requestsPerSecond),
    row.eventsPerSecond === null ? '' : whole(row.eventsPerSecond),
    ms(row.p50Ms),
    ms(row.p99Ms),
    ms(row.addedP50Ms),
    whole(row.cpuMicros),
    `${whole(row.generatorShare * 100)} %`,
    median.toFixed(2),
    `${min.toFixed(2)} … ${lowerQuartile.toFixed(2)}–${upperQuartile.toFixed(2)} … ${max.toFixed(2)}`,
  ];
}

function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = HEAD.map((name, column) =>
    Math.max(name.length, ...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(HEAD), rule, ...rows.map(line)].join('\n');
}

function whole(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** Where no answer ended there is none. */
function ms(value: number): string {
  return Number.isNaN(value) ? '–' : value.toFixed(2);
}
