import { backends } from '../../../backends/index.js';

/** The backends that come with the package: a line each, name first, or JSON. */
export function listBackends(json: boolean): string {
  const list = Object.entries(backends).map(([name, { description }]) => ({ name, description }));
  if (json) return `${JSON.stringify(list, null, 2)}\n`;
  const width = Math.max(...list.map(({ name }) => name.length));
  return list.map(({ name, description }) => `${name.padEnd(width)}  ${description}\n`).join('');
}
