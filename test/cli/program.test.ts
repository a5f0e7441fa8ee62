import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { backends } from '../../backends/index.js';
import { EXIT } from '../../src/cli/exit.js';
import { runCli } from '../../src/cli/program.js';
import { SETTINGS, type Setting } from '../../src/config/index.js';
import { toConfigJson } from '../../src/graph/config.js';
import { machines } from '../../src/graph/machines.js';
import { toMermaid } from '../../src/graph/mermaid.js';
import { packageVersion } from '../../src/version.js';
import { run } from '../support/run-cli.js';

const COMMANDS = [
  'dev',
  'start',
  'check',
  'request',
  'autoscaler',
  'load',
  'simulate',
  'record',
  'replay',
  'backends',
  'graph',
  'help',
];

async function takenPort(): Promise<number> {
  const server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe('what is wrong is told in one line, with exit code 2', () => {
  const known = `${Object.keys(backends).join(', ')}, or the path of a file such as ./my-backend.ts`;
  const portType = 'a port number from 0 to 65535; 0 takes any free port';

  it.each<[line: string, error: string, env?: Record<string, string>]>([
    ['foo', "unknown command 'foo'"],
    ['strat', "unknown command 'strat' (Did you mean start?)"],
    ['help foo', "unknown command 'foo'"],
    ['foo --help', "unknown command 'foo'"],
    ['foo -h', "unknown command 'foo'"],
    ['foo --version', "unknown command 'foo'"],
    ['strat --help', "unknown command 'strat' (Did you mean start?)"],
    ['strat -h --port 1', "unknown command 'strat' (Did you mean start?)"],
    ['help strat', "unknown command 'strat' (Did you mean start?)"],
    ['--foo', "unknown option '--foo'"],
    ['dev --foo', "unknown option '--foo'"],
    ['start --prot 1', "unknown option '--prot' (Did you mean --port?)"],
    ['autoscaler --foo', "unknown option '--foo'"],
    ['backends --jsn', "unknown option '--jsn' (Did you mean --json?)"],
    ['graph --foo', "unknown option '--foo'"],
    ['dev --report-addr http://127.0.0.1', "unknown option '--report-addr'"],
    ['start --port', "option '--port <port>' argument missing"],
    ['start a b', "too many arguments for 'start'. Expected 1 argument but got 2."],
    ['backends all', "too many arguments for 'backends'. Expected 0 arguments but got 1."],
    ['record', "missing required argument 'url'"],
    [
      'record nope',
      'the address is "nope"; it takes an http or https address such as http://127.0.0.1:8000.',
    ],
    ['record http://127.0.0.1:1 --max-bytes 5', '--max-bytes is "5"; it takes a size such as 64KiB or 1MiB.'],
    ['replay', "missing required argument 'file'"],
    ['replay run.jsonl --port x', `--port is "x"; it takes ${portType}.`],
    ['start', `no backend is named, nor is BACKEND set; it takes ${known}.`],
    ['start nope', `unknown backend "nope"; it takes ${known}.`],
    ['start toString', `unknown backend "toString"; it takes ${known}.`],
    ['dev nope', `unknown backend "nope"; it takes ${known}.`],
    ['start', `unknown backend "nope"; it takes ${known}.`, { BACKEND: 'nope' }],
    ['start /no/such.ts', 'there is no file /no/such.ts to take a backend from.'],
    ['graph nope', `unknown machine "nope"; it takes ${Object.keys(machines).join(', ')}.`],
    ['graph --format pdf', '--format is "pdf"; it takes one of mermaid, svg, json.'],
    ['start helloworld --port http', `--port is "http"; it takes ${portType}.`],
    ['start helloworld --port 65536', `--port is "65536"; it takes ${portType}.`],
    ['dev --port -1', `--port is "-1"; it takes ${portType}.`],
    ['dev --autoscaler-port x', `--autoscaler-port is "x"; it takes ${portType}.`],
    ['autoscaler --port x', `--port is "x"; it takes ${portType}.`],
    [
      'autoscaler --cors-origins example.com',
      '--cors-origins is "example.com"; it takes origins such as https://example.com, separated by commas, or * for any.',
    ],
    [
      'autoscaler --report-interval 10',
      '--report-interval is "10"; it takes a duration such as 500ms, 10s or 2m, up to 24 days.',
    ],
    [
      'start helloworld --drain-timeout soon',
      '--drain-timeout is "soon"; it takes a duration such as 500ms, 10s or 2m, up to 24 days.',
    ],
    [
      'start helloworld --log-level loud',
      '--log-level is "loud"; it takes one of debug, info, warn, error, silent.',
    ],
    ['start helloworld', `WORKER_PORT is "x"; it takes ${portType}.`, { WORKER_PORT: 'x' }],
    ['start helloworld', 'USE_SSL is "maybe"; it takes true or false.', { USE_SSL: 'maybe' }],
    [
      'start helloautoscaler',
      'CONTAINER_ID is not set; helloautoscaler needs it to report. It takes the id of the instance, a whole number.',
    ],
    ...['dev openai', 'dev openai --max-workers 2'].map((line): [string, string, Record<string, string>] => [
      line,
      "MODEL_LOG is not set; openai can not wait for a line in the model's log (TSWORKER_READINESS) without it.",
      { TSWORKER_READINESS: 'log' },
    ]),
    ['start helloautoscaler', 'CONTAINER_ID is "x1"; it takes a whole number.', { CONTAINER_ID: 'x1' }],
  ])('tsworker %s', async (line, error, env) => {
    expect(await run(line.split(' '), env)).toEqual({ code: 2, stdout: '', stderr: `error: ${error}\n` });
  });

  it('a line for each setting that is wrong', async () => {
    const env = { CONTAINER_ID: 'one', USE_SSL: 'maybe' };
    const { code, stderr } = await run(['start', 'helloworld'], env);
    expect({ code, lines: stderr.trimEnd().split('\n') }).toEqual({
      code: 2,
      lines: [
        'error: CONTAINER_ID is "one"; it takes a whole number.',
        'error: USE_SSL is "maybe"; it takes true or false.',
      ],
    });
  });
});

describe('what keeps it from starting is told in one line, with an exit code', () => {
  it('autoscaler: a port that is taken', async () => {
    const port = await takenPort();
    expect(await run(['autoscaler', '--port', String(port)])).toEqual({
      code: 69,
      stdout: '',
      stderr: `error: The local autoscaler cannot listen on 127.0.0.1:${port}: the address is already in use; choose another address with --host, or another port with --port.\n`,
    });
  });

  it('dev: an address of another machine', async () => {
    const { code, stdout, stderr } = await run(['dev', '--host', '203.0.113.1']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error: can not listen on 203\.0\.113\.1: .*EADDRNOTAVAIL.*\n$/);
  });
});

describe('help and version', () => {
  it.each([
    ...['--version', '-v'].map((flag) => [flag]),
    ...COMMANDS.map((command) => [`${command} --version`]),
  ])('tsworker %s', async (line) => {
    expect(await run(line.split(' '))).toEqual({ code: 0, stdout: `${packageVersion()}\n`, stderr: '' });
  });

  it('alone it prints its help, and so do --help, -h and help', async () => {
    const alone = await run([]);
    expect({ code: alone.code, stderr: alone.stderr }).toEqual({ code: 0, stderr: '' });
    for (const args of [['--help'], ['-h'], ['help']]) expect(await run(args)).toEqual(alone);
    for (const command of COMMANDS) expect(alone.stdout).toMatch(new RegExp(`^ {2}${command}\\b.*\\.$`, 'm'));
    for (const { code, about } of Object.values(EXIT)) {
      expect(alone.stdout).toContain(`  ${String(code).padEnd(3)}  ${about}\n`);
    }
  });

  it.each(COMMANDS)('%s --help, %s -h and help %s are the same', async (command) => {
    const help = await run([command, '--help']);
    expect(help.code).toBe(0);
    expect(help.stderr).toBe('');
    expect(help.stdout).toMatch(new RegExp(`^Usage: tsworker ${command} `));
    expect(await run([command, '-h'])).toEqual(help);
    expect(await run(['help', command])).toEqual(help);
  });

  it('start tells of every setting, dev of those that it takes', async () => {
    const start = (await run(['start', '--help'])).stdout;
    const dev = (await run(['dev', '--help'])).stdout;
    for (const { variable, option } of Object.values<Setting>(SETTINGS)) {
      expect(start).toContain(variable);
      if (option === undefined) continue;
      expect(start).toContain(`${option} <`);
      expect([option, dev.includes(`${option} <`)]).toEqual([option, option !== '--report-addr']);
    }
  });

  it('is text that can be read', async () => {
    const { stdout } = await run(['graph', '--help']);
    for (const name of Object.keys(machines)) expect(stdout).toContain(name);
    expect(stdout).toBe(`Usage: tsworker graph [options] [machine]

Print a state machine, drawn from its code.

Arguments:
  machine                  lifecycle, readiness, reload, benchmark, health, reporter, completions,
                           public-key, supervisor or fleet-worker. (default: lifecycle)

Options:
  -v, --version            Print the version.
  --format <format>        mermaid, svg or json. (default: mermaid)
  --highlight <recording>  mark what a recording took, and how often (svg).
  -h, --help               Print this help.

Examples:
  tsworker graph                                     the life of a worker, as a mermaid diagram
  tsworker graph --format svg > life.svg             the same as a drawing
  tsworker graph --format svg --highlight run.jsonl  what a recording took of it, and how often
  tsworker graph reporter --format json              a machine for createMachine, or for the editor
                                                     of Stately
`);
  });
});

describe('backends', () => {
  const list = Object.entries(backends).map(([name, { description }]) => ({ name, description }));

  it('lists them, a line each, the name first', async () => {
    const { code, stdout } = await run(['backends']);
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toEqual(
      list.map(({ name, description }) => `${name.padEnd(15)}  ${description}`),
    );
  });

  it('lists them as JSON', async () => {
    expect(JSON.parse((await run(['backends', '--json'])).stdout)).toEqual(list);
  });
});

describe('graph', () => {
  it.each(Object.entries(machines))('%s, as mermaid and as JSON', async (name, machine) => {
    const mermaid = { code: 0, stdout: toMermaid(machine), stderr: '' };
    expect(await run(['graph', name])).toEqual(mermaid);
    expect(await run(['graph', name, '--format', 'mermaid'])).toEqual(mermaid);
    const { code, stdout } = await run(['graph', name, '--format', 'json']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: toConfigJson(machine) });
  });

  it('is the lifecycle when no machine is named', async () => {
    expect(await run(['graph'])).toEqual(await run(['graph', 'lifecycle']));
  });
});

describe('what can not be written', () => {
  const failing = (code: string) => ({
    write: (_text: string, onWritten?: (error?: Error | null) => void) =>
      onWritten?.(Object.assign(new Error(`${code}: that is so`), { code })),
  });

  it.each([
    ['EPIPE', { code: 0, stderr: '' }],
    ['ENOSPC', { code: 1, stderr: 'error: can not write the answer: ENOSPC: that is so\n' }],
  ])('%s', async (code, expected) => {
    let stderr = '';
    const io = { env: {}, stdout: failing(code), stderr: { write: (text: string) => (stderr += text) } };
    expect({ code: await runCli(['backends'], io), stderr }).toEqual(expected);
  });
});
