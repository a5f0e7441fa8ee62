import { execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ROOT, Running } from '../cli/project.js';
import { postJson } from '../support/client.js';

/** The package as `npm pack` makes it, installed in an empty project. */
let project: string;
let installed: string;
let tarball: string;

beforeAll(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'tsworker-package-')));
  npm(ROOT, 'pack', '--pack-destination', project);
  tarball = join(project, readdirSync(project).find((name) => name.endsWith('.tgz')) ?? 'none');
  npm(project, 'init', '-y');
  npm(project, 'install', '--prefer-offline', '--no-audit', '--no-fund', tarball);
  installed = join(project, 'node_modules/tsworker');
  cpSync(join(ROOT, 'examples/echo-backend.ts'), join(project, 'my-backend.ts'));
}, 300_000);

afterAll(() => rmSync(project, { recursive: true }));

function npm(cwd: string, ...args: string[]): void {
  execFileSync('npm', args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
}

/** `npx tsworker …` in the project, with nothing of this process's environment but what npm needs. */
function npx(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn('npx', ['tsworker', ...args], {
    cwd: project,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const running = new Running(child);
  // What npx started is in its process group.
  onTestFinished(() => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch {
      // All of it has ended.
    }
  });
  return running;
}

/** npx itself dies of the signal; what it started drains and ends by itself. */
async function stopsInGoodOrder(npxed: Running): Promise<void> {
  const { code, stderr } = await npxed.stop('SIGTERM');
  expect({ code, stderr }).toEqual({ code: null, stderr: '' });
}

async function getJson(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}

/** The pictures of the package that a page shows, by their paths in it. */
function picturesOf(page: string): string[] {
  const text = readFileSync(join(installed, page), 'utf8');
  return [...text.matchAll(/(?:src|srcset)="([^":]+)"|!\[[^\]]*\]\(([^):]+)\)/g)].map((match) =>
    join(dirname(page), match[1] ?? match[2] ?? ''),
  );
}

describe('the tarball', () => {
  it('holds what is needed and nothing else', () => {
    const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' })
      .trimEnd()
      .split('\n')
      .map((path) => path.replace(/^package\//, ''));
    const expected =
      /^(LICENSE|README\.md|CHANGELOG\.md|package\.json|docs\/[\w-]+\.(md|svg|png)|deploy\/(README\.md|vast\/\w+\.sh)|dist\/(machines|backends|src)\/.+\.(js|d\.ts)|dist\/src\/graph\/layouts\/[\w-]+\.json|dist\/src\/inspect\/page\/(index\.html|assets\/[\w-]+\.(js|css|svg))|dist\/src\/autoscaler\/page\/\w+\.(js|css|html|svg|json))$/;
    expect(files.filter((path) => !expected.test(path))).toEqual([]);
    expect(files).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'CHANGELOG.md',
        'docs/backends.md',
        'deploy/vast/start_server.sh',
        'dist/src/autoscaler/page/index.html',
        'dist/src/cli/typescript-hooks.js',
      ]),
    );
    const pages = files.filter((path) => path.endsWith('.md'));
    expect(pages.flatMap((page) => picturesOf(page)).filter((path) => !files.includes(path))).toEqual([]);
    const { size } = statSync(tarball);
    console.log(`the tarball: ${files.length} files, ${Math.round(size / 1024)} KiB`);
    // More than a third of it are pictures.
    expect(size).toBeLessThan(1_300 * 1024);
  });

  it('has what package.json names, programs that may be executed, and no source maps', () => {
    const { bin, exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
      bin: { tsworker: string };
      exports: Record<string, string | { types: string; default: string }>;
    };
    const named = [
      bin.tsworker,
      ...Object.values(exports).flatMap((entry) =>
        Object.values(typeof entry === 'string' ? [entry] : entry),
      ),
    ];
    expect(named.filter((path) => !existsSync(join(installed, path)))).toEqual([]);
    for (const program of [
      bin.tsworker,
      'deploy/vast/start_server.sh',
      'deploy/vast/launch_helloautoscaler.sh',
    ]) {
      expect([program, statSync(join(installed, program)).mode & 0o111]).toEqual([program, 0o111]);
    }
    const code = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' }).filter((path) =>
      /\.(js|ts)$/.test(path),
    );
    expect(
      code.filter((path) => readFileSync(join(installed, 'dist', path), 'utf8').includes('sourceMappingURL')),
    ).toEqual([]);
  });
});

