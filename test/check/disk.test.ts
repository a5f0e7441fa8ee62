import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/worker-program.js';
import { check, good } from './checked.js';

/** Where what the worker writes would be, below a file, where nobody may make a folder, root included. */
async function unwritable() {
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  return {
    ...(await good()),
    TSWORKER_STATE_DIR: join(file, 'state'),
    TSWORKER_BENCHMARK_FILE: join(file, 'benchmarks', 'results.json'),
    TSWORKER_MODEL_COMMAND: 'sleep 1',
    MODEL_LOG: join(file, 'log', 'model.log'),
  };
}

describe('the folders that a worker writes to', () => {
  it('are named where they can not be written, each with what is lost', async () => {
    const env = await unwritable();
    const { about, code } = await check(['openai'], env);
    const written = about('disk').filter(({ found }) => found.includes('can not be written'));
    expect(written).toEqual(
      [
        [
          env.TSWORKER_STATE_DIR,
          'TSWORKER_STATE_DIR',
          'a crash would lose what the autoscaler does not know yet',
        ],
        [
          join(env.TSWORKER_BENCHMARK_FILE, '..'),
          'TSWORKER_BENCHMARK_FILE',
          'each start would measure the model anew',
        ],
        [join(env.MODEL_LOG, '..'), 'MODEL_LOG', 'what the model server says would not be kept'],
      ].map(([folder, variable, loss]) => ({
        check: 'disk',
        level: 'warning',
        found: expect.stringMatching(new RegExp(`^${folder} can not be written, so ${loss}: ENOTDIR`)),
        change: `let ${variable} name a place that this user may write, or make it so`,
      })),
    );
    expect(code).toBe(0);
  });

  it('are those alone that are written: no log of a model server that somebody else runs, no results of what is not measured', async () => {
    const { TSWORKER_MODEL_COMMAND: _, MODEL_LOG: __, ...env } = await unwritable();
    const { about } = await check(['openai'], { ...env, TSWORKER_MAX_PERF: '5' });
    const written = about('disk').filter(({ found }) => found.includes('can not be written'));
    expect(written.map(({ change }) => change)).toEqual([
      'let TSWORKER_STATE_DIR name a place that this user may write, or make it so',
    ]);
  });

  it('are named once, with all that is lost, where several variables name the same', async () => {
    const { TSWORKER_STATE_DIR: folder, ...env } = await unwritable();
    const { about } = await check(['openai'], {
      ...env,
      TSWORKER_STATE_DIR: folder,
      TSWORKER_BENCHMARK_FILE: join(folder, 'results.json'),
      MODEL_LOG: join(folder, 'model.log'),
    });
    expect(about('disk').filter(({ found }) => found.includes(folder))).toEqual([
      {
        check: 'disk',
        level: 'warning',
        found: expect.stringMatching(
          new RegExp(
            `^${folder} can not be written, so a crash would lose what the autoscaler does not know yet, and each start would measure the model anew, and what the model server says would not be kept: ENOTDIR`,
          ),
        ),
        change:
          'let TSWORKER_STATE_DIR and TSWORKER_BENCHMARK_FILE and MODEL_LOG name a place that this user may write, or make it so',
      },
    ]);
  });

  it('may still have to be made', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'state'));
    const [state, results] = [join(folder, 'state'), join(folder, 'new', 'results.json')];
    const { about } = await check(['openai'], {
      ...(await good()),
      TSWORKER_STATE_DIR: state,
      TSWORKER_BENCHMARK_FILE: results,
    });
    expect(about('disk').filter(({ found }) => found.endsWith('can be written'))).toEqual(
      [state, join(folder, 'new')].map((written) => ({
        check: 'disk',
        level: 'ok',
        found: `${written} can be written`,
        change: null,
      })),
    );
  });
});
