import { messageOf } from '../errors.js';
import { createProbe } from '../model/probe.js';
import { pathOn } from '../net/address.js';
import { ask } from './ask.js';
import { type Check, ok, warning } from './finding.js';

/** Whether the model server is there. It may come later, so that it is not is no more than a warning. */
export const model: Check = {
  name: 'model',
  async look({ backend, config }, signal) {
    const server = backend?.model ?? null;
    if (server === null) return [ok('there is no model server')];
    const url = pathOn(server.url, server.health ?? '/');
    try {
      if (server.health === null) await ask(url, signal);
      else {
        const probe = createProbe({ url, timeoutMs: config.healthTimeoutMs });
        await probe.once(signal).finally(() => probe.close());
      }
      return [ok(`${url} answers`)];
    } catch (error) {
      const change = 'start the model server, or correct MODEL_SERVER_URL and MODEL_HEALTH_ENDPOINT';
      return [warning(`${url} is not well: ${messageOf(error)}`, change)];
    }
  },
};