describe('npx tsworker', () => {
  it('dev helloautoscaler serves, and SIGTERM to npx stops it in good order', async () => {
    const dev = npx(['dev', 'helloautoscaler']);
    const { workerUrl, autoscalerUrl } = await dev.logs('listening');
    await dev.prints(/"state":"serving"/);
    expect(await (await postJson(`${workerUrl}/increment`, { amount: 2 })).text()).toBe('Incremented');
    expect(await getJson(`${workerUrl}/value`)).toEqual({ value: 2 });
    expect(await getJson(`${autoscalerUrl}/api/workers`)).toMatchObject({
      workers: [{ id: 1, state: 'serving' }],
    });
    await stopsInGoodOrder(dev);
    await dev.prints(/"report":"update",.*"num_requests_recieved":2/);
    await dev.prints(/"state":"stopped","reason":"everything is finished and reported"/);
  });

  it('start helloautoscaler beside autoscaler --port reports to it', async () => {
    const autoscaler = npx(['autoscaler', '--port', '0']);
    const { url } = await autoscaler.logs('listening');
    const worker = npx(['start', 'helloautoscaler'], {
      CONTAINER_ID: '1',
      REPORT_ADDR: String(url),
      WORKER_PORT: '0',
    });
    await autoscaler.prints(/"workerId":1,.*"to":"serving"/);
    expect(await getJson(`${url}/api/workers`)).toMatchObject({ workers: [{ id: 1, state: 'serving' }] });
    await stopsInGoodOrder(worker);
    await stopsInGoodOrder(autoscaler);
  });

  it('dev ./my-backend.ts runs a TypeScript file', async () => {
    const dev = npx(['dev', './my-backend.ts', '--port', '0', '--autoscaler-port', '0']);
    const { workerUrl } = await dev.logs('listening');
    await dev.prints(/"state":"serving"/);
    const answer = await postJson(`${workerUrl}/echo`, { text: 'hello' });
    expect([answer.status, await answer.json()]).toEqual([200, { text: 'You said: hello' }]);
    const refused = await postJson(`${workerUrl}/echo`, { text: 1 });
    expect([refused.status, await refused.json()]).toEqual([
      400,
      { error: 'invalid_request', message: 'text: Invalid input: expected string, received number' },
    ]);
    await stopsInGoodOrder(dev);
  });

  it('start ./my-backend.ts runs it as on an instance', async () => {
    const worker = npx(['start', './my-backend.ts', '--port', '0'], {
      CONTAINER_ID: '1',
      REPORT_ADDR: 'http://127.0.0.1:9',
      TSWORKER_DRAIN_TIMEOUT: '1s',
    });
    const { port } = await worker.logs('listening');
    await worker.prints(/"state":"serving"/);
    const answer = await postJson(`http://127.0.0.1:${port}/echo`, { text: 'hello' });
    expect([answer.status, await answer.json()]).toEqual([200, { text: 'You said: hello' }]);
    await stopsInGoodOrder(worker);
  });
});

