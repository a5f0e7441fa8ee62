import { pathOn } from '../net/address.js';
import { ask } from './ask.js';
import { type Check, type Found, fatal, ok, warning } from './finding.js';

/** A `Date` is cut to seconds, and the answer took its time. */
const WARNING_SECONDS = 10;
const FATAL_SECONDS = 300;

/** How far the clock is from the autoscaler's. */
export const clock: Check = {
  name: 'clock',
  async look({ config, reports }, signal) {
    if (!reports) return [ok('there is no autoscaler to compare it with')];
    const answers = await Promise.all(
      config.reportAddresses.map((address) =>
        ask(pathOn(address, '/pubkey/'), config.reportTimeoutMs, signal).catch(() => null),
      ),
    );
    const answer = answers.find((each) => each !== null && each.dateMs !== null);
    if (answer?.dateMs == null) return [ok('no autoscaler says what time it is, so it was not compared')];
    return [judgeSkew((answer.askedAtMs - answer.dateMs) / 1000)];
  },
};

/** @param seconds how far this clock is ahead */
export function judgeSkew(seconds: number): Found {
  const off = Math.abs(Math.round(seconds));
  const found = `this clock is ${off} s ${seconds < 0 ? 'behind' : 'ahead of'} the autoscaler's`;
  const change =
    'set the clock, as "timedatectl set-ntp true" or "chronyc makestep" do; on a rented machine that is for its host to do';
  if (off >= FATAL_SECONDS) return fatal(found, change);
  return off >= WARNING_SECONDS ? warning(found, change) : ok("it agrees with the autoscaler's");
}
