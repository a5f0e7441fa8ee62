import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { readTls, type Tls, watchTls } from '../../src/http/tls.js';
import { configOf } from '../support/worker.js';

const EVERY_MS = 60_000;

let folder = '';
const file = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tsworker-watch-tls-'));
  for (const name of ['one', 'other']) {
    const output = ['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`), '-days', '2'];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost'];
    execFileSync('openssl', ['req', '-x509', ...key, ...output], { stdio: 'ignore' });
  }
  return () => rmSync(folder, { recursive: true });
});

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

function use(certificate: string, key = certificate): void {
  copyFileSync(file(`${certificate}.crt`), file('used.crt'));
  copyFileSync(file(`${key}.key`), file('used.key'));
}

async function watch() {
  use('one');
  const config = configOf({ TSWORKER_TLS_CERT: file('used.crt'), TSWORKER_TLS_KEY: file('used.key') });
  const heard: (Tls | string)[] = [];
  let wake = () => {};
  const hear = (what: Tls | string) => {
    heard.push(what);
    wake();
  };
  const current = await readTls(config);
  const stop = watchTls({ config, current, everyMs: EVERY_MS, onRenewed: hear, onProblem: hear });
  return {
    heard,
    stop,
    look: () => vi.advanceTimersByTime(EVERY_MS),
    /** The look that is under way reads the same files, and began before. */
    looked: async () => {
      for (let time = 0; time < 5; time++) await readTls(config).catch(() => {});
    },
    hears: () =>
      new Promise<void>((resolve) => {
        wake = resolve;
      }),
  };
}

function pair(name: string): Tls {
  return { cert: readFileSync(file(`${name}.crt`)), key: readFileSync(file(`${name}.key`)) };
}

it('tells of a certificate once it has changed, and once for each change', async () => {
  const { heard, look, looked, hears, stop } = await watch();
  look();
  await looked();
  expect(heard).toEqual([]);
  for (const name of ['other', 'one']) {
    use(name);
    const told = hears();
    look();
    await told;
    look();
    await looked();
  }
  expect(heard).toEqual([pair('other'), pair('one')]);
  stop();
});

it('does not look before its time', async () => {
  const { heard, looked, stop } = await watch();
  use('other');
  vi.advanceTimersByTime(EVERY_MS - 1);
  await looked();
  expect(heard).toEqual([]);
  stop();
});

it('tells of what can not be used once for each reason, and goes on', async () => {
  const { heard, look, looked, hears, stop } = await watch();
  const see = async (change: () => void) => {
    change();
    const told = hears();
    look();
    await told;
    look();
    await looked();
  };
  await see(() => copyFileSync(file('other.crt'), file('used.crt')));
  await see(() => writeFileSync(file('used.crt'), 'no PEM at all'));
  await see(() => use('other'));
  // The same again is news, since all was well between.
  await see(() => writeFileSync(file('used.crt'), 'no PEM at all'));
  expect(heard).toEqual([
    expect.stringMatching(/^USE_SSL is true, but the certificate can not be used: .*key values mismatch/),
    expect.stringMatching(/PEM/),
    pair('other'),
    expect.stringMatching(/PEM/),
  ]);
  stop();
});

it.each([
  ['a renewal', () => use('other')],
  ['a problem', () => writeFileSync(file('used.key'), 'no PEM at all')],
])('once it is ended it tells nothing, not even of %s that it is looking at', async (_name, change) => {
  const { heard, look, looked, stop } = await watch();
  change();
  look();
  stop();
  await looked();
  expect(heard).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
