import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { serveHttp } from '../support/http-server.js';
import { deferred } from '../support/worker.js';
import { Project, Running } from './project.js';

let project: Project;
beforeAll(() => {
  project = new Project();
});
afterAll(() => project.remove());

const ANYWHERE = ['--host', '127.0.0.1', '--port', '0', '--internal-port', '0'];

/** A port on which another program listens until the test ends. */
async function takenPort(host = '127.0.0.1'): Promise<number> {
  const server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const portOf = (url: unknown) => Number(new URL(String(url)).port);

async function getJson(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}

describe('who reads the output goes before the end', () => {
  it('of a command: it ends as usual', async () => {
    const child = spawn('bash', [
      '-c',
      `"$0" "$1" graph | true; echo "\${PIPESTATUS[0]}"`,
      process.execPath,
      project.main,
    ]);
    expect({ stdout: await text(child.stdout), stderr: await text(child.stderr) }).toEqual({
      stdout: '0\n',
      stderr: '',
    });
  });

  it('of a worker: it serves on', async () => {
    const worker = project.start(['start', 'helloworld', ...ANYWHERE]);
    const { port, internalPort } = await worker.logs('listening');
    await worker.prints(/"state":"serving"/);
    worker.child.stdout?.destroy();
    // Each refusal is a line of the log that nobody reads.
    expect((await fetch(`http://127.0.0.1:${port}/increment`, { method: 'POST' })).status).toBe(400);
    expect(await getJson(`http://127.0.0.1:${port}/value`)).toEqual({ value: 0 });
    expect(await getJson(`http://127.0.0.1:${internalPort}/status`)).toMatchObject({ state: 'serving' });
    expect(await worker.stop()).toEqual({ code: 0, stderr: '' });
  });
});

it('Ctrl-C ends a request, and the work on it', async () => {
  let url = '';
  const left = deferred<void>();
  ({ url } = await serveHttp((request, response) => {
    response.setHeader('content-type', request.url === '/run' ? 'text/plain' : 'application/json');
    const route = { endpoint: 'e', url, cost: 1, reqnum: 1, request_idx: 1, signature: 's' };
    if (request.url === '/run') response.once('close', left.resolve).write('some\n');
    else if (request.url === '/route/') response.end(JSON.stringify(route));
    else response.end('{"results":[{"id":1,"endpoint_name":"my-endpoint"}]}');
  }));
  const asking = project.start(['request', '/run', '{}', '--autoscaler', url], { TSWORKER_API_KEY: 'key' });
  await asking.prints(/some/);
  expect(await asking.stop('SIGINT')).toEqual({ code: null, stderr: '' });
  await left.promise;
});

it('with --inspect - the standard output is what Stately is told alone, and the log goes to standard error', async () => {
  for (const command of ['start', 'dev']) {
    const at = command === 'start' ? ANYWHERE : [...ANYWHERE.slice(2), '--autoscaler-port', '0'];
    const worker = project.start([command, 'helloworld', ...at, '--inspect', '-']);
    await worker.prints(/"type":"@xstate.snapshot".*"value":\{[^}]*"work":"serving"/);
    const { code, stderr } = await worker.stop();
    expect(code).toBe(0);
    const told = worker.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(new Set(told.map(({ _version }) => _version))).toEqual(new Set(['0.7.2']));
    const logged = stderr
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event?: string }).event);
    expect(logged).toEqual(expect.arrayContaining(['state.entered', 'listening']));
  }
});

it('dev that scales refuses to tell or record on its standard output, which workers share', async () => {
  const scaling = ['dev', 'helloautoscaler', '--max-workers', '2'];
  const [told, recorded] = await Promise.all([
    project.run([...scaling, '--inspect', '-']),
    project.run(scaling, { TSWORKER_RECORD: '-' }),
  ]);
  expect([told.code, told.stdout, recorded.code, recorded.stdout]).toEqual([2, '', 2, '']);
  expect(told.stderr).toContain('error: --inspect is "-"');
  expect(recorded.stderr).toContain('error: TSWORKER_RECORD is "-"');
});

