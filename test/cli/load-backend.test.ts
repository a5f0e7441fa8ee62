import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backends } from '../../backends/index.js';
import { UserError } from '../../src/cli/exit.js';
import { loadBackend } from '../../src/cli/load-backend.js';
import { loadSettings } from '../../src/cli/settings.js';
import { readConfig } from '../../src/config/index.js';
import { postJson } from '../support/client.js';
import { Project } from './project.js';

/** A backend of a user. The type annotation is for TypeScript alone. */
const backend = (annotation = ''): string => `
import { defineBackend } from 'tsworker';
import { z } from 'zod';
import { greeting } from './greeting.js';
export default defineBackend({
  name: 'mine',
  dialect: 'none',
  init: ()${annotation} => ({ greeting }),
  routes: {
    '/greet': {
      parseRequest: z.object({ name: z.string() }),
      handle: ({ state, body }) => ({ text: state.greeting + ' ' + body.name }),
    },
  },
});
`;
const TYPESCRIPT = backend(': { greeting: string }');
const GREETING = { js: `export const greeting = 'Hello';`, ts: `export const greeting: string = 'Hello';` };

let project: Project;
beforeAll(() => {
  project = new Project();
}, 60_000);
afterAll(() => project.remove());

const ANYWHERE = ['--host', '127.0.0.1', '--port', '0', '--internal-port', '0'];

describe("a user's own file runs", () => {
  it.each<[file: string, packageJson: string | undefined, content: string, greeting: 'js' | 'ts']>([
    ['backend.ts', undefined, TYPESCRIPT, 'ts'],
    ['backend.ts', '{"type":"commonjs"}', TYPESCRIPT, 'ts'],
    ['backend.ts', '{"type":"module"}', TYPESCRIPT, 'ts'],
    ['backend.mts', undefined, TYPESCRIPT, 'ts'],
    ['backend.mjs', '{"type":"module"}', backend(), 'js'],
    ['backend.js', '{"type":"module"}', backend(), 'js'],
  ])('%s beside a package.json of %s', async (file, packageJson, content, language) => {
    const folder = `runs/${file}-${packageJson?.replaceAll(/\W/g, '') ?? 'none'} of-me`;
    const path = project.write(`${folder}/${file}`, content);
    project.write(`${folder}/greeting.${language}`, GREETING[language]);
    if (packageJson !== undefined) project.write(`${folder}/package.json`, packageJson);
    const worker = project.start(['start', ...ANYWHERE], { BACKEND: path });
    const { port } = await worker.logs('listening');
    await worker.prints(/"state":"serving"/);
    const answer = await postJson(`http://127.0.0.1:${port}/greet`, { name: 'you' });
    expect({ status: answer.status, body: await answer.json() }).toEqual({
      status: 200,
      body: { text: 'Hello you' },
    });
    const refused = await postJson(`http://127.0.0.1:${port}/greet`, { name: 1 });
    expect({ status: refused.status, body: await refused.json() }).toEqual({
      status: 400,
      body: {
        error: 'invalid_request',
        message: 'name: Invalid input: expected string, received number',
      },
    });
    expect(await worker.stop()).toEqual({ code: 0, stderr: '' });
  });
});

