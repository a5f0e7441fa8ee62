import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judgeCommand, programOf } from '../../src/check/command.js';
import { temporaryFolder } from '../support/worker-program.js';
import { check, good } from './checked.js';

describe('the program of a command', () => {
  it.each<[command: string | readonly string[], program: string | null]>([
    ['vllm serve "$MODEL_NAME" --port 8000', 'vllm'],
    ['  /opt/vllm/bin/vllm serve', '/opt/vllm/bin/vllm'],
    ['vllm', 'vllm'],
    ['CUDA_VISIBLE_DEVICES=0,1 A=b exec vllm serve', 'vllm'],
    ['cd /opt && ./serve', 'cd'],
    ['serve;', 'serve'],
    ['serve|tee log', 'serve'],
    ['exec serve', 'serve'],
    ['exec', 'exec'],
    ['"$SERVER" --port 8000', null],
    ["'my server'", null],
    ['(serve)', null],
    ['~/bin/serve', null],
    ['A="b c" serve', null],
    ['serve$X', null],
    [['my server', '--port', '8000'], 'my server'],
    [['$SERVER'], '$SERVER'],
  ])('%j is %s', (command, program) => expect(programOf(command)).toBe(program));
});

describe('the program of a command is looked for', () => {
  const folder = () => {
    const made = temporaryFolder();
    writeFileSync(join(made, 'serve'), '#!/bin/sh\n');
    chmodSync(join(made, 'serve'), 0o755);
    writeFileSync(join(made, 'text'), '');
    mkdirSync(join(made, 'folder'));
    return made;
  };
  const judge = (command: string | readonly string[], path: string) =>
    judgeCommand(command, { PATH: path }, new AbortController().signal);
  const there = (program: string) => ({
    level: 'ok',
    found: `${program}, with which the model server is started, is there`,
    change: null,
  });
  const missing = (program: string, change: string) => ({
    level: 'fatal',
    found: `${program}, with which the model server is started, is not there or can not be run`,
    change,
  });
  const COMMAND = 'the command (TSWORKER_MODEL_COMMAND, or that of the backend)';

  it('on the PATH', async () => {
    const path = ['/no/such/folder', folder()].join(delimiter);
    const change = (where: string) =>
      `install it, or let ${COMMAND} name it by its path; it was looked for in ${where}`;
    expect(await judge('serve --fast', path)).toEqual(there('serve'));
    expect(await judge(['serve', '--fast'], path)).toEqual(there('serve'));
    expect(await judge('serve --fast', '/no/such/folder')).toEqual(
      missing('serve', change('/no/such/folder')),
    );
    expect(await judge(['text'], path)).toEqual(missing('text', change(path)));
  });

  it('where it says', async () => {
    const at = folder();
    const change = `install it there and let this user run it ("chmod a+x"), or correct ${COMMAND}`;
    expect(await judge(`${at}/serve`, '')).toEqual(there(`${at}/serve`));
    for (const name of ['text', 'folder', 'nothing']) {
      expect(await judge(`${at}/${name}`, '')).toEqual(missing(`${at}/${name}`, change));
    }
  });

  it('unless a shell must say which it is, or it is the shell itself', async () => {
    const found = 'what the model server is started with is for the shell to find';
    expect(await judge('"$SERVER" --fast', '')).toEqual({ level: 'ok', found, change: null });
    expect(await judge('cd / && serve', '')).toEqual(there('cd'));
  });
});

describe('tsworker check', () => {
  it('finds a model command whose program is missing', async () => {
    const env = { ...(await good()), MODEL_SERVER_URL: 'http://127.0.0.1:9' };
    const { code, about } = await check(['openai'], {
      ...env,
      TSWORKER_MODEL_COMMAND: 'no-such-server --port 9',
    });
    expect([code, about('model').map(({ level }) => level)]).toEqual([1, ['fatal', 'ok']]);
  });

  it('warns of a model command for a backend without a model server', async () => {
    const { code, about } = await check(['helloautoscaler'], {
      ...(await good()),
      TSWORKER_MODEL_COMMAND: 'no-such-server',
    });
    expect(code).toBe(0);
    expect(about('environment')).toContainEqual({
      check: 'environment',
      level: 'warning',
      found: 'TSWORKER_MODEL_COMMAND is set, but helloautoscaler has no model server; it is ignored.',
      change: 'correct it, or leave it if that is what you want; docs/configuration.md lists every setting',
    });
  });
});
