import { lifecycleMachine } from '../machines/lifecycle.js';
import { layOut } from '../src/graph/layout.js';
import { layoutOf } from '../src/graph/layouts.js';
import { machines } from '../src/graph/machines.js';
import { outlineOf } from '../src/graph/outline.js';
import { statechartOf } from '../src/graph/statechart.js';
import { toSvg } from '../src/graph/svg.js';

/** The layouts of the machines, by file name below `src/graph/layouts/`. `npm run docs` writes them. */
export async function generatedLayouts(): Promise<Readonly<Record<string, string>>> {
  const layouts: Record<string, string> = {};
  for (const [name, machine] of Object.entries(machines)) {
    layouts[`${name}.json`] = `${JSON.stringify(await layOut(statechartOf(machine, name)))}\n`;
  }
  return layouts;
}

/** What the page of the local autoscaler draws of each worker, by file name below `src/autoscaler/page/`. */
export async function generatedOutlines(): Promise<Readonly<Record<string, string>>> {
  const chart = outlineOf(statechartOf(lifecycleMachine, 'lifecycle'), 'work');
  return {
    'lifecycle.json': `${JSON.stringify({ chart, layout: await layOut(chart, { labels: false }) })}\n`,
  };
}

/** The drawings of the machines in docs/, from the layouts that there are. */
export function generatedDrawings(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(machines).map(([name, machine]) => [
      `${name}.svg`,
      toSvg(statechartOf(machine, name), layoutOf(name)),
    ]),
  );
}
