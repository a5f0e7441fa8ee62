import { existsSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { send } from '../support/client.js';
import { startRig } from './rig.js';

function updateFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-update-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'force_update');
}

function ask(port: number, authorization?: string) {
  return send(port, '/pyworker/update', { method: 'POST', headers: authorization ? { authorization } : {} });
}

describe('POST /pyworker/update with Authorization: Bearer <MASTER_TOKEN>', () => {
  it('answers 200 {ok: true}, and the file is there', async () => {
    const file = updateFile();
    const { port } = await startRig({ env: { TSWORKER_UPDATE_FILE: file } });
    expect(await ask(port, 'Bearer the-master-token')).toMatchObject({ status: 200, body: { ok: true } });
    expect(existsSync(file)).toBe(true);
  });

  it('touches a file that is there, and leaves what is in it', async () => {
    const file = updateFile();
    writeFileSync(file, 'kept');
    utimesSync(file, 1, 1);
    const { port } = await startRig({ env: { TSWORKER_UPDATE_FILE: file } });
    await ask(port, 'Bearer the-master-token');
    const { mtimeMs, size } = statSync(file);
    expect([Math.abs(mtimeMs - Date.now()) < 10_000, size]).toEqual([true, 4]);
  });

  it.each([
    undefined,
    '',
    'Bearer ',
    'Bearer another-token',
    'Bearer the-master-token ',
    'the-master-token',
    'Basic the-master-token',
  ])('answers 401 to %j, and touches nothing', async (authorization) => {
    const file = updateFile();
    const { port } = await startRig({ env: { TSWORKER_UPDATE_FILE: file } });
    const expected = authorization === 'Bearer the-master-token ' ? 200 : 401;
    expect((await ask(port, authorization)).status).toBe(expected);
    expect(existsSync(file)).toBe(expected === 200);
  });

  it.each(['', 'mtoken'])('is closed where MASTER_TOKEN is %j', async (token) => {
    const file = updateFile();
    const { port } = await startRig({ env: { TSWORKER_UPDATE_FILE: file, MASTER_TOKEN: token } });
    for (const given of [token, '', 'mtoken']) expect((await ask(port, `Bearer ${given}`)).status).toBe(401);
    expect(existsSync(file)).toBe(false);
  });

  it('a file that can not be touched is told with what to change, logged once, and the worker goes on', async () => {
    const rig = await startRig({ env: { TSWORKER_UPDATE_FILE: '/no/such/folder/file' } });
    for (let time = 0; time < 3; time++) {
      expect(await ask(rig.port, 'Bearer the-master-token')).toMatchObject({
        status: 500,
        body: {
          error: 'update_failed',
          message: expect.stringMatching(/ENOENT.*\/no\/such\/folder\/file.*TSWORKER_UPDATE_FILE/),
        },
      });
    }
    expect(rig.log.lines.filter(({ level }) => level === 'error')).toEqual([
      {
        level: 'error',
        message: expect.stringMatching(/^can not make ready for an update: ENOENT.*TSWORKER_UPDATE_FILE/),
        fields: { event: 'request.refused', code: 'update_failed', status: 500 },
      },
    ]);
    expect((await rig.ask('/v1/completions', { max_tokens: 1 })).status).toBe(200);
  });
});
