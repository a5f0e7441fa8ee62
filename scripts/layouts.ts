import { layOut } from '../src/graph/layout.js';
import { machines } from '../src/graph/machines.js';
import { statechartOf } from '../src/graph/statechart.js';

/** The layouts of the machines, by file name below `src/graph/layouts/`. `npm run docs` writes them. */
export async function generatedLayouts(): Promise<Readonly<Record<string, string>>> {
  const layouts: Record<string, string> = {};
  for (const [name, machine] of Object.entries(machines)) {
    layouts[`${name}.json`] = `${JSON.stringify(await layOut(statechartOf(machine, name)))}\n`;
  }
  return layouts;
}
