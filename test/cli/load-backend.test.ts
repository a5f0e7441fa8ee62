import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
});
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
      `import { defineBackend } from 'tsworker';\ninterface A { a: 1 }\nexport default defineBackend({ name: 'x', routes: {} });`,
      1,
      'FILE:3: defineBackend: maxPerf must be a positive number of units of work per second',
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
