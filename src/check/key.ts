import { createActor, toPromise } from 'xstate';
import { messageOf } from '../errors.js';
import { checkKey } from '../key-ring.js';
import { createFetchKey } from '../report/fetch-key.js';
import { createReportAgent } from '../report/post.js';
import { type Check, fatal, ok } from './finding.js';

/** Whether an address gives a public key that signatures can be checked with. */
export const key: Check = {
  name: 'key',
  async look({ config, needsKey }) {
    if (!needsKey) return [ok('requests need not be signed')];
    const { reportTimeoutMs: timeoutMs, reportAddresses } = config;
    const dispatcher = createReportAgent(timeoutMs);
    const fetchKey = createFetchKey({ timeoutMs, dispatcher, check: checkKey });
    const problems: string[] = [];
    try {
      for (const address of reportAddresses) {
        const actor = createActor(fetchKey, { input: { address } });
        // An actor whose error nobody hears throws it to the whole process.
        actor.subscribe({ error: () => {} });
        const fetched = toPromise(actor.start());
        const problem = await fetched.then(() => null, messageOf);
        if (problem === null) return [ok(`${address} gives a public key that can be used`)];
        problems.push(`${address}: ${problem}`);
      }
    } finally {
      await dispatcher.destroy();
    }
    return [
      fatal(
        `there is no public key (${problems.join('; ')})`,
        'let REPORT_ADDR name the autoscaler that signs the requests: its /pubkey/ must answer a public key in PEM',
      ),
    ];
  },
};
