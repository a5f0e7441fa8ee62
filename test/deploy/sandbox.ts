import { type ChildProcess, spawn } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPO = fileURLToPath(new URL('../../', import.meta.url));

/** What the scripts may call besides Node, npm and apt-get. */
const TOOLS = ['bash', 'cat', 'env', 'mkdir', 'readlink', 'rm', 'uname'];
/** What the fakes need on top of that. */
const TOOLS_OF_FAKES = ['cp', 'ln'];

/**
 * The part of an installed tsworker that the launch scripts see. It tells what it was given, and each
 * command it runs is noted in the file that $RECORD names. Of its two backends only helloworld has a file
 * of that name, so that helloautoscaler has to be asked for.
 */
const STAND_IN = `
import { appendFileSync } from 'node:fs';
const [command, ...rest] = process.argv.slice(2);
appendFileSync(process.env.RECORD, 'tsworker ' + [command, ...rest].join(' ') + '\\n');
if (command === 'backends' && process.env.BROKEN) {
  throw new Error('a dependency is missing');
} else if (command === 'backends') {
  const names = ['helloautoscaler', 'helloworld'];
  console.log(
    rest.includes('--json')
      ? JSON.stringify(names.map((name) => ({ name, description: 'Says ' + name })))
      : names.map((name) => name.padEnd(20) + 'Says ' + name).join('\\n'),
  );
} else if (command === 'start') {
  if (rest.includes('--until-sigterm')) {
    const alive = setInterval(() => {}, 1000);
    process.once('SIGTERM', () => { clearInterval(alive); process.exitCode = 7; });
  } else if (rest.includes('--fail')) process.exitCode = 3;
  console.log(JSON.stringify({ argv: rest, env: process.env, pid: process.pid, cwd: process.cwd() }));
}
`;

/** An npm that "installs" a link to the real Node and the stand-in package, and notes how it was called. */
const FAKE_NPM = `#!/usr/bin/env bash
set -eu
[[ $1 != --version ]] || { echo 10.9.0; exit 0; }
printf 'npm %s\\n' "$*" >>"$RECORD"
[[ -z \${MASTER_TOKEN+set} ]] || echo 'npm got the token' >>"$RECORD"
[[ -z \${NPM_FAILS:-} ]] || { echo 'npm ERR! no network' >&2; exit 9; }
prefix=
previous=
for word in "$@"; do
  [[ $previous != --prefix ]] || prefix=$word
  case $word in
    node-linux-*)
      mkdir -p "$prefix/node_modules/.bin"
      ln -sf "$REAL_NODE" "$prefix/node_modules/.bin/node"
      cp "$FAKES/npm" "$prefix/node_modules/.bin/npm"
      ;;
    tsworker | tsworker@* | *.tgz)
      mkdir -p "$prefix/node_modules/tsworker"
      cp -r "$FAKES/package/." "$prefix/node_modules/tsworker/"
      echo '{}' >"$prefix/node_modules/.package-lock.json"
      ;;
    build)
      cp -r "$FAKES/package/dist" "$prefix/dist"
      [[ -z \${BUILD_FAILS:-} ]] || exit 2
      ;;
  esac
  previous=$word
done
`;

/** An npm that takes for ever, and notes that it was told to stop. */
const SLOW_NPM = `#!${process.execPath}
const { appendFileSync } = require('node:fs');
if (process.argv[2] === '--version') {
  console.log('10.9.0');
} else {
  const alive = setInterval(() => {}, 1000);
  process.once('SIGTERM', () => {
    appendFileSync(process.env.RECORD, 'npm was told to stop\\n');
    clearInterval(alive);
  });
  console.error('npm is at work');
}
`;

const FAKE_APT_GET = `#!/usr/bin/env bash
set -eu
printf 'apt-get %s\\n' "$*" >>"$RECORD"
[[ $1 != update || -z \${APT_UPDATE_FAILS:-} ]] || exit 100
[[ $1 != install || -z \${APT_FAILS:-} ]] || exit 100
[[ $1 != install ]] || cp "$FAKES/npm" "$BIN/npm"
[[ $1 != install || -z \${APT_HAS_NODE:-} ]] || ln -sf "$REAL_NODE" "$BIN/node"
`;

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the stand-in worker saw, from its first line. */
export interface Started {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly cwd: string;
}

