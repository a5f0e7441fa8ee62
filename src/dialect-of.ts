import type { Backend } from './backend/index.js';
import type { Dialect } from './dialects/dialect.js';
import { dialectFor } from './dialects/index.js';

/** What a backend speaks; null: it reports to nobody. */
export function dialectOf({ dialect, model, legacyLoad, legacyCapacity }: Backend): Dialect | null {
  if (dialect === 'none') return null;
  return dialectFor({
    name: dialect,
    hasModel: model !== null,
    loadForm: legacyLoad,
    tellsCapacity: legacyCapacity,
  });
}
