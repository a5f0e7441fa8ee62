import { statfs } from 'node:fs/promises';
import { type Check, type Found, fatal, ok, warning } from './finding.js';

const GIB = 2 ** 30;
const WARNING_GIB = 1;
const FATAL_GIB = 0.1;

/** How much space is free on `/`. */
export const disk: Check = {
  name: 'disk',
  async look() {
    const { bavail, bsize } = await statfs('/');
    return [judgeFree((bavail * bsize) / GIB)];
  },
};

export function judgeFree(gib: number): Found {
  const found = `${gib.toFixed(1)} GiB are free on /`;
  const change = 'make room, or rent a larger disk';
  if (gib < FATAL_GIB) return fatal(found, change);
  return gib < WARNING_GIB ? warning(found, change) : ok(found);
}
