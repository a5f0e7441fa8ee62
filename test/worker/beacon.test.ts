import { describe, expect, it, onTestFinished } from 'vitest';
import { lightBeacon } from '../../src/beacon.js';
import { asUserError, tellWhyNot } from '../../src/cli/beacon.js';
import { UserError } from '../../src/cli/exit.js';
import type { Overrides } from '../../src/config/index.js';
import { RecordingLog } from '../../src/testing/recording-log.js';
import { startAutoscaler } from '../autoscaler/harness.js';
import { nobody } from '../support/model-server.js';
import { leftBehindBy } from '../support/resources.js';
import { configOf } from '../support/worker.js';

const MESSAGE = 'unknown backend "nope"';

describe('a beacon', () => {
  it.each(['legacy', 'current'] as const)(
    'tells at once in %s why the worker can not start',
    async (dialect) => {
      const autoscaler = await startAutoscaler();
      const log = new RecordingLog();
      const config = configOf({ REPORT_ADDR: autoscaler.url });
      const putOut = lightBeacon({ config, dialect, message: MESSAGE, log });
      onTestFinished(putOut);
      const { body } = await autoscaler.waitForMessage(() => true);
      expect(JSON.stringify(body)).toContain('unknown backend \\"nope\\"');
      expect(log.text).not.toContain('the-master-token');
    },
  );

  it('is put out while nobody hears it, and leaves nothing', async () => {
    const { url } = await nobody();
    const log = new RecordingLog();
    const left = await leftBehindBy(async () => {
      const putOut = lightBeacon({
        config: configOf({ REPORT_ADDR: url }),
        dialect: 'current',
        message: MESSAGE,
        log,
      });
      while (log.about('outage.began').length === 0) await new Promise(setImmediate);
      await putOut();
    });
    expect(left).toEqual({});
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', expect.stringMatching(/^no autoscaler takes reports \(.+\); it is tried until one does$/)],
    ]);
  });
});

describe('there is no beacon, and the error goes on as it is', () => {
  it.each<[name: string, env: Record<string, string>, given?: Overrides]>([
    ['without an id to be known by', {}],
    ['where it is not wanted', { CONTAINER_ID: '7', TSWORKER_BEACON: 'false' }],
    ['with an id that is none', { CONTAINER_ID: 'x' }],
    ['with an address that is none', { CONTAINER_ID: '7', REPORT_ADDR: 'somewhere' }],
    ['with a dialect that is none', { CONTAINER_ID: '7', TSWORKER_DIALECT: 'other' }],
    ['with an option that is none', { CONTAINER_ID: '7' }, { reportAddresses: 'somewhere' }],
    ['where an option does not want it', { CONTAINER_ID: '7' }, { beacon: 'false' }],
  ])('%s', async (_name, env, given = {}) => {
    const error = new UserError('broken');
    let written = '';
    const output = {
      write: (text: string) => {
        written += text;
      },
    };
    await expect(tellWhyNot(error, given, { env, stdout: output, stderr: output })).rejects.toBe(error);
    expect(written).toBe('');
  });
});

describe('an error that ends a start', () => {
  it("is the user's as it is, and has its stack and exit code 1 if it is not", () => {
    const own = new UserError('mend it');
    expect(asUserError(own)).toBe(own);
    const made = asUserError(new TypeError('broken'));
    expect([made.exitCode, made.message]).toEqual([1, expect.stringMatching(/^TypeError: broken\n +at /)]);
    expect(asUserError('text')).toMatchObject({ exitCode: 1, message: 'text' });
  });
});
