import { createActor, toPromise } from 'xstate';
import { messageOf } from '../errors.js';
import { checkKey } from '../key-ring.js';
import { createFetchKey } from '../report/fetch-key.js';
import { createReportAgent } from '../report/post.js';
import { LONGEST_MS } from './ask.js';
import { type Check, fatal, ok } from './finding.js';

/** Whether an address gives a public key that signatures can be checked with. */
export const key: Check = {
  name: 'key',
  async look({ config, needsKey }) {
    if (!needsKey) return [ok('requests need not be signed')];
    const timeoutMs = Math.min(config.reportTimeoutMs, LONGEST_MS);
    const dispatcher = createReportAgent(timeoutMs);
    const fetchKey = createFetchKey({ timeoutMs, dispatcher, check: checkKey });
    // Side by side: one that says nothing must not take the time of the others.
    const tried = await Promise.all(
      config.reportAddresses.map(async (address) => {
        const actor = createActor(fetchKey, { input: { address } });
        // An actor whose error nobody hears throws it to the whole process.
        actor.subscribe({ error: () => {} });
        const problem = await toPromise(actor.start()).then(() => null, messageOf);
        return { address, problem };
      }),
    ).finally(() => dispatcher.destroy());
    const usable = tried.find(({ problem }) => problem === null);
    if (usable !== undefined) return [ok(`${usable.address} gives a public key that can be used`)];
    const problems = tried.map(({ address, problem }) => `${address}: ${problem}`);
    return [
      fatal(
        `there is no public key (${problems.join('; ')})`,
        'let REPORT_ADDR name the autoscaler that signs the requests: its /pubkey/ must answer a public key in PEM',
      ),
    ];
  },
};