describe('dev', () => {
  it('takes other ports than those that are taken, says so, and none twice', async () => {
    const [worker, internal, autoscaler] = [await takenPort(), await takenPort(), await takenPort('0.0.0.0')];
    const ports = ['--port', worker, '--internal-port', internal, '--autoscaler-port', autoscaler].map(
      String,
    );
    const dev = project.start(['dev', 'helloautoscaler', ...ports]);
    const { workerUrl, statusUrl, autoscalerUrl } = await dev.logs('listening');
    const moved = dev.lines
      .filter((line) => line.includes('"port.moved"'))
      .map((line) => JSON.parse(line).msg);
    expect(moved).toEqual([
      `port ${worker} is taken, so the worker listens on ${portOf(workerUrl)}`,
      `port ${internal} is taken, so the worker's status listens on ${portOf(statusUrl)}`,
      `port ${autoscaler} is taken, so the autoscaler listens on ${portOf(autoscalerUrl)}`,
    ]);
    const all = [worker, internal, autoscaler, ...[workerUrl, statusUrl, autoscalerUrl].map(portOf)];
    expect(new Set(all).size).toBe(6);
    await dev.prints(/"state":"serving"/);
    expect(await getJson(`${workerUrl}/value`)).toEqual({ value: 0 });
    expect(await dev.stop('SIGINT')).toEqual({ code: 0, stderr: '' });
  });

  it('asked for one port for all, takes it once', async () => {
    const port = await takenPort();
    const same = [String(port), '--internal-port', String(port), '--autoscaler-port', String(port)];
    const dev = project.start(['dev', 'helloautoscaler', '--port', ...same]);
    const { workerUrl, statusUrl, autoscalerUrl } = await dev.logs('listening');
    expect(new Set([port, ...[workerUrl, statusUrl, autoscalerUrl].map(portOf)]).size).toBe(4);
    expect((await dev.stop()).code).toBe(0);
  });

  it('tells its autoscaler nothing of the instance that it may run on', async () => {
    const token = 'the-real-token';
    const env = { CONTAINER_ID: 'not even a number', MASTER_TOKEN: token, REPORT_ADDR: 'neither an address' };
    const dev = project.start(['dev', '--port', '0', '--autoscaler-port', '0'], env);
    const { autoscalerUrl } = await dev.logs('listening');
    await dev.prints(/"state":"serving"/);
    expect(await getJson(`${autoscalerUrl}/api/workers`)).toMatchObject({
      workers: [{ id: 1, state: 'serving' }],
    });
    const messages = JSON.stringify(await getJson(`${autoscalerUrl}/api/messages`));
    expect((await dev.stop()).code).toBe(0);
    expect(messages + dev.lines.join('\n')).not.toContain(token);
  });

  it('needs no autoscaler for a backend that reports nothing', async () => {
    const dev = project.start([
      'dev',
      'helloworld',
      ...ANYWHERE,
      '--autoscaler-port',
      String(await takenPort()),
    ]);
    const listening = await dev.logs('listening');
    expect([listening.autoscalerUrl, dev.lines.join('\n').includes('port.moved')]).toEqual([
      undefined,
      false,
    ]);
    expect(await dev.stop()).toEqual({ code: 0, stderr: '' });
  });
});

