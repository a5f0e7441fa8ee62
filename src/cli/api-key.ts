import { UserError } from './exit.js';
import type { Io } from './io.js';

/**
 * The API key of the endpoint: the one that is given, or that of the environment.
 *
 * @throws {UserError} when there is none
 */
export function apiKeyOf(given: string | undefined, { env }: Io): string {
  const apiKey = given ?? env.TSWORKER_API_KEY ?? '';
  if (apiKey !== '') return apiKey;
  throw new UserError(
    'no API key is given; set TSWORKER_API_KEY to the one that "tsworker dev" shows on a terminal, or was started with.',
  );
}
