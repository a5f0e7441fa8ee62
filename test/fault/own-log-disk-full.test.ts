import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import { expect, it } from 'vitest';
import { Scribe } from '../conformance/scribe.js';
import { Crowd } from '../support/faults-journal.js';
import { freePorts } from '../support/free-ports.js';
import { MAIN, Program } from '../support/process.js';
import { canMount, smallDisk } from '../support/small-disk.js';
import { temporaryFolder } from '../support/worker-program.js';

/** A worker whose log goes to a file, so that it is known by its ports alone. */
async function startLoggingTo(file: string) {
  const autoscaler = await Scribe.start();
  const [port = 0, internalPort = 0] = await freePorts(2);
  const command = [process.execPath, MAIN, 'start', 'test/fault/backends/counted.ts'];
  const program = new Program('sh', ['-c', `exec "$@" >> ${file} 2>&1`, 'sh', ...command], {
    env: {
      CONTAINER_ID: '7',
      MASTER_TOKEN: 'x',
      REPORT_ADDR: autoscaler.url,
      TSWORKER_HOST: '127.0.0.1',
      WORKER_PORT: String(port),
      WORKER_HTTP_PORT: String(internalPort),
      [`VAST_TCP_PORT_${port}`]: String(port),
      TSWORKER_REPORT_INTERVAL: '100ms',
      TSWORKER_STATE_DIR: join(temporaryFolder(), 'state'),
      TSWORKER_LOG_LEVEL: 'debug',
      PUBLIC_IPADDR: '127.0.0.1',
      UNSECURED: 'true',
    },
  });
  const ready = async () => {
    const url = `http://127.0.0.1:${internalPort}/readyz`;
    const answer = await request(url, { reset: true }).catch(() => null);
    await answer?.body.dump();
    return answer?.statusCode;
  };
  await expect.poll(ready, { timeout: 20_000 }).toBe(200);
  return { autoscaler, program, crowd: new Crowd({ url: `http://127.0.0.1:${port}` }), ready };
}

it('a worker that can not write its own log: it serves, tells, and stops cleanly', async () => {
  const { autoscaler, program, crowd, ready } = await startLoggingTo('/dev/full');
  for (let asked = 1; asked <= 3; asked++) expect(await crowd.ask()).toBe(true);
  await autoscaler.until(() => autoscaler.finished.length === 3);
  expect(await ready()).toBe(200);
  program.kill('SIGTERM');
  expect(await program.exited).toEqual({ code: 0, signal: null });
  expect(autoscaler.statuses.at(-1)?.num_requests_recieved).toBe(3);
});

it.skipIf(!canMount)(
  'a worker whose own log fills the disk: it serves, and logs again when there is space',
  async () => {
    const disk = smallDisk(64);
    const log = join(disk.path, 'worker.log');
    const { autoscaler, program, crowd } = await startLoggingTo(log);
    disk.fill();
    const size = () => readFileSync(log, 'utf8').length;
    expect(await crowd.ask()).toBe(true);
    await autoscaler.untilFinished(1);
    const full = size();
    for (let asked = 2; asked <= 5; asked++) {
      expect(await crowd.ask()).toBe(true);
      await autoscaler.untilFinished(asked);
    }
    await autoscaler.untilStatus(({ num_requests_recieved }) => num_requests_recieved === 5);
    disk.free();
    program.kill('SIGTERM');
    expect(await program.exited).toEqual({ code: 0, signal: null });
    expect(size()).toBeGreaterThan(full);
    expect(readFileSync(log, 'utf8').trimEnd().split('\n').at(-1)).toContain('"state":"stopped"');
  },
);