describe('what keeps a worker from starting is told in one line, with an exit code', () => {
  it('the port for clients is taken', async () => {
    const port = String(await takenPort());
    const { code, stderr } = await project.run([
      'start',
      'helloworld',
      '--host',
      '127.0.0.1',
      '--port',
      port,
    ]);
    expect({ code, stderr }).toEqual({
      code: 69,
      stderr: `error: 127.0.0.1:${port} is taken by another program; stop it, or choose another port with --port or WORKER_PORT.\n`,
    });
  });

  it('the internal port is taken', async () => {
    const port = String(await takenPort());
    const { code, stderr } = await project.run([
      'start',
      'helloworld',
      '--port',
      '0',
      '--internal-port',
      port,
    ]);
    expect({ code, stderr }).toEqual({
      code: 69,
      stderr: `error: 127.0.0.1:${port} is taken by another program; stop it, or choose another port with --internal-port or WORKER_HTTP_PORT.\n`,
    });
  });

  it('the certificate is missing', async () => {
    const env = { USE_SSL: 'true', TSWORKER_TLS_CERT: '/no/such.crt', TSWORKER_TLS_KEY: '/no/such.key' };
    const { code, stderr } = await project.run(['start', 'helloworld', ...ANYWHERE], env);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: USE_SSL is true, but .*\/no\/such\.crt.*TSWORKER_TLS_CERT.*\n$/);
  });
});

describe('the log', () => {
  /** Runs in a terminal of its own, made by util-linux's script. */
  const inTerminal = (env: Readonly<Record<string, string>> = {}) => {
    const command = ['exec', process.execPath, project.main, 'start', 'helloworld', ...ANYWHERE].join(' ');
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return new Running(child);
  };

  it('is JSON lines without a terminal', async () => {
    const worker = project.start(['start', 'helloworld', ...ANYWHERE]);
    await worker.logs('listening');
    expect((await worker.stop()).code).toBe(0);
    for (const line of worker.lines) {
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(Number), msg: expect.any(String) });
    }
  });

  it('is for people on a terminal, where Ctrl-C stops it', async () => {
    const worker = inTerminal();
    const line = await worker.prints(/listens on/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours of a terminal
    expect(line.replaceAll(/\x1b\[\d+m/g, '')).toMatch(
      /^\[\d\d:\d\d:\d\d\] INFO: helloworld listens on http:\/\/127\.0\.0\.1:\d+, see it at work on http:\/\/127\.0\.0\.1:\d+\/\s*$/,
    );
    worker.child.stdin?.write('\x03');
    await worker.prints(/stopped: everything is finished and reported/);
    expect(await worker.exited).toBe(0);
  });
});

describe('a signal', () => {
  it('that is repeated when all has stopped, as npm does, changes nothing', async () => {
    project.write('slow-end.mjs', slowEnd('200'));
    const worker = project.start(['start', './slow-end.mjs', ...ANYWHERE]);
    await worker.logs('listening');
    worker.child.kill('SIGINT');
    await worker.prints(/"state":"stopped"/);
    expect(await worker.stop('SIGINT')).toEqual({ code: 0, stderr: '' });
  });

  it('ends the process although the backend left something running', async () => {
    project.write('endless.mjs', slowEnd('undefined'));
    const worker = project.start(['start', './endless.mjs', ...ANYWHERE]);
    await worker.logs('listening');
    expect(await worker.stop()).toEqual({ code: 0, stderr: '' });
  });

  it('stops the local autoscaler', async () => {
    const autoscaler = project.start(['autoscaler', '--port', '0']);
    const { url } = await autoscaler.logs('listening');
    expect(await getJson(`${url}/api/workers`)).toMatchObject({ workers: [] });
    expect(await autoscaler.stop('SIGINT')).toEqual({ code: 0, stderr: '' });
  });
});

/** A backend that keeps the process busy for so many milliseconds after its worker has stopped, or for ever. */
function slowEnd(ms: string): string {
  return `
import { defineBackend } from 'tsworker';
export default defineBackend({
  name: 'slow-end',
  dialect: 'none',
  init: ({ signal }) => {
    const timer = setInterval(() => {}, 1_000);
    const ms = ${ms};
    signal.addEventListener('abort', () => ms && setTimeout(() => clearInterval(timer), ms));
  },
  routes: { '/value': { method: 'GET', handle: () => ({}) } },
});`;
}
