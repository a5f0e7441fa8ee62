import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/**
 * Who may import whom. The sources are read as text, never run, and each import counts: static,
 * dynamic, of types, and re-exports.
 */
type Sources = ReadonlyMap<string, string>;

interface Import {
  /** The importing file. */
  readonly from: string;
  /** The imported file of this repository, or the name of a package: `xstate`, `node:http`. */
  readonly to: string;
  /** Erased when it is compiled. */
  readonly ofTypes: boolean;
}

interface Rule {
  readonly name: string;
  /** The files that the rule is about. */
  readonly about: RegExp;
  /** What they may import: all else breaks the rule. */
  readonly may?: readonly RegExp[];
  /** What they may import the types of. */
  readonly mayTypes?: readonly RegExp[];
  /** What they must not import, whatever else they may. */
  readonly mustNot?: RegExp;
}

const ANYTHING = /^/;

/** Rooms that do not know one another. */
const ROOMS = ['http', 'report', 'model', 'inspect'];

const RULES: readonly Rule[] = [
  {
    name: 'machines know xstate and one another',
    about: /^machines\//,
    may: [/^machines\//, /^xstate$/],
  },
  {
    name: 'dialects are pure',
    about: /^src\/dialects\//,
    may: [/^src\/dialects\//, /^src\/errors\.ts$/, /^zod$/],
    mayTypes: [/^machines\//],
  },
  {
    name: 'the configuration is pure',
    about: /^src\/config\//,
    may: [/^src\/config\//, /^src\/duration\.ts$/, /^src\/errors\.ts$/, /^src\/log-levels\.ts$/, /^zod$/],
    mayTypes: [/^machines\//, /^src\/log\.ts$/],
  },
  {
    name: 'the contract of a backend is pure',
    about: /^src\/backend\//,
    may: [/^src\/backend\//, /^src\/duration\.ts$/, /^src\/errors\.ts$/, /^zod$/, /^@standard-schema\/spec$/],
    mayTypes: [/^machines\//, /^src\/log\.ts$/],
  },
  {
    name: 'a backend knows the contract, zod and undici',
    about: /^backends\/(?!index\.ts$)/,
    may: [/^src\/backend\//, /^zod$/, /^undici$/],
  },
  {
    name: 'the list of backends knows the contract and the backends',
    about: /^backends\/index\.ts$/,
    may: [/^src\/backend\//, /^backends\//],
  },
  ...ROOMS.map((room) => ({
    name: `src/${room} does not know the rooms beside it`,
    about: new RegExp(`^src/${room}/`),
    mustNot: new RegExp(`^src/(${ROOMS.filter((other) => other !== room).join('|')})/`),
  })),
  {
    name: 'what every server needs knows errors',
    about: /^src\/net\//,
    may: [/^src\/net\//, /^src\/errors\.ts$/, /^node:/],
  },
  {
    name: 'authentication knows errors',
    about: /^src\/auth\//,
    may: [/^src\/auth\//, /^src\/errors\.ts$/, /^node:/],
    mayTypes: [/^src\/dialects\//],
  },
  {
    name: 'the autoscaler knows dialects, machines and errors',
    about: /^src\/autoscaler\//,
    may: [
      /^src\/autoscaler\//,
      /^src\/net\//,
      /^src\/auth\/equal\.ts$/,
      /^src\/dialects\//,
      /^machines\//,
      /^src\/errors\.ts$/,
      /^(?!src\/|backends\/)/,
    ],
  },
  {
    name: 'a simulation knows machines, the types of settings and errors',
    about: /^src\/simulate\//,
    may: [
      /^src\/simulate\//,
      /^machines\//,
      /^src\/config\/types\.ts$/,
      /^src\/errors\.ts$/,
      /^src\/report-page\//,
      /^node:(fs|fs\/promises|readline)$/,
      /^(xstate|zod)$/,
    ],
  },
  {
    name: 'the client runs anywhere: it knows the rule of its attempts and its event emitter',
    about: /^src\/client\//,
    may: [/^src\/client\//, /^machines\/attempts\.ts$/, /^eventemitter3$/],
  },
  {
    name: 'the load knows the client, and what is written for people',
    about: /^src\/load\//,
    may: [
      /^src\/load\//,
      /^src\/client\//,
      /^src\/report-page\//,
      /^src\/(duration|random)\.ts$/,
      /^undici$/,
      /^node:/,
    ],
  },
  {
    name: 'what is written for people knows nothing else',
    about: /^src\/report-page\//,
    may: [/^src\/report-page\//, /^node:/],
  },
  {
    // It goes where the client goes, and takes nothing along.
    name: 'the rule of attempts knows back-off',
    about: /^machines\/(attempts|back-off)\.ts$/,
    may: [/^machines\/back-off\.ts$/],
  },
  {
    name: 'nobody imports the command line',
    about: /^(?!src\/cli\/)/,
    mustNot: /^src\/cli\//,
  },
  {
    name: 'nobody imports the test kit',
    about: /^(?!src\/testing\/)/,
    mustNot: /^src\/testing\//,
  },
];

/** A machine gets times, ids and chance from outside. */
const IMPURE =
  /\bDate\.now\(|\bnew Date\(|\bMath\.random\(|\bperformance\.|\bprocess\.|\b(?:set|clear)(?:Timeout|Interval|Immediate)\(|\bqueueMicrotask\(/;

/** What Node has, and browsers and edge runtimes have not. */
const NODE_ONLY = /\b(?:process|Buffer)\.|\b(?:require|setImmediate)\(|\b__(?:dir|file)name\b/;

function importsOf(sources: Sources): Import[] {
  return [...sources].flatMap(([from, text]) => {
    const types = typeOnly(from, text);
    return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName, pos }) => ({
      from,
      to: resolve(from, fileName),
      ofTypes: types.some((span) => span.pos <= pos && pos < span.end),
    }));
  });
}

/** Where a source imports or exports types alone. */
function typeOnly(path: string, text: string): ts.TextRange[] {
  const found: ts.TextRange[] = [];
  const visit = (node: ts.Node): void => {
    const erased =
      (ts.isImportDeclaration(node) && node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword) ||
      (ts.isExportDeclaration(node) && node.isTypeOnly) ||
      ts.isImportTypeNode(node);
    if (erased) found.push(node);
    else ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest));
  return found;
}

function resolve(from: string, specifier: string): string {
  if (specifier.startsWith('.')) {
    return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts');
  }
  const depth = specifier.startsWith('@') ? 2 : 1;
  return specifier.startsWith('node:') ? specifier : specifier.split('/').slice(0, depth).join('/');
}

function breaks({ about, may, mayTypes = [], mustNot }: Rule, { from, to, ofTypes }: Import): boolean {
  const matches = (pattern: RegExp) => pattern.test(to);
  if (!about.test(from)) return false;
  if (mustNot?.test(to)) return true;
  return !(may ?? [ANYTHING]).some(matches) && !(ofTypes && mayTypes.some(matches));
}

/** The rooms meet in the worker. */
function meetings(imports: readonly Import[]): string[] {
  const rooms = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    const room = /^src\/(\w+)\//.exec(to)?.[1];
    if (room === undefined || !ROOMS.includes(room) || /^src\/(worker\.ts|cli\/|testing\/)/.test(from))
      continue;
    rooms.set(from, (rooms.get(from) ?? new Set()).add(room));
  }
  return [...rooms]
    .filter(([from, known]) => known.size > 1 && !ROOMS.includes(from.split('/')[1] ?? ''))
    .map(([from, known]) => `the rooms meet in src/worker.ts: ${from} → ${[...known].join(' and ')}`);
}

/** Each cycle once, from the file of it that comes first by name. */
function cycles(imports: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const found = new Set<string>();
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) {
      const loop = path.slice(start);
      const first = loop.indexOf(loop.toSorted()[0] ?? '');
      found.add([...loop.slice(first), ...loop.slice(0, first + 1)].join(' → '));
      return;
    }
    if (done.has(file)) return;
    for (const target of next.get(file) ?? []) walk(target, [...path, file]);
    done.add(file);
  };
  for (const file of next.keys()) walk(file, []);
  return [...found].map((loop) => `no cycles: ${loop}`);
}

function impurities(sources: Sources): string[] {
  const printer = ts.createPrinter({ removeComments: true });
  return [...sources].flatMap(([path, text]) => {
    const [name, forbidden] = path.startsWith('machines/')
      ? ['machines are pure', IMPURE]
      : ['the client runs anywhere', NODE_ONLY];
    if (!/^(machines|src\/client)\//.test(path)) return [];
    const code = printer.printFile(ts.createSourceFile(path, text, ts.ScriptTarget.Latest));
    const [impure] = forbidden.exec(code) ?? [];
    return impure === undefined ? [] : [`${name}: ${path} → ${impure}`];
  });
}

function violations(sources: Sources): string[] {
  const imports = importsOf(sources);
  return [
    ...RULES.flatMap((rule) =>
      imports.filter((each) => breaks(rule, each)).map(({ from, to }) => `${rule.name}: ${from} → ${to}`),
    ),
    ...meetings(imports),
    ...cycles(imports),
    ...impurities(sources),
  ];
}

const root = fileURLToPath(new URL('..', import.meta.url));
const files = ['machines', 'src', 'backends'].flatMap((folder) =>
  readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `${folder}/${path}`),
);
const sources: Sources = new Map(
  files.toSorted().map((path) => [path, readFileSync(`${root}${path}`, 'utf8')]),
);

describe('the architecture', () => {
  it('is read from every file', () => {
    expect(sources.size).toBeGreaterThan(70);
    expect([...sources.keys()]).toEqual(
      expect.arrayContaining(['machines/lifecycle.ts', 'src/worker.ts', 'backends/index.ts']),
    );
    for (const { from, to } of importsOf(sources)) {
      if (/^(src|machines|backends)\//.test(to)) expect([from, sources.has(to)]).toEqual([from, true]);
    }
  });

  it('keeps the rules', () => {
    expect(violations(sources)).toEqual([]);
  });
});

describe('the rules catch', () => {
  it.each<[path: string, text: string, violation: string]>([
    [
      'machines/a.ts',
      `import { pino } from 'pino';`,
      'machines know xstate and one another: machines/a.ts → pino',
    ],
    [
      'machines/a.ts',
      `import type { Log } from '../src/log.js';`,
      'machines know xstate and one another: machines/a.ts → src/log.ts',
    ],
    [
      'machines/a.ts',
      `export const later = () => import('node:fs');`,
      'machines know xstate and one another: machines/a.ts → node:fs',
    ],
    ['machines/a.ts', 'export const now = Date.now();', 'machines are pure: machines/a.ts → Date.now('],
    ['machines/a.ts', 'export const now = new Date();', 'machines are pure: machines/a.ts → new Date('],
    ['machines/a.ts', 'export const n = Math.random();', 'machines are pure: machines/a.ts → Math.random('],
    [
      'machines/a.ts',
      'export const n = performance.now();',
      'machines are pure: machines/a.ts → performance.',
    ],
    ['machines/a.ts', 'export const n = process.env.A;', 'machines are pure: machines/a.ts → process.'],
    ['machines/a.ts', 'setTimeout(() => {}, 1);', 'machines are pure: machines/a.ts → setTimeout('],
    ['machines/a.ts', 'setInterval(() => {}, 1);', 'machines are pure: machines/a.ts → setInterval('],
    [
      'src/dialects/a.ts',
      `import { readFileSync } from 'node:fs';`,
      'dialects are pure: src/dialects/a.ts → node:fs',
    ],
    [
      'src/dialects/a.ts',
      `import { cut } from '../../machines/ledger.js';`,
      'dialects are pure: src/dialects/a.ts → machines/ledger.ts',
    ],
    [
      'src/dialects/a.ts',
      `import type { Post } from '../report/post.js';`,
      'dialects are pure: src/dialects/a.ts → src/report/post.ts',
    ],
    [
      'src/config/a.ts',
      `import { pretty } from '../log.js';`,
      'the configuration is pure: src/config/a.ts → src/log.ts',
    ],
    ['src/config/a.ts', `import 'express';`, 'the configuration is pure: src/config/a.ts → express'],
    [
      'src/backend/a.ts',
      `import type { Server } from 'node:http';`,
      'the contract of a backend is pure: src/backend/a.ts → node:http',
    ],
    [
      'backends/a.ts',
      `import express from 'express';`,
      'a backend knows the contract, zod and undici: backends/a.ts → express',
    ],
    [
      'backends/a.ts',
      `import { Worker } from '../src/worker.js';`,
      'a backend knows the contract, zod and undici: backends/a.ts → src/worker.ts',
    ],
    [
      'backends/a.ts',
      `import other from './helloworld.js';`,
      'a backend knows the contract, zod and undici: backends/a.ts → backends/helloworld.ts',
    ],
    [
      'src/http/a.ts',
      `import { post } from '../report/post.js';`,
      'src/http does not know the rooms beside it: src/http/a.ts → src/report/post.ts',
    ],
    [
      'src/report/a.ts',
      `export type { Gate } from '../http/gate.js';`,
      'src/report does not know the rooms beside it: src/report/a.ts → src/http/gate.ts',
    ],
    [
      'src/model/a.ts',
      `import { post } from '../report/post.js';`,
      'src/model does not know the rooms beside it: src/model/a.ts → src/report/post.ts',
    ],
    [
      'src/inspect/a.ts',
      `export type Gate = import('../http/gate.js').Gate;`,
      'src/inspect does not know the rooms beside it: src/inspect/a.ts → src/http/gate.ts',
    ],
    [
      'src/a.ts',
      `import './http/gate.js'; import './report/post.js';`,
      'the rooms meet in src/worker.ts: src/a.ts → http and report',
    ],
    [
      'src/autoscaler/a.ts',
      `import { post } from '../report/post.js';`,
      'the autoscaler knows dialects, machines and errors: src/autoscaler/a.ts → src/report/post.ts',
    ],
    [
      'src/net/a.ts',
      `import { Gate } from '../http/gate.js';`,
      'what every server needs knows errors: src/net/a.ts → src/http/gate.ts',
    ],
    [
      'src/auth/a.ts',
      `import { signedText } from '../dialects/current/signed-text.js';`,
      'authentication knows errors: src/auth/a.ts → src/dialects/current/signed-text.ts',
    ],
    [
      'src/simulate/a.ts',
      `import { chooseWorker } from '../autoscaler/choose-worker.js';`,
      'a simulation knows machines, the types of settings and errors: src/simulate/a.ts → src/autoscaler/choose-worker.ts',
    ],
    [
      'src/client/a.ts',
      `import type { Window } from '../../machines/ledger.js';`,
      'the client runs anywhere: it knows the rule of its attempts and its event emitter: src/client/a.ts → machines/ledger.ts',
    ],
    [
      'src/client/a.ts',
      `import { inspect } from 'node:util';`,
      'the client runs anywhere: it knows the rule of its attempts and its event emitter: src/client/a.ts → node:util',
    ],
    [
      'machines/attempts.ts',
      `import 'xstate';`,
      'the rule of attempts knows back-off: machines/attempts.ts → xstate',
    ],
    [
      'src/client/a.ts',
      'export const b = Buffer.alloc(1);',
      'the client runs anywhere: src/client/a.ts → Buffer.',
    ],
    [
      'src/client/a.ts',
      'export const e = process.env.A;',
      'the client runs anywhere: src/client/a.ts → process.',
    ],
    [
      'src/a.ts',
      `export { program } from './cli/program.js';`,
      'nobody imports the command line: src/a.ts → src/cli/program.ts',
    ],
    [
      'src/a.ts',
      `const kit = await import('./testing/kit.js');`,
      'nobody imports the test kit: src/a.ts → src/testing/kit.ts',
    ],
    ['src/a.ts', `import './a.js';`, 'no cycles: src/a.ts → src/a.ts'],
  ])('in %s: %s', (path, text, violation) => {
    expect(violations(new Map([[path, text]]))).toEqual([violation]);
  });

  it('a cycle of several files, once', () => {
    const circle = new Map([
      ['src/c.ts', `import type { A } from './a.js';`],
      ['src/a.ts', `import './b.js';`],
      ['src/b.ts', `export * from './c.js';`],
      ['src/d.ts', `import './b.js';`],
    ]);
    expect(violations(circle)).toEqual(['no cycles: src/a.ts → src/b.ts → src/c.ts → src/a.ts']);
  });

  it('nothing in a comment, in a text, or in what is allowed', () => {
    const innocent = new Map([
      [
        'machines/a.ts',
        `// Date.now()\n/** import 'pino' */\nimport { assign } from 'xstate';\nexport default assign;`,
      ],
      ['machines/b.ts', `import './a.js';\nexport const text = "import('node:fs')";`],
      [
        'src/dialects/a.ts',
        `import type { Window } from '../../machines/ledger.js';\nimport { z } from 'zod';`,
      ],
      ['src/backend/a.ts', `import type { Log } from '../log.js';`],
      ['src/worker.ts', `import './http/gate.js';\nimport './report/post.js';`],
      ['src/cli/a.ts', `import '../worker.js';\nimport './b.js';`],
      ['backends/index.ts', `export const load = () => import('./helloworld.js');`],
      ['src/autoscaler/a.ts', `import express from 'express';\nimport '../errors.js';`],
    ]);
    expect(violations(innocent)).toEqual([]);
  });
});