describe('the types', () => {
  const AUTOSCALER = `
import { LocalAutoscaler, type WorkerView } from 'tsworker/autoscaler';

export async function states(): Promise<WorkerView['state'][]> {
  const autoscaler = new LocalAutoscaler({ port: 0 });
  autoscaler.on('state', ({ to }) => console.log(to satisfies 'loading' | 'serving' | 'failing' | 'silent'));
  await autoscaler.start();
  const { workerId } = await autoscaler.waitForMessage(({ kind }) => kind === 'loaded');
  await autoscaler.stop();
  return autoscaler.workers().filter(({ id }) => id === workerId).map(({ state }) => state);
}`;
  const WORKER = `
import { Worker, createLog, defineBackend, readConfig } from 'tsworker';

const backend = defineBackend({ name: 'own', dialect: 'none', routes: { '/a': { handle: () => 'a' } } });
const result = readConfig({ WORKER_PORT: '0' });
if (!result.ok) throw new Error(result.problems.join());
const { config } = result;
export const started = createLog({ level: config.logLevel, terminal: false }).then((log) => new Worker(backend, config, { log }).start());
export const port: Promise<number> = started.then((ports) => ports.port);`;
  const KIT = `
import { Serverless } from 'tsworker/client';
import { expectPath, leakCheck, startFakeModel, startTestAutoscaler, startTestWorker, SteppedClock, transitionCoverage, workerMachines } from 'tsworker/testing';
import backend from './my-backend.js';

const { inspect } = transitionCoverage(workerMachines.lifecycle);
export async function tested(): Promise<number> {
  await using _leaks = leakCheck();
  await using model = await startFakeModel({ kind: 'tgi', behaviour: { healthStatus: 500 } });
  await using autoscaler = await startTestAutoscaler();
  await using worker = await startTestWorker(backend, { model, autoscaler, inspect, clock: new SteppedClock() });
  autoscaler.faults.next({ kind: 'slow', delayMs: 5 }, { times: 2, of: 'statuses' });
  await worker.reaches('serving');
  expectPath(worker).toInclude(['loaded', 'serving']);
  const { status }: Response = await worker.call('/echo', { text: 'x' });
  return status + (worker.requests[0]?.workload ?? 0) + model.requests.length;
}
export async function asked(): Promise<unknown> {
  const client = new Serverless({ apiKey: 'key', autoscalerUrl: 'http://127.0.0.1:8080' });
  const endpoint = await client.endpoint('my-endpoint');
  return endpoint.request('/echo', { text: 'x' }, { cost: 1 });
}`;
  const WRONG_TEST = `
import { startTestAutoscaler, startTestWorker } from 'tsworker/testing';
import backend from './my-backend.js';

export async function tested(): Promise<void> {
  const autoscaler = await startTestAutoscaler();
  autoscaler.faults.next('slow');
  const worker = await startTestWorker(backend, { autoscalr: autoscaler });
  await worker.reaches('reporting');
}`;
  const WRONG = `
import { defineBackend } from 'tsworker';
import { z } from 'zod';
export default defineBackend({
  name: 'wrong',
  dialect: 'modern',
  maxPerf: '100',
  init: () => ({ value: 1 }),
  routes: {
    '/a': {
      parseRequest: z.object({ text: z.string() }),
      workload: ({ txt }) => 1,
      example: { text: 1 },
      handle: ({ state, body }) => state.missing + body.nope,
    },
    '/b': { method: 'FETCH', handle: () => 1 },
    '/c': { handel: () => 1 },
  },
});`;

  beforeAll(() => {
    writeFileSync(join(project, 'autoscaler.ts'), AUTOSCALER);
    writeFileSync(join(project, 'worker.ts'), WORKER);
    writeFileSync(join(project, 'wrong.ts'), WRONG);
    writeFileSync(join(project, 'kit.ts'), KIT);
    writeFileSync(join(project, 'wrong-test.ts'), WRONG_TEST);
  });

  /** What the compiler says, without any package of types installed. */
  function check(compilerOptions: object, files: readonly string[]): string[] {
    const config = join(project, 'tsconfig.json');
    writeFileSync(
      config,
      JSON.stringify({ compilerOptions: { noEmit: true, strict: true, ...compilerOptions }, files }),
    );
    try {
      execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', config], {
        cwd: project,
        encoding: 'utf8',
      });
      return [];
    } catch (error) {
      const { stdout } = error as { stdout: string };
      return stdout.trimEnd().split('\n');
    }
  }

  describe.each([
    ['nodenext', 'nodenext', true],
    ['nodenext', 'nodenext', false],
    ['esnext', 'bundler', true],
    ['esnext', 'bundler', false],
  ])('with module %s, moduleResolution %s, skipLibCheck %s', (module, moduleResolution, skipLibCheck) => {
    const options = { target: 'es2023', module, moduleResolution, skipLibCheck };

    it('hold', () => {
      expect(check(options, ['my-backend.ts', 'autoscaler.ts', 'worker.ts'])).toEqual([]);
    });

    it('of the test kit and of the client hold', () => {
      const lib = ['es2023', 'dom', 'dom.iterable', 'esnext.disposable'];
      expect(check({ ...options, lib }, ['kit.ts'])).toEqual([]);
    });
  });

  it.each([
    [
      'a backend',
      'wrong.ts',
      WRONG,
      [
        "dialect: 'modern',",
        "maxPerf: '100',",
        'workload: ({ txt }) => 1,',
        'example: { text: 1 },',
        'handle: ({ state, body }) => state.missing + body.nope,',
        'handle: ({ state, body }) => state.missing + body.nope,',
        "'/b': { method: 'FETCH', handle: () => 1 },",
        "'/c': { handel: () => 1 },",
      ],
    ],
    [
      'a test',
      'wrong-test.ts',
      WRONG_TEST,
      [
        "autoscaler.faults.next('slow');",
        'const worker = await startTestWorker(backend, { autoscalr: autoscaler });',
        "await worker.reaches('reporting');",
      ],
    ],
  ])('tell what is wrong with %s', (_, file, text, wrong) => {
    const options = {
      target: 'es2023',
      module: 'nodenext',
      moduleResolution: 'nodenext',
      skipLibCheck: true,
    };
    const told = check(options, [file]).flatMap((line) => /^[\w-]+\.ts\((\d+),/.exec(line)?.[1] ?? []);
    const lines = text.split('\n');
    expect(told.map((line) => lines[Number(line) - 1]?.trim())).toEqual(wrong);
  });
});
