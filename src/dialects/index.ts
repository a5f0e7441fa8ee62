import { current } from './current/report.js';
import type { Dialect } from './dialect.js';
import { type LoadForm, legacyWithModel } from './legacy/data.js';
import { legacy } from './legacy/report.js';

export interface DialectChoice {
  readonly name: 'legacy' | 'current';
  readonly hasModel: boolean;
  readonly loadForm: LoadForm;
}

/** The dialect that a worker speaks. */
export function dialectFor({ name, hasModel, loadForm }: DialectChoice): Dialect {
  if (name === 'current') return current;
  return hasModel ? legacyWithModel(loadForm) : legacy;
}

/** What a worker would speak that speaks to nobody. */
export const NOBODY: Dialect = legacy;
