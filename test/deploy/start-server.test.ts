import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { folderOf, Sandbox, started } from './sandbox.js';

let sandbox: Sandbox;

beforeEach(() => {
  sandbox = new Sandbox();
});
afterEach(() => sandbox.remove());

const TOKEN = 'f00dfeed-secret';
const SECRET = { MASTER_TOKEN: TOKEN };

/** The names that npm was asked for. */
const npmInstalls = () => sandbox.record.filter((line) => line.startsWith('npm install'));
const workerStarts = () => sandbox.record.filter((line) => line.startsWith('tsworker start'));

describe('an installed package', () => {
  beforeEach(() => void sandbox.withNode());

  test('is started with the defaults of a rented instance, and nothing is said', async () => {
    const { code, stdout, stderr } = await sandbox.run(sandbox.installed(), ['helloautoscaler'], SECRET);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(started(stdout)).toMatchObject({
      argv: ['helloautoscaler'],
      env: {
        BACKEND: 'helloautoscaler',
        REPORT_ADDR: 'https://run.vast.ai',
        WORKER_PORT: '3000',
        MASTER_TOKEN: TOKEN,
      },
      cwd: sandbox.root,
    });
    expect(sandbox.has('home/.tsworker')).toBe(false);
  });

  test.each([
    { given: { WORKER_PORT: '4000', AUTH_PORT: '5000' }, port: '4000' },
    { given: { AUTH_PORT: '5000' }, port: '5000' },
    { given: { WORKER_PORT: '', AUTH_PORT: '' }, port: '3000' },
  ])('listens on $port with $given', async ({ given, port }) => {
    const { stdout } = await sandbox.run(sandbox.installed(), ['helloworld'], given);
    expect(started(stdout).env.WORKER_PORT).toBe(port);
  });

  test('keeps what the user has set', async () => {
    const given = {
      REPORT_ADDR: 'http://127.0.0.1:8080,http://127.0.0.1:8081',
      CONTAINER_ID: '12',
      ...SECRET,
    };
    const { stdout } = await sandbox.run(sandbox.installed(), ['helloworld'], { ...given, BACKEND: 'other' });
    expect(started(stdout).env).toMatchObject({ ...given, BACKEND: 'helloworld' });
  });

  test.each([
    { form: 'the backend alone', args: ['helloworld'], passed: ['helloworld'] },
    { form: 'a path before it', args: ['/opt/of mine', 'helloworld'], passed: ['helloworld'] },
    {
      form: 'options after it',
      args: ['helloworld', '--log', 'a b', '*'],
      passed: ['helloworld', '--log', 'a b', '*'],
    },
    {
      form: 'a path and options',
      args: ['relative', 'helloworld', '--log', ''],
      passed: ['helloworld', '--log', ''],
    },
  ])('takes $form', async ({ args, passed }) => {
    const { code, stdout } = await sandbox.run(sandbox.installed(), args);
    expect(code).toBe(0);
    expect(started(stdout)).toMatchObject({ argv: passed, env: { BACKEND: 'helloworld' } });
  });

  test("takes a file of the user's own, seen from where the user stands", async () => {
    writeFileSync(join(sandbox.root, 'mine.ts'), '');
    const script = sandbox.installed();
    for (const file of ['mine.ts', './mine.ts']) {
      const { code, stdout } = await sandbox.run(script, [file, '--log', 'info']);
      expect(code).toBe(0);
      expect(started(stdout).argv).toEqual([file, '--log', 'info']);
    }
  });

  test('is asked for its backends only where no file tells', async () => {
    const script = sandbox.installed();
    await sandbox.run(script, ['helloworld']);
    expect(sandbox.record).toEqual(['tsworker start helloworld']);
    await sandbox.run(script, ['helloautoscaler']);
    expect(sandbox.record.slice(1)).toEqual(['tsworker backends', 'tsworker start helloautoscaler']);
  });

  test('is found through a link to the script', async () => {
    const link = join(sandbox.root, 'start');
    symlinkSync(sandbox.installed(), link);
    const { code } = await sandbox.run(link, ['helloworld']);
    expect(code).toBe(0);
  });

  test('works where HOME is not set', async () => {
    const { code } = await sandbox.run('/usr/bin/env', ['-u', 'HOME', sandbox.installed(), 'helloworld']);
    expect(code).toBe(0);
  });

  test('that does not run is told, with what to do', async () => {
    const script = sandbox.installed();
    const { code, stderr } = await sandbox.run(script, ['helloautoscaler'], { BROKEN: '1', ...SECRET });
    expect(code).toBe(1);
    expect(stderr).toContain('a dependency is missing');
    expect(stderr).toContain(`the tsworker in ${folderOf(script)} does not run`);
    expect(workerStarts()).toEqual([]);
  });

  test("launch_helloautoscaler.sh starts it with that backend, and passes arguments and the worker's exit code on", async () => {
    const launch = join(folderOf(sandbox.installed()), 'deploy/vast/launch_helloautoscaler.sh');
    const { code, stdout } = await sandbox.run(launch, ['--fail', 'a b'], SECRET);
    expect(code).toBe(3);
    expect(started(stdout)).toMatchObject({
      argv: ['helloautoscaler', '--fail', 'a b'],
      env: { BACKEND: 'helloautoscaler', WORKER_PORT: '3000' },
    });
  });
});

