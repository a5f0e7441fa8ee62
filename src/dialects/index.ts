import { current } from './current/report.js';
import type { Dialect } from './dialect.js';
import { type LegacyForm, legacyWithModel } from './legacy/data.js';
import { legacy } from './legacy/report.js';

export interface DialectChoice extends LegacyForm {
  readonly name: 'legacy' | 'current';
  readonly hasModel: boolean;
}

/** The dialect that a worker speaks. */
export function dialectFor({ name, hasModel, ...form }: DialectChoice): Dialect {
  if (name === 'current') return current;
  return hasModel ? legacyWithModel(form) : legacy;
}

/** What a worker would speak that speaks to nobody. */
export const NOBODY: Dialect = legacy;
