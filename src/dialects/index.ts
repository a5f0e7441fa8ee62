import type { Dialect } from './dialect.js';
import { legacy } from './legacy/report.js';

/** Every dialect that a worker can speak, by name. */
export const dialects = { legacy } as const satisfies Record<string, Dialect>;