describe('a wrong call', () => {
  beforeEach(() => void sandbox.withNode());

  test.each([
    { what: 'no backend', args: [], says: 'no backend given' },
    { what: 'an empty backend', args: [''], says: 'no backend given' },
    { what: 'an option first', args: ['--log', 'info'], says: "the backend comes first, got '--log'" },
    {
      what: 'an unknown backend',
      args: ['hello'],
      says: "unknown backend 'hello'; there are: helloautoscaler, helloworld",
    },
    { what: 'an unknown backend after a path', args: ['/opt/x', 'Says'], says: "unknown backend 'Says'" },
    { what: 'a pattern for a backend', args: ['hello*'], says: "unknown backend 'hello*'" },
    { what: 'a file that is not there', args: ['./none.ts'], says: "there is no file './none.ts'" },
  ])('with $what is refused in one line with exit code 2, and nothing is started', async ({ args, says }) => {
    const { code, stdout, stderr } = await sandbox.run(sandbox.installed(), args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^start_server: [^\n]*\n$/);
    expect(stderr).toContain(says);
    expect(workerStarts()).toEqual([]);
  });

  test.each(['--help', '-h'])('%s explains the call', async (option) => {
    const { code, stdout, stderr } = await sandbox.run(sandbox.installed(), [option]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Usage: start_server.sh <backend>');
    expect(sandbox.record).toEqual([]);
  });
});

describe('the token', () => {
  beforeEach(() => void sandbox.withNode());

  test.each([
    { what: 'is missing', given: {}, says: /^start_server: warning: MASTER_TOKEN is not set: [^\n]*\n$/ },
    { what: 'is empty', given: { MASTER_TOKEN: '' }, says: /warning: MASTER_TOKEN is not set/ },
    {
      what: 'is the word of old launchers',
      given: { MASTER_TOKEN: 'mtoken' },
      says: /^start_server: warning: MASTER_TOKEN is the word that old launchers set[^\n]*\n$/,
    },
  ])('that $what is warned about and left as it is', async ({ given, says }) => {
    const { code, stdout, stderr } = await sandbox.run(sandbox.installed(), ['helloworld'], given);
    expect(code).toBe(0);
    expect(stderr).toMatch(says);
    expect(stderr).not.toContain('mtoken');
    expect(started(stdout).env.MASTER_TOKEN).toBe(given.MASTER_TOKEN);
  });

  test('is never printed, and no step of an installation gets it', async () => {
    sandbox.withNpm();
    const { code, stdout, stderr } = await sandbox.run(sandbox.alone(), ['helloworld'], SECRET);
    expect(code).toBe(0);
    expect(stderr).not.toContain(TOKEN);
    expect(started(stdout).env.MASTER_TOKEN).toBe(TOKEN);
    expect(npmInstalls()).toHaveLength(1);
    expect(sandbox.record).not.toContain('npm got the token');
  });
});

describe('the script becomes the worker', () => {
  test('so that SIGTERM reaches it and its exit code comes through', async () => {
    const running = sandbox.withNode().start(sandbox.installed(), ['helloworld', '--until-sigterm'], SECRET);
    const { pid } = started(await running.written('stdout', /\n/));
    expect(pid).toBe(running.child.pid);
    running.child.kill('SIGTERM');
    expect(await running.outcome).toMatchObject({ code: 7, signal: null });
  });

  test('and SIGTERM while something is being installed stops that too', async () => {
    sandbox.withNode().withNpm('slow');
    const running = sandbox.start(sandbox.alone(), ['helloworld'], SECRET);
    await running.written('stderr', /npm is at work/);
    running.child.kill('SIGTERM');
    const { code, stderr } = await running.outcome;
    expect(code).toBe(143);
    expect(stderr).toContain('stopped while installing');
    expect(sandbox.record).toEqual(['npm was told to stop']);
  });
});

describe('Node', () => {
  const NODE_INSTALL =
    /^npm install --prefix \S+\/home\/\.tsworker\/node .*node-linux-(x64|arm64)@20 npm@10$/;

  test.each(['v18.19.0', 'v20.17.0', ''])(
    'that says "%s" is replaced by a newer one from npm',
    async (version) => {
      sandbox.withOldNode(version).withNpm().withAptGet();
      const { code, stdout, stderr } = await sandbox.run(sandbox.installed(), ['helloworld'], SECRET);
      expect({ code, stderr }).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('installing Node 20'),
      });
      expect(sandbox.record).toEqual([expect.stringMatching(NODE_INSTALL), 'tsworker start helloworld']);
      expect(started(stdout).env.PATH).toBe(
        `${sandbox.home}/.tsworker/node/node_modules/.bin:${sandbox.bin}`,
      );
    },
  );

  test('that was installed once is used from then on, without a word', async () => {
    sandbox.withOldNode().withNpm();
    const script = sandbox.installed();
    await sandbox.run(script, ['helloworld'], SECRET);
    const { code, stderr } = await sandbox.run(script, ['helloworld'], SECRET);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(npmInstalls()).toHaveLength(1);
  });

  test('and npm that are both missing are installed by apt-get, and a newer Node by that npm', async () => {
    sandbox.withAptGet();
    const { code } = await sandbox.run(sandbox.installed(), ['helloworld'], SECRET);
    expect(code).toBe(0);
    expect(sandbox.record).toEqual([
      'apt-get update -qq',
      expect.stringMatching(/^apt-get install -y .*--no-install-recommends nodejs npm ca-certificates$/),
      expect.stringMatching(NODE_INSTALL),
      'tsworker start helloworld',
    ]);
  });

  test('from apt-get is enough where it is new enough, and a package source that is gone does not matter', async () => {
    sandbox.withAptGet();
    const gone = { APT_HAS_NODE: '1', APT_UPDATE_FAILS: '1' };
    const { code, stderr } = await sandbox.run(sandbox.installed(), ['helloworld'], gone);
    expect(code).toBe(0);
    expect(stderr).toContain('apt-get update failed');
    expect(npmInstalls()).toEqual([]);
  });

  test('of another version, and in another place, as told', async () => {
    sandbox.withOldNode().withNpm();
    const version = { TSWORKER_NODE_VERSION: '22.12.0' };
    const { code } = await sandbox.run(sandbox.installed(), ['place', 'helloworld'], version);
    expect(code).toBe(0);
    expect(npmInstalls()).toEqual([expect.stringMatching(/node-linux-\w+@22\.12\.0 npm@10$/)]);
    expect(sandbox.has('place/node/node_modules/.bin/node')).toBe(true);
  });

  test.each([
    { what: 'neither npm nor apt-get', prepare: () => {}, env: {}, says: 'neither npm nor apt-get' },
    {
      what: 'an apt-get that fails',
      prepare: () => sandbox.withAptGet(),
      env: { APT_FAILS: '1' },
      says: 'mend its package sources',
    },
    {
      what: 'an npm that fails',
      prepare: () => sandbox.withNpm(),
      env: { NPM_FAILS: '1' },
      says: 'set TSWORKER_NODE_VERSION',
    },
    {
      what: 'a Node that does not run here',
      prepare: () => sandbox.withNpm(),
      env: { REAL_NODE: '/none' },
      says: 'does not run here',
    },
  ])('with $what: told what failed and what to change', async ({ prepare, env, says }) => {
    prepare();
    const { code, stdout, stderr } = await sandbox.run(sandbox.installed(), ['helloworld'], env);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n').at(-1)).toContain(says);
    expect(workerStarts()).toEqual([]);
  });
});

