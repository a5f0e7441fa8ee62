import { Argument, Command, CommanderError, Option } from 'commander';
import { messageOf } from '../errors.js';
import { packageVersion } from '../version.js';
import { EXIT, UserError } from './exit.js';
import { helpFormat } from './help.js';
import { hasColors, type Io, print } from './io.js';
import { overridesOf, settingOptions } from './options.js';
import { scalingOf, scalingOptions } from './scaling-options.js';

/** Runs one command line and resolves with its exit code. Commands are loaded when they are run. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  let exitCode: number = EXIT.ok.code;
  const program = createProgram(io, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(asTaken(args, program), { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok.code : EXIT.usage.code;
    if (error instanceof UserError) {
      io.stderr.write(`error: ${error.message}\n`);
      return error.exitCode;
    }
    io.stderr.write(`error: ${error instanceof Error ? error.stack : messageOf(error)}\n`);
    return EXIT.failed.code;
  }
}

/** Of a command that there is not no help can be asked, either: Commander would answer with that of the program. */
function asTaken(args: readonly string[], { commands }: Command): readonly string[] {
  if (args.length === 0) return ['--help'];
  const name = args[args[0] === 'help' ? 1 : 0];
  const isUnknown =
    name !== undefined && !name.startsWith('-') && !commands.some((each) => each.name() === name);
  return isUnknown ? [name] : args;
}

