import { choice } from '../../config/types.js';
import { machines } from '../../graph/machines.js';
import { toMermaid } from '../../graph/mermaid.js';
import { UserError } from '../exit.js';
import { parseOption } from '../options.js';

const FORMAT = choice(['mermaid', 'json']);

/** A machine as text: mermaid, or its definition as JSON. */
export function graph(name: string, format: string): string {
  const machine = Object.hasOwn(machines, name) ? machines[name] : undefined;
  if (machine === undefined) {
    throw new UserError(`unknown machine "${name}"; it takes ${Object.keys(machines).join(', ')}.`);
  }
  const asJson = parseOption('--format', format, FORMAT) === 'json';
  return asJson ? `${JSON.stringify(machine.definition, null, 2)}\n` : toMermaid(machine);
}