export class Running {
  readonly child: ChildProcess;
  readonly outcome: Promise<Outcome>;
  #stdout = '';
  #stderr = '';
  #watchers = new Set<() => void>();

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      for (const watch of this.#watchers) watch();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      for (const watch of this.#watchers) watch();
    });
    this.outcome = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) =>
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr }),
      );
    });
  }

  /** Resolves once what was written so far matches; fails if the script ends before. */
  async written(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<string> {
    const text = () => (stream === 'stdout' ? this.#stdout : this.#stderr);
    let watch = () => {};
    const matched = new Promise<string>((resolve) => {
      watch = () => {
        if (pattern.test(text())) resolve(text());
      };
      this.#watchers.add(watch);
      watch();
    });
    const ended = this.outcome.then((outcome) => {
      throw new Error(`ended before it wrote ${pattern}: ${JSON.stringify(outcome)}`);
    });
    ended.catch(() => {});
    try {
      return await Promise.race([matched, ended]);
    } finally {
      this.#watchers.delete(watch);
    }
  }
}

/**
 * A temp folder in which the scripts see nothing of this machine: a PATH of its own with the few tools they
 * may use, a home, and stand-ins for the package, npm and apt-get.
 */
export class Sandbox {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'tsworker-deploy-')));
  readonly bin = join(this.root, 'bin');
  readonly home = join(this.root, 'home');
  readonly #fakes = join(this.root, 'fakes');
  readonly #record = join(this.root, 'record');
  readonly #running = new Set<Running>();

  constructor() {
    for (const dir of [this.bin, this.home, this.#fakes]) mkdirSync(dir);
    for (const tool of [...TOOLS, ...TOOLS_OF_FAKES]) symlinkSync(which(tool), join(this.bin, tool));
    // A developer may run the tests without being root; the scripts then go through sudo.
    this.program(this.bin, 'sudo', '#!/usr/bin/env bash\nexec "$@"\n');
    this.program(this.#fakes, 'npm', FAKE_NPM);
    this.package(join(this.#fakes, 'package'));
    writeFileSync(this.#record, '');
  }

  /** What npm, apt-get and the stand-in worker were asked to do, in order. */
  get record(): string[] {
    return readFileSync(this.#record, 'utf8').split('\n').filter(Boolean);
  }

  /** Makes a stand-in package, with the scripts as `npm pack` ships them. Returns start_server.sh. */
  package(dir: string): string {
    mkdirSync(join(dir, 'dist/src/cli'), { recursive: true });
    writeFileSync(join(dir, 'dist/src/cli/main.js'), STAND_IN);
    mkdirSync(join(dir, 'dist/backends'), { recursive: true });
    writeFileSync(join(dir, 'dist/backends/helloworld.js'), '');
    return this.#scripts(dir);
  }

  /** A package as npm installs it. */
  installed(): string {
    return this.package(join(this.root, 'project/node_modules/tsworker'));
  }

  /** A git checkout that was not built yet. */
  checkout(dir = join(this.root, 'checkout')): string {
    mkdirSync(join(dir, 'src/cli'), { recursive: true });
    writeFileSync(join(dir, 'src/cli/main.ts'), '');
    return this.#scripts(dir);
  }

  /** The script alone, as someone might download it. */
  alone(): string {
    const script = join(this.root, 'start_server.sh');
    cpSync(join(REPO, 'deploy/vast/start_server.sh'), script);
    return script;
  }

  withNode(): this {
    symlinkSync(process.execPath, join(this.bin, 'node'));
    return this;
  }

  withOldNode(version = 'v18.19.0'): this {
    this.program(this.bin, 'node', `#!/usr/bin/env bash\necho ${version}\n`);
    return this;
  }

  withNpm(kind: 'fake' | 'slow' = 'fake'): this {
    this.program(this.bin, 'npm', kind === 'fake' ? FAKE_NPM : SLOW_NPM);
    return this;
  }

  withAptGet(): this {
    this.program(this.bin, 'apt-get', FAKE_APT_GET);
    return this;
  }

  program(dir: string, name: string, text: string): void {
    writeFileSync(join(dir, name), text);
    chmodSync(join(dir, name), 0o755);
  }

  start(script: string, args: readonly string[] = [], env: Record<string, string> = {}): Running {
    const running = new Running(
      spawn(script, args, {
        cwd: this.root,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: this.bin,
          HOME: this.home,
          RECORD: this.#record,
          FAKES: this.#fakes,
          BIN: this.bin,
          REAL_NODE: process.execPath,
          ...env,
        },
      }),
    );
    this.#running.add(running);
    return running;
  }

  run(script: string, args: readonly string[] = [], env: Record<string, string> = {}): Promise<Outcome> {
    return this.start(script, args, env).outcome;
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  async remove(): Promise<void> {
    for (const { child, outcome } of this.#running) {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await outcome.catch(() => {});
    }
    rmSync(this.root, { recursive: true });
  }

  #scripts(dir: string): string {
    cpSync(join(REPO, 'deploy'), join(dir, 'deploy'), { recursive: true });
    writeFileSync(join(dir, 'package.json'), '{"name":"tsworker","type":"module"}');
    return join(dir, 'deploy/vast/start_server.sh');
  }
}

export function started(stdout: string): Started {
  return JSON.parse(stdout) as Started;
}

/** Where a program is, or undefined. */
export function find(program: string): string | undefined {
  for (const dir of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(dir, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

function which(program: string): string {
  const path = find(program);
  if (path === undefined) throw new Error(`these tests need ${program}`);
  return path;
}

export function folderOf(script: string): string {
  return dirname(dirname(dirname(script)));
}
