import { expect, it } from 'vitest';
import { send } from '../support/client.js';
import { Program } from '../support/process.js';

/** A fake model as a program, and what it said when it listened. */
async function program(...args: string[]) {
  const model = new Program(process.execPath, [
    ...['--import', 'tsx', 'src/testing/models/main.ts', 'openai', ...args],
  ]);
  const line = await model.find('that it listens', () =>
    model.lines.find((each) => each.includes('"event":"listening"')),
  );
  const { port, control, pid } = Object(JSON.parse(line));
  return { model, port: Number(port), control: Number(control), pid: Number(pid) };
}

it('a model that refuses every connection is told on its control port to be well again', async () => {
  const { model, port, control } = await program(
    '--control',
    '0',
    '--behave',
    '{"refuse": true, "tokens": 2}',
  );
  await expect(send(port, '/health')).rejects.toThrow();
  const told = (body: string) => send(control, '/', { method: 'POST', body });
  expect(await told('{"refuse": null}')).toMatchObject({ status: 200, body: { tokens: 2 } });
  expect((await send(port, '/health')).status).toBe(200);
  expect(await told('{"nothing": 1}')).toMatchObject({
    status: 400,
    body: { problem: expect.stringContaining('nothing') },
  });
  expect(await send(control, '/')).toMatchObject({ status: 200, body: { tokens: 2 } });
  model.kill('SIGTERM');
  expect(await model.exited).toEqual({ code: 0, signal: null });
});

it('its log goes to its standard output, and it says who it is', async () => {
  const { model, pid } = await program('--log', '-', '--preset', 'sglang');
  await model.find('that it has loaded', () =>
    model.lines.find((line) => line.includes('fired up and ready to roll!')),
  );
  expect(pid).toBe(model.pid);
});
