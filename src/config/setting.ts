import type { SettingType } from './types.js';

export interface Setting<T = unknown> {
  readonly variable: string;
  /** The variable's older name, read when the variable itself is not set. */
  readonly legacyVariable?: string;
  /** Command line option that sets it, over the environment. */
  readonly option?: string;
  readonly type: SettingType<T>;
  /** As it would stand in the environment; undefined: there is none. */
  readonly fallback?: string;
  /** What holds where there is no fallback, for the documentation. */
  readonly otherwise?: string;
  readonly secret?: boolean;
  readonly about: string;
}