describe.concurrent("a user's own file that does not work is told in one line", () => {
  const noDefault = 'has no backend as its default export; write "export default defineBackend({...})".';
  const commonJs =
    'it is taken for CommonJS: name it .mjs, or set "type": "module" in the package.json beside it';

  it.each<[name: string, content: string, code: number, error: string]>([
    ['no-default.ts', 'export const a: number = 1;', 2, `FILE ${noDefault}`],
    ['no-backend.mjs', 'export default { name: "x", routes: {} };', 2, `FILE ${noDefault}`],
    [
      'wrong-definition.mjs',
      `import { defineBackend } from 'tsworker';\n\nexport default defineBackend({ name: '', maxPerf: 1, routes: {} });`,
      1,
      `FILE:3: defineBackend: name must be letters, digits, ".", "_" or "-"`,
    ],
    [
      'wrong-definition.ts',
      `import { defineBackend } from 'tsworker';\ninterface A { a: 1 }\nexport default defineBackend({ name: 'x', routes: { '/a': { handle: () => 1 } } });`,
      1,
      'FILE:3: defineBackend: maxPerf must be a positive number of units of work per second, unless a route has a benchmark',
    ],
    ['syntax.mjs', 'const a = 1;\nconst b = ;\n', 1, `FILE:2: SyntaxError: Unexpected token ';'`],
    ['syntax.ts', 'const a = 1;\nconst b: number = ;\n', 1, 'FILE:2: SyntaxError: Unexpected ";"'],
    [
      'of-another.mjs',
      `import './syntax-of-another.mjs';`,
      1,
      `FILE, or a file that it imports: SyntaxError: Unexpected token ';'`,
    ],
    [
      'no-export.mjs',
      `\nimport { define } from 'tsworker';\nexport default define;`,
      1,
      `FILE:2: SyntaxError: The requested module 'tsworker' does not provide an export named 'define'`,
    ],
    ['throws.mjs', '\n\nthrow new RangeError("too much");', 1, 'FILE:3: RangeError: too much'],
    ['throws.ts', '\n\nthrow new RangeError("too much" as string);', 1, 'FILE:3: RangeError: too much'],
    ['throws-text.mjs', 'throw "a text";', 1, 'FILE: a text'],
    [
      'no-package.mjs',
      `import 'not-there';`,
      1,
      'FILE imports not-there, which is not installed beside it; run: npm install not-there',
    ],
    [
      'no-package.ts',
      `import '@not/there/sub';`,
      1,
      'FILE imports @not/there, which is not installed beside it; run: npm install @not/there',
    ],
    [
      'no-file.ts',
      `import './not-there.js';`,
      1,
      `FILE: Cannot find module 'DIR/not-there.js' imported from FILE`,
    ],
    [
      'common/esm.js',
      `import { defineBackend } from 'tsworker';`,
      1,
      `FILE:1: SyntaxError: Cannot use import statement outside a module; ${commonJs}`,
    ],
  ])('%s', async (name, content, code, error) => {
    project.write('syntax-of-another.mjs', 'const c = ;');
    project.write('common/package.json', '{"type":"commonjs"}');
    const path = project.write(name, content);
    const ended = await project.run(['start', `./${name}`, ...ANYWHERE], { NODE_NO_WARNINGS: '1' });
    const expected = error.replaceAll('FILE', path).replaceAll('DIR', project.dir);
    expect(ended).toEqual({ code, stdout: '', stderr: `error: ${expected}\n` });
  });

  it('tsworker is not installed beside it', async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tsworker-alone-')));
    const path = join(folder, 'backend.ts');
    writeFileSync(path, TYPESCRIPT);
    const ended = await project.run(['start', path, ...ANYWHERE]);
    rmSync(folder, { recursive: true });
    expect(ended).toEqual({
      code: 1,
      stdout: '',
      stderr: `error: ${path} imports tsworker, which is not installed beside it; run: npm install tsworker\n`,
    });
  });
});

describe('the loader of TypeScript', () => {
  let without: Project;
  beforeAll(() => {
    without = new Project({ without: ['tsx'] });
    without.write('greeting.js', GREETING.js);
    without.write('package.json', '{"type":"module"}');
  });
  afterAll(() => without.remove());

  it('is not needed by what is JavaScript', async () => {
    expect((await without.run(['backends'])).code).toBe(0);
    for (const name of ['helloworld', without.write('mine.mjs', backend())]) {
      const worker = without.start(['start', name, ...ANYWHERE]);
      await worker.logs('listening');
      expect(await worker.stop()).toEqual({ code: 0, stderr: '' });
    }
  });

  it('is needed by what is TypeScript', async () => {
    const { code, stderr } = await without.run(['start', without.write('mine.ts', TYPESCRIPT), ...ANYWHERE]);
    expect(code).toBe(1);
    expect(stderr).toContain("Cannot find package 'tsx'");
  });
});

/** The settings of a worker in this environment. */
function settingsOf(env: Readonly<Record<string, string>> = {}) {
  const result = readConfig(env);
  if (!result.ok) throw new Error(result.problems.join());
  return loadSettings(env, result.config);
}

