import { type ClientErrorCode, ServerlessError } from '../client/index.js';
import { EXIT, UserError } from './exit.js';

/** What to do where the client's own advice names what is an option here. */
const ADVICE: Partial<Record<ClientErrorCode, string>> = {
  unauthorized: 'Give the API key of the endpoint: set TSWORKER_API_KEY, or --api-key.',
  no_such_endpoint: 'Check the name of the endpoint, and that the API key is that of its owner.',
  autoscaler_lost: 'Check --autoscaler, and that an autoscaler runs there.',
  no_worker: 'Raise --timeout, or keep workers ready: the endpoint has none that is.',
  worker_failed: 'Look at the log of the worker: it answered with errors each time.',
  timeout: 'Raise --timeout, or send less work at once.',
};

/** What the client failed with, in words for who sits at the command line; anything else stays what it is. */
export function asUserError(thrown: unknown): unknown {
  if (!(thrown instanceof ServerlessError)) return thrown;
  const { code, what, advice } = thrown;
  if (code === 'invalid_option') return new UserError(what);
  return new UserError(`${what} ${ADVICE[code] ?? advice}`, EXIT.failed.code);
}
