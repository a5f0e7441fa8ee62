import { X509Certificate } from 'node:crypto';
import { messageOf } from '../errors.js';
import { readTls } from '../http/tls.js';
import { type Check, type Found, fatal, ok, warning } from './finding.js';

const DAY_MS = 86_400_000;
const WARNING_DAYS = 7;
const RENEW =
  'put a renewed certificate and its key where TSWORKER_TLS_CERT and TSWORKER_TLS_KEY name them; a worker that runs takes them up by itself';

/** Whether the certificate can be used, and for how long. */
export const certificate: Check = {
  name: 'certificate',
  async look({ config }) {
    if (!config.useTls) return [ok('clients are served without TLS')];
    const change =
      'let TSWORKER_TLS_CERT and TSWORKER_TLS_KEY name a certificate and its key, or set USE_SSL=false';
    try {
      const { validFromDate, validToDate } = datesOf(new X509Certificate((await readTls(config)).cert));
      return [judgeDates(validFromDate, validToDate, Date.now())];
    } catch (error) {
      return [fatal(messageOf(error), change)];
    }
  },
};

/** All in Unix ms. */
export function judgeDates(fromMs: number, toMs: number, nowMs: number): Found {
  const day = (atMs: number) => new Date(atMs).toISOString().slice(0, 10);
  if (nowMs < fromMs)
    return fatal(`it is not valid before ${day(fromMs)}`, 'set the clock, or take another certificate');
  if (nowMs >= toMs) return fatal(`it expired on ${day(toMs)}`, RENEW);
  const days = Math.floor((toMs - nowMs) / DAY_MS);
  const found = `it is valid until ${day(toMs)}, for ${days} days`;
  return days < WARNING_DAYS ? warning(found, RENEW) : ok(found);
}

function datesOf({ validFrom, validTo }: X509Certificate) {
  return { validFromDate: Date.parse(validFrom), validToDate: Date.parse(validTo) };
}
