import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judgeSkew } from '../../src/check/clock.js';
import { judgeFree } from '../../src/check/disk.js';
import { runChecks } from '../../src/check/run-checks.js';
import { readConfig } from '../../src/config/index.js';
import { serveHttp } from '../support/http-server.js';
import { Program } from '../support/process.js';
import { temporaryFolder } from '../support/worker-program.js';
import { check, type Env, good } from './checked.js';

describe('tsworker check', () => {
  it('finds all well, and exits with 0', async () => {
    const { code, ok, findings } = await check(['openai'], await good());
    expect(findings.filter(({ level, check: name }) => level !== 'ok' && name !== 'disk')).toEqual([]);
    expect([code, ok, [...new Set(findings.map((one) => one.check))]]).toEqual([
      0,
      true,
      ['environment', 'autoscaler', 'key', 'clock', 'certificate', 'ports', 'model log', 'model', 'disk'],
    ]);
  });

  it('names each setting that is wrong, and shows no secret', async () => {
    const { code, findings, stdout } = await check(['openai'], {
      ...(await good()),
      USE_SSL: 'maybe',
      WORKER_PORT: 'x',
    });
    expect(code).toBe(1);
    expect(findings.map(({ level, found }) => [level, found.split(' ')[0]])).toEqual([
      ['fatal', 'WORKER_PORT'],
      ['fatal', 'USE_SSL'],
    ]);
    expect(findings.every(({ change }) => change)).toBe(true);
    expect(stdout).not.toContain('c0ffee');
  });

  it.each<[string, string, string, RegExp, Env]>([
    ['a backend that is none', 'environment', 'fatal', /^unknown backend/, { BACKEND: 'nope' }],
    ['an instance without an id', 'environment', 'fatal', /^CONTAINER_ID is not set/, { CONTAINER_ID: '' }],
    [
      'a token that is none',
      'environment',
      'warning',
      /^MASTER_TOKEN is not set/,
      { MASTER_TOKEN: 'mtoken' },
    ],
    [
      'an autoscaler that is away',
      'autoscaler',
      'fatal',
      /does not answer/,
      { REPORT_ADDR: 'http://127.0.0.1:9' },
    ],
    [
      'an autoscaler without a key',
      'key',
      'fatal',
      /there is no public key/,
      { REPORT_ADDR: 'http://127.0.0.1:9' },
    ],
    [
      'a certificate that is missing',
      'certificate',
      'fatal',
      /ENOENT/,
      { USE_SSL: 'true', TSWORKER_TLS_CERT: '/no/such' },
    ],
    ['an address of another machine', 'ports', 'fatal', /EADDRNOTAVAIL/, { TSWORKER_HOST: '203.0.113.1' }],
    ['a log that is a folder', 'model log', 'fatal', /is not a file/, { MODEL_LOG: '/tmp' }],
    ['a log without a folder', 'model log', 'warning', /there is no folder/, { MODEL_LOG: '/no/such/log' }],
    [
      'a model that is not there',
      'model',
      'warning',
      /is not well/,
      { MODEL_SERVER_URL: 'http://127.0.0.1:9' },
    ],
  ])('finds %s', async (_, name, level, found, env) => {
    const { BACKEND = 'openai', ...rest } = env;
    const { about, code } = await check([BACKEND], { ...(await good()), ...rest });
    expect(about(name)).toContainEqual({
      check: name,
      level,
      found: expect.stringMatching(found),
      change: expect.any(String),
    });
    expect(code).toBe(level === 'fatal' ? 1 : 0);
  });

  it('warns of one address of several that does not answer', async () => {
    const env = await good();
    const { about, code } = await check(['openai'], {
      ...env,
      REPORT_ADDR: `http://127.0.0.1:9,${env.REPORT_ADDR}`,
    });
    expect([code, about('autoscaler').map(({ level }) => level)]).toEqual([0, ['warning', 'ok']]);
  });

  it('takes an autoscaler that says nothing for one that is away, and hears the others', {
    timeout: 30_000,
  }, async () => {
    const silent = await serveHttp(() => {});
    const env = await good();
    const alone = await check(['openai'], {
      ...env,
      REPORT_ADDR: silent.url,
      TSWORKER_REPORT_TIMEOUT: '500ms',
    });
    expect([alone.code, alone.about('autoscaler')]).toEqual([
      1,
      [
        {
          check: 'autoscaler',
          level: 'fatal',
          found: `${silent.url} does not answer: no answer within 500 ms`,
          change: expect.stringMatching(/^correct REPORT_ADDR/),
        },
      ],
    ]);
    // The others may be slow to answer where much else runs.
    const one = await check(['openai'], {
      ...env,
      REPORT_ADDR: `${silent.url},${env.REPORT_ADDR}`,
      TSWORKER_REPORT_TIMEOUT: '3s',
    });
    const levels = (name: string) => one.about(name).map(({ level }) => level);
    expect([one.code, levels('autoscaler'), levels('clock'), levels('key')]).toEqual([
      0,
      ['warning', 'ok'],
      ['ok'],
      ['ok'],
    ]);
  });

  it('finds a port that is taken', async () => {
    const { server } = await serveHttp(() => {});
    const { port } = server.address() as AddressInfo;
    const { about } = await check(['openai'], { ...(await good()), WORKER_HTTP_PORT: String(port) });
    expect(about('ports').map(({ level }) => level)).toEqual(['ok', 'fatal']);
  });

  it('waits for a log that is not there yet', async () => {
    const folder = join(temporaryFolder(), 'logs');
    mkdirSync(folder);
    const { about } = await check(['openai'], { ...(await good()), MODEL_LOG: join(folder, 'later.log') });
    expect(about('model log').map(({ level }) => level)).toEqual(['ok']);
  });

  it('finds a clock that is not the autoscaler’s', async () => {
    const { url } = await serveHttp((_, response) => {
      response.setHeader('date', new Date(Date.now() - 3_600_000).toUTCString());
      response.end();
    });
    const { about } = await check(['openai'], { ...(await good()), REPORT_ADDR: url });
    expect(about('clock')).toMatchObject([
      { level: 'fatal', found: expect.stringMatching(/^this clock is 3[56]\d\d s ahead/) },
    ]);
    expect(about('key').map(({ level }) => level)).toEqual(['fatal']);
  });

  it('is a program with an exit code and a table', { timeout: 120_000 }, async () => {
    const run = async (env: Env) => {
      const program = new Program(
        process.execPath,
        ['--import', 'tsx', 'src/cli/main.ts', 'check', 'openai'],
        { env },
      );
      return { ...(await program.exited), lines: program.lines };
    };
    const env = await good();
    const well = await run(env);
    expect([well.code, well.lines.at(-1)]).toEqual([0, expect.stringMatching(/^0 fatal, \d warnings$/)]);
    const bad = await run({ ...env, CONTAINER_ID: 'x' });
    expect([bad.code, bad.lines[0]]).toEqual([
      1,
      'fatal    environment  CONTAINER_ID is "x"; it takes a whole number.',
    ]);
    expect(bad.lines[1]).toMatch(/^ +→ set it/);
  });
});

describe('the judgements', () => {
  it.each([
    [0, 'ok'],
    [-9, 'ok'],
    [10, 'warning'],
    [-11, 'warning'],
    [300, 'fatal'],
  ])('a clock that is off by %d s is %s', (seconds, level) => expect(judgeSkew(seconds).level).toBe(level));

  it.each([
    [0.05, 'fatal'],
    [0.5, 'warning'],
    [2, 'ok'],
  ])('%d GiB are %s', (gib, level) => expect(judgeFree(gib).level).toBe(level));

  it('a check that breaks or takes too long is a warning', async () => {
    const result = readConfig({});
    if (!result.ok) throw new Error('no settings');
    const subject = { config: result.config, backend: null, reports: false, needsKey: false, env: {} };
    const checks = [
      { name: 'broken', look: () => Promise.reject(new Error('oh')) },
      { name: 'slow', look: () => new Promise<never>(() => {}) },
    ];
    expect(await runChecks(subject, checks, 10)).toMatchObject([
      { check: 'broken', level: 'warning', found: 'it could not be found out: oh' },
      { check: 'slow', level: 'warning', found: 'it could not be found out: no answer within 10 ms' },
    ]);
  });
});
