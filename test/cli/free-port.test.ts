import { createServer, type Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EXIT, UserError } from '../../src/cli/exit.js';
import { freePort, untilNotTaken } from '../../src/cli/free-port.js';

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

describe('what listens on ports that were free', () => {
  const taken = () => new UserError('taken', EXIT.portTaken.code);

  it('is done again where another program was quicker', async () => {
    let attempts = 0;
    const attempt = async () => {
      attempts += 1;
      if (attempts < 3) throw taken();
      return attempts;
    };
    expect(await untilNotTaken(attempt)).toBe(3);
  });

  it.each([
    ['again and again', taken(), 6],
    ['for another reason', new UserError('no address'), 1],
  ])('is given up where it fails %s', async (_how, error, times) => {
    let attempts = 0;
    const attempt = async () => {
      attempts += 1;
      throw error;
    };
    await expect(untilNotTaken(attempt)).rejects.toBe(error);
    expect(attempts).toBe(times);
  });
});
