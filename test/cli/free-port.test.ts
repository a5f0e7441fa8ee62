import { createServer, type Server } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { EXIT, UserError } from '../../src/cli/exit.js';
import { freePort } from '../../src/cli/free-port.js';

const HOST = '127.0.0.1';

async function listen(port: number, host = HOST): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  onTestFinished(() => void server.close());
  return server;
}

it('answers the port that is asked for while it is free, and leaves it free', async () => {
  const port = await freePort(HOST, 0);
  expect(await freePort(HOST, port)).toBe(port);
  await listen(port);
  expect(await freePort(HOST, port)).toBeGreaterThan(port);
});

it('does not take a port that somebody listens on at all addresses', async () => {
  const port = await freePort(HOST, 0);
  await listen(port, '0.0.0.0');
  expect(await freePort(HOST, port)).not.toBe(port);
});

it('leaves out what is taken', async () => {
  const port = await freePort(HOST, 0);
  expect(await freePort(HOST, port, [port])).not.toBe(port);
  await expect(freePort(HOST, 65_535, [65_535])).rejects.toThrow(
    new UserError('no port from 65535 to 65535 is free on 127.0.0.1.', EXIT.failed.code),
  );
});

it('does not search where it can not listen at all', async () => {
  await expect(freePort('203.0.113.1', 3000)).rejects.toThrow(
    /^can not listen on 203\.0\.113\.1: .*EADDRNOTAVAIL/,
  );
});