describe('a backend that comes with the package', () => {
  it.each(Object.keys(backends).filter((name) => name !== 'function'))(
    '%s loads by its name',
    async (name) => {
      expect((await loadBackend(name, settingsOf())).name).toBe(name);
    },
  );

  it.each<[env: Record<string, string>, expected: string]>([
    [{}, 'http://127.0.0.1:8000'],
    [{ TSWORKER_PRESET: 'ollama' }, 'http://127.0.0.1:11434'],
  ])('is made by the settings %o', async (env, expected) => {
    expect((await loadBackend('openai', settingsOf(env))).model?.url).toBe(expected);
  });

  it('is told the dialect', async () => {
    const { dialect } = await loadBackend('tgi', settingsOf({ TSWORKER_DIALECT: 'legacy' }));
    expect(dialect).toBe('legacy');
  });

  it.each<[name: string, env: Record<string, string>, problem: string]>([
    [
      'openai',
      { TSWORKER_PRESET: 'nope' },
      'unknown preset "nope" of openai; it takes vllm, sglang, llamacpp, ollama.',
    ],
    ['comfyui', { TSWORKER_PRESET: 'nope' }, 'unknown preset "nope" of comfyui; it takes flux, sd3.'],
    [
      'function',
      {},
      'function needs --functions or TSWORKER_FUNCTIONS: the file whose exported functions are served.',
    ],
    [
      'function',
      { TSWORKER_FUNCTIONS: './functions' },
      'the functions are to be in "./functions"; it takes the path of a file that ends in .ts, .mts, .js, .mjs.',
    ],
    [
      'function',
      { TSWORKER_FUNCTIONS: '/no/such.ts' },
      'there is no file /no/such.ts to take functions from.',
    ],
  ])('%s tells what is wrong with %o', async (name, env, problem) => {
    await expect(loadBackend(name, settingsOf(env))).rejects.toEqual(new UserError(problem));
  });
});

describe('a file whose default export is a function', () => {
  const factory = (made: string, before = '') => `
import { defineBackend } from 'tsworker';
export default ${before}({ env, preset }) => ${made};
`;
  const good = `defineBackend({
  name: 'made',
  dialect: 'none',
  routes: { '/greet': { handle: () => env.GREETING + ' ' + preset } },
})`;

  it.each([
    ['makes', ''],
    ['promises', 'async '],
  ])('%s a backend by the settings', async (_does, before) => {
    const path = project.write(`made${before.length}.mjs`, factory(good, before));
    const worker = project.start(['start', path, '--preset', 'you', ...ANYWHERE], { GREETING: 'Hello' });
    const { port } = await worker.logs('listening');
    await worker.prints(/"state":"serving"/);
    expect(await (await postJson(`http://127.0.0.1:${port}/greet`, {})).text()).toBe('Hello you');
    expect(await worker.stop()).toEqual({ code: 0, stderr: '' });
  });

  it.each<[name: string, content: string, code: number, error: string]>([
    [
      'makes-none.mjs',
      factory('7'),
      2,
      'the function that FILE exports by default returns no backend; let it return defineBackend({...}).',
    ],
    [
      'makes-wrong.mjs',
      factory(`defineBackend({ name: '', routes: {} })`),
      1,
      'FILE:3: defineBackend: name must be letters, digits, ".", "_" or "-"',
    ],
  ])('%s is told in one line', async (name, content, code, error) => {
    const path = project.write(name, content);
    const ended = await project.run(['start', path, ...ANYWHERE], { TSWORKER_BEACON: 'false' });
    expect(ended).toEqual({ code, stdout: '', stderr: `error: ${error.replaceAll('FILE', path)}\n` });
  });
});

describe('a file of functions', () => {
  const env = {
    CONTAINER_ID: '1',
    UNSECURED: 'true',
    PUBLIC_IPADDR: '127.0.0.1',
    REPORT_ADDR: 'http://127.0.0.1:9',
  };

  it('is served in TypeScript', async () => {
    const path = project.write('functions.ts', 'export const twice = ({ n }: { n: number }) => n * 2;');
    const worker = project.start(['start', 'function', '--functions', path, ...ANYWHERE], env);
    const { port } = await worker.logs('listening');
    await worker.prints(/"state":"serving"/);
    const answer = await postJson(`http://127.0.0.1:${port}/twice`, { payload: { n: 4 } });
    expect({ status: answer.status, body: await answer.json() }).toEqual({
      status: 200,
      body: { result: 8 },
    });
  });

  it.each<[content: string, code: number, error: string]>([
    ['export const a = 1;', 2, 'there is no exported function to serve'],
    ['\nthrow new RangeError("too much" as string);', 1, 'FILE:2: RangeError: too much'],
  ])('that has %j is told in one line', async (content, code, error) => {
    const path = project.write('wrong-functions.ts', content);
    const ended = await project.run(['start', 'function', '--functions', path, ...ANYWHERE], {
      ...env,
      TSWORKER_BEACON: 'false',
    });
    expect(ended).toEqual({ code, stdout: '', stderr: `error: ${error.replaceAll('FILE', path)}\n` });
  });
});
