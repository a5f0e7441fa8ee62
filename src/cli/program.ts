import { Command, CommanderError, Option } from 'commander';
import { messageOf } from '../errors.js';
import { packageVersion } from '../version.js';
import { EXIT, UserError } from './exit.js';
import { overridesOf, settingOptions } from './options.js';

/** Runs one command line and resolves with its exit code. Commands are loaded when they are run. */
export async function runCli(args: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.ok.code;
  const program = createProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok.code : EXIT.usage.code;
    if (error instanceof UserError) {
      process.stderr.write(`error: ${error.message}\n`);
      return error.exitCode;
    }
    process.stderr.write(
      `error: ${error instanceof Error ? (error.stack ?? messageOf(error)) : messageOf(error)}\n`,
    );
    return EXIT.failed.code;
  }
}

function createProgram(exitWith: (code: number) => void): Command {
  const program = new Command('tsworker')
    .description(
      'The worker of GPU serverless: in front of a model server, measured, and known to an autoscaler.',
    )
    .version(packageVersion(), '-v, --version')
    .exitOverride()
    .showSuggestionAfterError(false)
    .enablePositionalOptions()
    .addHelpText('after', `\nExit codes:\n${exitCodes()}`);

  withSettings(program.command('start'))
    .argument(
      '[backend]',
      'the name of a backend, or the path of a file such as ./my-backend.ts (default: $BACKEND)',
    )
    .description('run a worker, configured by the environment, as on a rented instance')
    .action(async (backend, options) => {
      const { start } = await import('./commands/start.js');
      exitWith(await start(backend, overridesOf(options), process.env));
    });

  withSettings(program.command('dev'), ['--report-addr'])
    .argument('[backend]', 'the name of a backend, or the path of a file', 'helloautoscaler')
    .addOption(new Option('--autoscaler-port <port>', 'port of the local autoscaler').default('8080'))
    .description('run a worker and a local autoscaler on this machine, without any configuration')
    .action(async (backend, options) => {
      const { dev } = await import('./commands/dev.js');
      exitWith(await dev(backend, overridesOf(options), options.autoscalerPort, process.env));
    });

  program
    .command('autoscaler')
    .description('run the local autoscaler alone, for development and tests')
    .addOption(new Option('--port <port>', 'port to listen on').default('8080'))
    .addOption(new Option('--host <address>', 'address to listen on').default('127.0.0.1'))
    .addOption(new Option('--report-interval <duration>', 'how often workers report').default('10s'))
    .action(async (options) => {
      const { autoscaler } = await import('./commands/autoscaler.js');
      exitWith(await autoscaler(options, process.env));
    });

  program
    .command('backends')
    .description('list the backends that can be run')
    .option('--json', 'print JSON')
    .action(async (options) => {
      const { listBackends } = await import('./commands/backends.js');
      process.stdout.write(listBackends(options.json === true));
    });

  program
    .command('graph')
    .argument('[machine]', 'lifecycle or reporter', 'lifecycle')
    .addOption(
      new Option('--format <format>', 'how to print it').choices(['mermaid', 'json']).default('mermaid'),
    )
    .description('print a state machine, drawn from its code')
    .action(async (machine, options) => {
      const { graph } = await import('./commands/graph.js');
      process.stdout.write(graph(machine, options.format));
    });

  return program;
}

function withSettings(command: Command, without: readonly string[] = []): Command {
  for (const option of settingOptions(without)) command.addOption(option);
  return command;
}

function exitCodes(): string {
  return Object.values(EXIT)
    .map(({ code, about }) => `  ${String(code).padEnd(4)} ${about}`)
    .join('\n');
}
