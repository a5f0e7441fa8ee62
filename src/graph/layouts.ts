import { readFileSync } from 'node:fs';
import type { Layout } from './chart.js';

/** The layout of one of this project's own machines. They are made by `npm run docs`, never at run time. */
export function layoutOf(machine: string): Layout {
  return JSON.parse(readFileSync(new URL(`./layouts/${machine}.json`, import.meta.url), 'utf8'));
}
