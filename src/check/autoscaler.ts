import { messageOf } from '../errors.js';
import { pathOn } from '../net/address.js';
import { ask } from './ask.js';
import { type Check, fatal, ok, warning } from './finding.js';

/** Whether each address of the autoscaler answers. One that does is enough. */
export const autoscaler: Check = {
  name: 'autoscaler',
  async look({ config, reports }, signal) {
    if (!reports) return [ok('this backend reports to nobody')];
    const answers = await Promise.all(
      config.reportAddresses.map((address) =>
        ask(pathOn(address, '/pubkey/'), config.reportTimeoutMs, signal).then(
          () => ok(`${address} answers`),
          (error: unknown) => warning(`${address} does not answer: ${messageOf(error)}`, changeFor(address)),
        ),
      ),
    );
    if (answers.some(({ level }) => level === 'ok')) return answers;
    return answers.map(({ found, change }) => fatal(found, change ?? ''));
  },
};

function changeFor(address: string): string {
  return `correct REPORT_ADDR; if it is right, see why this machine does not get there: "curl -v ${pathOn(address, '/pubkey/')}"`;
}
