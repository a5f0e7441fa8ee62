import type { Config } from './config/index.js';
import type { Dialect } from './dialects/dialect.js';

/** Whether every request must be signed, and the public key be there before the first. Null: nobody signs. */
export function mustBeSigned(
  dialect: Dialect | null,
  { unsecured, requireSignature }: Pick<Config, 'unsecured' | 'requireSignature'>,
): boolean {
  return dialect !== null && !unsecured && (dialect.tellsRequests || requireSignature);
}
