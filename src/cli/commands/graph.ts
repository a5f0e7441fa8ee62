import { basename } from 'node:path';
import { choice } from '../../config/types.js';
import type { Statechart } from '../../graph/chart.js';
import { toConfigJson } from '../../graph/config.js';
import { highlight } from '../../graph/highlight.js';
import { layoutOf } from '../../graph/layouts.js';
import { machines } from '../../graph/machines.js';
import { toMermaid } from '../../graph/mermaid.js';
import { statechartOf } from '../../graph/statechart.js';
import { type DrawingOptions, toSvg } from '../../graph/svg.js';
import { UserError } from '../exit.js';
import { parseOption } from '../options.js';
import { readTaken } from '../read-taken.js';

const FORMAT = choice(['mermaid', 'svg', 'json']);

/** A machine as text: mermaid, a drawing, or its config as JSON. A recording marks in the drawing what it took. */
export function graph(name: string, format: string, recording?: string): string {
  const machine = Object.hasOwn(machines, name) ? machines[name] : undefined;
  if (machine === undefined) {
    throw new UserError(`unknown machine "${name}"; it takes ${Object.keys(machines).join(', ')}.`);
  }
  const as = parseOption('--format', format, FORMAT);
  if (recording !== undefined && as !== 'svg') {
    throw new UserError('only a drawing can be highlighted: --highlight goes with --format svg.');
  }
  if (as === 'json') return toConfigJson(machine);
  if (as === 'mermaid') return toMermaid(machine);
  const chart = statechartOf(machine, name);
  return toSvg(chart, layoutOf(name), recording === undefined ? {} : marksOf(chart, recording));
}

function marksOf(chart: Statechart, recording: string): DrawingOptions {
  const title = `What ${basename(recording)} took of the ${chart.machine} machine`;
  return { ...highlight(chart, readTaken(recording, chart.machine)), title };
}