describe('a checkout without dist', () => {
  beforeEach(() => void sandbox.withNode().withNpm());

  test('is built first, once', async () => {
    const script = sandbox.checkout();
    const first = await sandbox.run(script, ['helloworld'], SECRET);
    expect(first.code).toBe(0);
    expect(first.stderr).toContain(`building tsworker in ${folderOf(script)}`);
    const second = await sandbox.run(script, ['helloworld'], SECRET);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(sandbox.record.filter((line) => line.startsWith('npm'))).toEqual([
      expect.stringMatching(new RegExp(`^npm --prefix ${folderOf(script)} ci --include=dev `)),
      `npm --prefix ${folderOf(script)} run build`,
    ]);
  });

  test('is also found as the installation path of a script that lies alone', async () => {
    sandbox.checkout();
    const { code } = await sandbox.run(sandbox.alone(), ['checkout', 'helloworld']);
    expect(code).toBe(0);
    expect(npmInstalls()).toEqual([]);
  });

  test.each([
    { what: 'its install', env: { NPM_FAILS: '1' }, says: 'npm ci failed' },
    { what: 'its build', env: { BUILD_FAILS: '1' }, says: 'npm run build failed' },
  ])('says so when $what fails, and leaves no half a build', async ({ env, says }) => {
    const { code, stderr } = await sandbox.run(sandbox.checkout(), ['helloworld'], env);
    expect(code).toBe(1);
    expect(stderr).toContain(says);
    expect(sandbox.has('checkout/dist')).toBe(false);
    expect(workerStarts()).toEqual([]);
  });
});