function createProgram(io: Io, exitWith: (code: number) => void): Command {
  const version = packageVersion();
  const program = finish(new Command('tsworker'))
    .usage('<command> [options]')
    .description(
      'The worker of GPU serverless: in front of a model server, measured, and known to an autoscaler.',
    )
    .exitOverride()
    .configureHelp(helpFormat)
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHasColors: () => hasColors(io),
      getOutHelpWidth: () => (io.stdout.isTTY ? io.stdout.columns : undefined) ?? 100,
      // Commander puts what it suggests on a second line.
      outputError: (text, write) => write(`${text.trimEnd().replaceAll('\n', ' ')}\n`),
    })
    .helpCommand(false);

  const dev = command('dev')
    .description('Run a worker and a local autoscaler here, without any configuration.')
    .addArgument(argument('[backend]', 'The name of a backend, or the path of a file.', 'helloautoscaler'))
    .addOption(option('--host <address>', 'The address on which the worker listens.', '127.0.0.1'))
    .addOption(option('--autoscaler-port <port>', 'The port of the local autoscaler.', '8080'))
    .addOption(option('--endpoint <name>', 'The name that clients ask for.', 'my-endpoint'))
    .action(async (backend, { autoscalerPort, endpoint, ...options }) => {
      const { dev } = await import('./commands/dev.js');
      const scaling = scalingOf(options);
      exitWith(await dev(backend, overridesOf(options), { autoscalerPort, endpoint, scaling }, io));
    });
  addOptions(dev, [...settingOptions(['--host', '--report-addr']), ...scalingOptions()]);

  const start = command('start')
    .description('Run a worker, configured by the environment, as on a rented instance.')
    .argument('[backend]', 'The name of a backend, or the path of a file. ($BACKEND)')
    .action(async (backend, options) => {
      const { start } = await import('./commands/start.js');
      exitWith(await start(backend, overridesOf(options), io));
    });
  addOptions(start, settingOptions());

  const check = command('check')
    .description('Say what would keep a worker from its work, before it costs money.')
    .argument('[backend]', 'The name of a backend, or the path of a file. ($BACKEND)')
    .option('--json', 'Print JSON.')
    .action(async (backend, { json, ...options }) => {
      const { check } = await import('./commands/check.js');
      exitWith(await check(backend, overridesOf(options), { json: json === true }, io));
    });
  addOptions(check, settingOptions());

  command('autoscaler')
    .description('Run the local autoscaler alone, for development and tests.')
    .addOption(option('--host <address>', 'The address on which it listens.', '127.0.0.1'))
    .addOption(option('--port <port>', 'The port on which it listens.', '8080'))
    .addOption(option('--report-interval <duration>', 'How often the workers report.', '10s'))
    .option(
      '--cors-origins <origins>',
      'Origins whose pages may ask for routes, with commas between; * for any.',
    )
    .action(async (options) => {
      const { autoscaler } = await import('./commands/autoscaler.js');
      exitWith(await autoscaler(options, io));
    });

  command('request')
    .description('Send one request as a client does: routed, signed, streamed.')
    .argument('<path>', 'The path of a route, such as /v1/completions.')
    .argument('<json>', 'What the model gets.')
    .addOption(option('--autoscaler <url>', 'The autoscaler.', 'http://127.0.0.1:8080'))
    .addOption(option('--endpoint <name>', 'The endpoint.', 'my-endpoint'))
    .addOption(option('--cost <units>', 'The work that the request is, for routing.', '100'))
    .addOption(option('--timeout <duration>', 'How long all of it may take.', '10m'))
    .option('--api-key <key>', "The endpoint's API key. ($TSWORKER_API_KEY)")
    .action(async (path, json, options) => {
      const { request } = await import('./commands/request.js');
      exitWith(await request(path, json, options, io));
    });

  command('load')
    .description('Put load on an endpoint or a server, and tell how it bears it.')
    .argument('<endpoint or url>', 'The name of an endpoint, or an address such as http://127.0.0.1:8000.')
    .option('--route <path>', 'The path of the route, such as /v1/completions.')
    .option(
      '--payload <payload>',
      'JSON, a .json file, a .jsonl file with one a line, or a backend, whose benchmark is taken.',
    )
    .option('--rate <rate>', 'Open loop: requests a second, such as 5, or rates to go through: 0..35..0.')
    .option('--concurrency <count>', 'Closed loop: so many at once, each followed by the next.')
    .addOption(option('--duration <duration>', 'How long requests begin.', '30s'))
    .addOption(option('--timeout <duration>', 'How long one request may take.', '60s'))
    .option('--arrivals <arrivals>', 'Of an open loop: even, or poisson for by chance. (default: even)')
    .option('--seed <number>', 'Of that chance. (default: 1)')
    .option('--max-under-way <count>', 'Of an open loop: what comes beyond waits. (default: 10000)')
    .option('--fail-on <thresholds>', "Exit code 1 when any of these is so: 'p99>2s,errors>1%,rate<4.5'.")
    .option('--report <file>', 'Write the figures as a page with plots, too.')
    .option('--json', 'Print JSON.')
    .addOption(option('--autoscaler <url>', 'Of an endpoint: the autoscaler.', 'http://127.0.0.1:8080'))
    .option('--api-key <key>', 'Of an endpoint: its API key. ($TSWORKER_API_KEY)')
    .option(
      '--cost <units>',
      'The work that a request is, for routing. (default: as the backend says, or 100)',
    )
    .option(
      '--max-retries <count>',
      'Of an endpoint: how often a request is sent again. (default: while there is time)',
    )
    .option('--header <header>', 'Of a url: "name: value"; may be given several times.', collect)
    .action(async (target, options) => {
      const { load } = await import('./commands/load.js');
      exitWith(await load(target, options, io));
    });

  command('simulate')
    .description('Try the scaling policy in virtual time: what it costs and who waits.')
    .addOption(option('--trace <trace>', 'The load: constant, diurnal, bursty, or a CSV file.', 'diurnal'))
    .option('--duration <duration>', 'How long. (default: a day of diurnal, an hour, or as the file says)')
    .option('--rate <rate>', 'Requests a second, on average. (default: 5)')
    .addOption(option('--cost <units>', 'The work that a request is, such as 100, or 50..400.', '100'))
    .option('--workers-from <file>', 'Workers as fast as measured: the file of a benchmark.')
    .option('--model <model>', 'Of a file with results of several.')
    .option('--perf <units>', 'Workers that do so many units a second. (default: 100)')
    .addOption(option('--policy <settings>', "Settings such as 'target-util=0.7,max-workers=20'.", ''))
    .option('--compare <settings>', 'Run it again with these changed, and show both.')
    .addOption(option('--seed <number>', 'Of chance: the same comes to the same.', '1'))
    .option('--report <file>', 'Write the figures as a page with plots, too.')
    .option('--json', 'Print JSON.')
    .action(async (options) => {
      const { simulate } = await import('./commands/simulate.js');
      exitWith(await simulate(options, io));
    });

  command('record')
    .description('Record a running worker into a file, by the address of its internal port.')
    .argument('<url>', 'The address, such as http://127.0.0.1:3001.')
    .addOption(
      option('--output <file>', 'The file; one that is there is kept as <file>.previous.', 'run.jsonl'),
    )
    .addOption(option('--max-bytes <size>', 'How large the file may be; then the recording ends.', '64MiB'))
    .option('--requests', 'Record what happens to requests, too, as long as this runs.')
    .action(async (url, options) => {
      const { record } = await import('./commands/record.js');
      exitWith(await record(url, options, io));
    });

  command('replay')
    .description('Show a recording on the page, or check that it goes the same way today.')
    .argument('<file>', 'What `tsworker record` or TSWORKER_RECORD has written.')
    .addOption(option('--port <port>', 'The port of the page; 0: any free one.', '0'))
    .option(
      '--assert',
      'Show nothing: say whether the machines take the same path; if not, the exit code is 1.',
    )
    .action(async (file, options) => {
      const { replay } = await import('./commands/replay.js');
      exitWith(await replay(file, options, io));
    });

  command('backends')
    .description('List the backends that can be run.')
    .option('--json', 'Print JSON.')
    .action(async ({ json }) => {
      const { listBackends } = await import('./commands/backends.js');
      await print(listBackends(json === true), io);
    });

  command('graph')
    .description('Print a state machine, drawn from its code.')
    .addArgument(
      argument(
        '[machine]',
        'lifecycle, readiness, reload, benchmark, health, reporter, completions, public-key, supervisor or fleet-worker.',
        'lifecycle',
      ),
    )
    .addOption(option('--format <format>', 'mermaid, svg or json.', 'mermaid'))
    .option('--highlight <recording>', 'mark what a recording took, and how often (svg).')
    .action(async (machine, { format, highlight }) => {
      const { graph } = await import('./commands/graph.js');
      await print(graph(machine, format, highlight), io);
    });

  command('help')
    .description('Print the help of a command.')
    .argument('[command]')
    .action((name: string | undefined) => {
      const named = program.commands.find((each) => each.name() === name);
      (named ?? program).outputHelp();
    });

  return program;

  function command(name: string): Command {
    return finish(program.command(name));
  }

  function finish(each: Command): Command {
    return each
      .version(version, '-v, --version', 'Print the version.')
      .helpOption('-h, --help', 'Print this help.');
  }
}

function addOptions(command: Command, options: readonly Option[]): void {
  for (const each of options) command.addOption(each);
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function option(flags: string, about: string, value: string): Option {
  return new Option(flags, about).default(value, value);
}

function argument(name: string, about: string, value: string): Argument {
  return new Argument(name, about).default(value, value);
}
