import { describe, expect, it } from 'vitest';
import { Scribe, type Status } from '../conformance/scribe.js';
import { serveModel } from '../support/model-server.js';
import { TOKEN, WorkerProcess } from '../support/process.js';

interface Case {
  readonly name: string;
  readonly backend?: string;
  readonly env: () => Promise<Record<string, string>>;
  readonly says: RegExp;
  readonly exitCode: number;
}

/** The Scribe reads the statuses of `current`. */
const CURRENT = { TSWORKER_DIALECT: 'current', PUBLIC_IPADDR: '127.0.0.1' };

const CASES: readonly Case[] = [
  {
    name: 'a port that is taken',
    env: async () => {
      const port = String((await serveModel((_, response) => response.end())).port);
      return { WORKER_PORT: port, [`VAST_TCP_PORT_${port}`]: port };
    },
    says: /is taken by another program/,
    exitCode: 69,
  },
  {
    name: 'a certificate that is missing',
    env: async () => ({
      USE_SSL: 'true',
      TSWORKER_TLS_CERT: '/no/such.crt',
      TSWORKER_TLS_KEY: '/no/such.key',
    }),
    says: /the certificate can not be used/,
    exitCode: 1,
  },
  {
    name: 'a setting that is wrong',
    env: async () => ({ TSWORKER_BODY_LIMIT: 'much' }),
    says: /TSWORKER_BODY_LIMIT is "much"/,
    exitCode: 2,
  },
  {
    name: 'a backend that is not there',
    backend: 'nothing-of-this-name',
    env: async () => ({}),
    says: /nothing-of-this-name/,
    exitCode: 2,
  },
];

/** What a worker that can't start tells in each status. */
function isCry({ id, mtoken, error_msg, loadtime }: Status, says: RegExp): boolean {
  return id === 7 && mtoken === TOKEN && loadtime === 0 && says.test(error_msg);
}

it('tells the autoscaler that its option names, and no other', async () => {
  const [named, other] = [await Scribe.start(), await Scribe.start()];
  const worker = new WorkerProcess({
    backend: 'nothing-of-this-name',
    options: ['--report-addr', named.url],
    reportTo: other.url,
    env: CURRENT,
  });
  await named.untilStatus((status) => isCry(status, /nothing-of-this-name/));
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 2, signal: null });
  expect(other.messages).toEqual([]);
});

describe('a worker that can not start, because of', () => {
  it.each(CASES)(
    '$name: tells the autoscaler at once and at every interval, until SIGTERM',
    async (given) => {
      const autoscaler = await Scribe.start();
      const worker = new WorkerProcess({
        reportTo: autoscaler.url,
        env: { ...CURRENT, ...(await given.env()) },
        ...(given.backend !== undefined && { backend: given.backend }),
      });
      await autoscaler.until(() => autoscaler.statuses.length >= 4);
      expect(autoscaler.statuses.every((status) => isCry(status, given.says))).toBe(true);
      expect(worker.program.hasExited).toBe(false);
      expect(worker.program.stderr).toMatch(given.says);
      worker.kill('SIGTERM');
      expect(await worker.exited).toEqual({ code: given.exitCode, signal: null });
      const told = autoscaler.statuses.length;
      expect(told).toBeGreaterThanOrEqual(4);
      expect(worker.program.lines.join()).not.toContain(TOKEN);
    },
  );

  it.each(CASES)('$name: ends at once with TSWORKER_BEACON=false', async (given) => {
    const autoscaler = await Scribe.start();
    const worker = new WorkerProcess({
      reportTo: autoscaler.url,
      env: { TSWORKER_BEACON: 'false', ...(await given.env()) },
      ...(given.backend !== undefined && { backend: given.backend }),
    });
    expect(await worker.exited).toEqual({ code: given.exitCode, signal: null });
    expect(worker.program.stderr).toMatch(given.says);
    expect(autoscaler.messages).toEqual([]);
  });

  it('anything: it tries until an autoscaler answers, and then goes on', async () => {
    const autoscaler = await Scribe.start();
    autoscaler.misdeed = () => 503;
    const worker = new WorkerProcess({ reportTo: autoscaler.url, env: { TSWORKER_BODY_LIMIT: 'much' } });
    await autoscaler.until(() => autoscaler.messages.length >= 3);
    autoscaler.misdeed = () => undefined;
    await autoscaler.until(() => autoscaler.statuses.length >= 2);
    await worker.logged(({ event }) => event === 'beacon.heard');
    worker.kill('SIGTERM');
    expect((await worker.exited).code).toBe(2);
  });
});