describe('the script copied alone', () => {
  beforeEach(() => void sandbox.withNode().withNpm());

  test('installs the package into the home folder, once', async () => {
    const script = sandbox.alone();
    expect(await sandbox.run(script, ['helloworld'], SECRET)).toMatchObject({
      code: 0,
      stderr: `start_server: installing tsworker into ${sandbox.home}/.tsworker\n`,
    });
    expect(await sandbox.run(script, ['helloworld'], SECRET)).toMatchObject({ code: 0, stderr: '' });
    expect(npmInstalls()).toEqual([
      expect.stringMatching(
        new RegExp(`^npm install --prefix ${sandbox.home}/.tsworker --omit=dev .*tsworker$`),
      ),
    ]);
  });

  test.each([
    { args: ['helloworld'], env: { TSWORKER_HOME: 'by variable' }, place: 'by variable' },
    { args: ['by argument', 'helloworld'], env: { TSWORKER_HOME: 'other' }, place: 'by argument' },
  ])('installs into the path given $place', async ({ args, env, place }) => {
    const { code } = await sandbox.run(sandbox.alone(), args, env);
    expect(code).toBe(0);
    expect(sandbox.has(join(place, 'node_modules/tsworker'))).toBe(true);
  });

  test('installs what TSWORKER_PACKAGE names, and again when it names something else', async () => {
    const script = sandbox.alone();
    writeFileSync(join(sandbox.root, 'own.tgz'), '');
    for (const spec of ['tsworker@0.1.0', 'own.tgz', 'own.tgz']) {
      const { code } = await sandbox.run(script, ['helloworld'], { TSWORKER_PACKAGE: spec });
      expect(code).toBe(0);
    }
    expect(npmInstalls()).toEqual([
      expect.stringMatching(/ tsworker@0\.1\.0$/),
      expect.stringMatching(new RegExp(` ${sandbox.root}/own.tgz$`)),
    ]);
  });

  test('installs again what was cut short', async () => {
    const script = sandbox.alone();
    sandbox.package(join(sandbox.home, '.tsworker/node_modules/tsworker'));
    expect((await sandbox.run(script, ['helloworld'])).code).toBe(0);
    expect(npmInstalls()).toHaveLength(1);
  });

  test('brings npm along where Node is there without it', async () => {
    sandbox.program(sandbox.bin, 'npm', '#!/usr/bin/env bash\nexit 1\n');
    const { code } = await sandbox.withAptGet().run(sandbox.alone(), ['helloworld']);
    expect(code).toBe(0);
    expect(sandbox.record.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'apt-get update',
      'apt-get install',
      'npm install',
      'tsworker start',
    ]);
  });

  test.each([
    { what: 'npm cannot install it', env: { NPM_FAILS: '1' }, says: 'npm could not install tsworker' },
    {
      what: 'it is something else',
      env: { TSWORKER_PACKAGE: 'left-pad' },
      says: 'it is not a built tsworker',
    },
    {
      what: 'the folder cannot be made',
      env: { TSWORKER_HOME: 'a-file/home' },
      says: 'set TSWORKER_HOME',
    },
  ])('says so when $what', async ({ env, says }) => {
    writeFileSync(join(sandbox.root, 'a-file'), '');
    const { code, stderr } = await sandbox.run(sandbox.alone(), ['helloworld'], env);
    expect(code).toBe(1);
    expect(stderr).toContain(says);
    expect(workerStarts()).toEqual([]);
  });

  test('works in a folder with a space in its name', async () => {
    const dir = join(sandbox.root, 'my scripts');
    mkdirSync(dir);
    cpSync(sandbox.alone(), join(dir, 'start_server.sh'));
    const { code } = await sandbox.run(join(dir, 'start_server.sh'), ['my scripts/home', 'helloworld']);
    expect(code).toBe(0);
    expect(sandbox.has('my scripts/home/node_modules/tsworker')).toBe(true);
  });
});
