import { messageOf } from '../errors.js';
import { createProbe } from '../model/probe.js';
import { pathOn } from '../net/address.js';
import { ask } from './ask.js';
import { judgeCommand } from './command.js';
import { type Check, type Found, ok, type Subject, warning } from './finding.js';

/**
 * Whether the model server is there. It may come later, so that it is not is no more than a warning. Where the
 * worker runs it, it must not be there yet, but the program that it is started with must.
 */
export const model: Check = {
  name: 'model',
  async look({ backend, config, env }, signal) {
    const server = backend?.model ?? null;
    if (server === null) return [ok('there is no model server')];
    const url = pathOn(server.url, server.health ?? '/');
    if (server.command !== null) {
      return Promise.all([judgeCommand(server.command, env, signal), judgePlace(url, config, signal)]);
    }
    try {
      await askOnce(url, server.health, config, signal);
      return [ok(`${url} answers`)];
    } catch (error) {
      const change =
        server.health === null
          ? 'start the model server, or let MODEL_SERVER_URL name the one that runs'
          : 'start the model server or wait until it has loaded; if it is well, correct MODEL_SERVER_URL and MODEL_HEALTH_ENDPOINT';
      return [warning(`${url} is not well: ${messageOf(error)}`, change)];
    }
  },
};

/** Of a server without a health route any answer will do. */
async function askOnce(
  url: string,
  health: string | null,
  { healthTimeoutMs: timeoutMs }: Subject['config'],
  signal: AbortSignal,
): Promise<void> {
  if (health === null) {
    await ask(url, timeoutMs, signal);
    return;
  }
  const probe = createProbe({ url, timeoutMs });
  await probe.once(signal).finally(() => probe.close());
}

/** What answers before the worker has started its model server is another one. */
async function judgePlace(
  url: string,
  { healthTimeoutMs }: Subject['config'],
  signal: AbortSignal,
): Promise<Found> {
  const isTaken = await ask(url, healthTimeoutMs, signal).then(
    () => true,
    () => false,
  );
  if (!isTaken) return ok(`the worker starts the model server, and nothing answers at ${url} yet`);
  return warning(
    `the worker is to start the model server, but something answers at ${url} already`,
    'end that server, unless a worker that runs now has started it; or unset TSWORKER_MODEL_COMMAND, and the worker takes the one that runs',
  );
}
