import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { certificate, judgeDates } from '../../src/check/certificate.js';
import { readConfig } from '../../src/config/index.js';
import { makeCertificate } from '../support/certificates.js';
import { temporaryFolder } from '../support/worker-program.js';

const DAY_MS = 86_400_000;
const RENEW =
  'put a renewed certificate and its key where TSWORKER_TLS_CERT and TSWORKER_TLS_KEY name them; a worker that runs takes them up by itself';
const NAME =
  'let TSWORKER_TLS_CERT and TSWORKER_TLS_KEY name a certificate and its key, or set USE_SSL=false';

async function look(cert: string, key: string) {
  const result = readConfig({ USE_SSL: 'true', TSWORKER_TLS_CERT: cert, TSWORKER_TLS_KEY: key });
  if (!result.ok) throw new Error(result.problems.join('\n'));
  const subject = { config: result.config, backend: null, reports: false, needsKey: false, env: {} };
  return certificate.look(subject, new AbortController().signal);
}

const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);

describe('a certificate of the machine', () => {
  const nowMs = Date.now();
  const made = (fromDays: number, toDays: number) =>
    makeCertificate(temporaryFolder(), 'instance', nowMs + fromDays * DAY_MS, nowMs + toDays * DAY_MS);

  it('that is valid for long is well', async () => {
    const { cert, key } = made(-1, 30.5);
    const found = `it is valid until ${day(nowMs + 30.5 * DAY_MS)}, for 30 days`;
    expect(await look(cert, key)).toEqual([{ level: 'ok', found, change: null }]);
  });

  it('that soon expires is a warning', async () => {
    const { cert, key } = made(-1, 2.5);
    const found = `it is valid until ${day(nowMs + 2.5 * DAY_MS)}, for 2 days`;
    expect(await look(cert, key)).toEqual([{ level: 'warning', found, change: RENEW }]);
  });

  it('that has expired is fatal', async () => {
    const { cert, key } = made(-30, -1);
    const found = `it expired on ${day(nowMs - DAY_MS)}`;
    expect(await look(cert, key)).toEqual([{ level: 'fatal', found, change: RENEW }]);
  });

  it('that is not valid yet is fatal', async () => {
    const { cert, key } = made(1, 30);
    const found = `it is not valid before ${day(nowMs + DAY_MS)}`;
    const change = 'set the clock, or take another certificate';
    expect(await look(cert, key)).toEqual([{ level: 'fatal', found, change }]);
  });

  it('with the key of another is fatal', async () => {
    const { cert, key } = { ...made(-1, 30), key: made(-1, 30).key };
    const found = expect.stringMatching(/^USE_SSL is true, but .*key values mismatch/);
    expect(await look(cert, key)).toEqual([{ level: 'fatal', found, change: NAME }]);
  });

  it('that is none, or is missing, is fatal', async () => {
    const { key } = made(-1, 30);
    const none = join(temporaryFolder(), 'none.crt');
    const missing = expect.stringMatching(/^USE_SSL is true, but .*ENOENT/);
    expect(await look(none, key)).toEqual([{ level: 'fatal', found: missing, change: NAME }]);
    writeFileSync(none, 'no certificate');
    const unusable = expect.stringMatching(/^USE_SSL is true, but the certificate can not be used: /);
    expect(await look(none, key)).toEqual([{ level: 'fatal', found: unusable, change: NAME }]);
  });
});

it.each([
  [-1, 'fatal'],
  [0, 'ok'],
  [23 * DAY_MS, 'ok'],
  [24 * DAY_MS, 'warning'],
  [30 * DAY_MS, 'fatal'],
])('a certificate of 30 days at %d ms is %s', (nowMs, level) =>
  expect(judgeDates(0, 30 * DAY_MS, nowMs).level).toBe(level),
);
