import { createInterface } from 'node:readline';
import { parseBehaviour } from './behaviour.js';
import { startControl } from './control.js';
import { type CrashCause, startFakeModel } from './fake-model.js';
import { type ProgramOptions, readOptions, USAGE } from './options.js';
import type { ModelRequest } from './request.js';

/** A fake model as a program: JSON lines on standard input change its behaviour, those on standard output tell of it. */
async function run({ report, controlPort, ...options }: ProgramOptions): Promise<void> {
  const model = await startFakeModel({
    ...options,
    onCrash: die,
    onRequest: (request) => {
      if (report) tellOf(request);
    },
  });
  const control = controlPort === undefined ? undefined : await startControl(model, controlPort);
  process.once('SIGTERM', () => void model.close());
  process.once('SIGINT', () => void model.close());
  const input = createInterface({ input: process.stdin });
  input.on('line', (line) => {
    try {
      model.behave(parseBehaviour(line));
      tell('behaves', { behaviour: model.behaviour });
    } catch (error) {
      tell('refused', { problem: String(error) });
    }
  });
  tell('listening', { url: model.url, port: model.port, pid: process.pid, control: control?.port });
  // It may be closed before it is loaded.
  void model.untilLoaded().then(
    () => tell('loaded'),
    () => {},
  );
  await model.untilClosed();
  control?.close();
  // What waits for input would keep the process alive.
  input.close();
  process.stdin.destroy();
}

function tell(event: string, fields: object = {}): void {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
}

function tellOf(request: ModelRequest): void {
  const { id, method, path, rawHeaders, body } = request;
  tell('request', { id, method, path, rawHeaders, body });
  void request.ended.then((outcome) => tell('ended', { id, outcome, tokens: request.tokens }));
}

/** Without memory it ends as the kernel ends a process that takes too much. */
function die(cause: CrashCause): void {
  if (cause === 'out of memory') process.kill(process.pid, 'SIGKILL');
  else process.stderr.write('the fake model crashes, as it was told\n', () => process.exit(1));
}

const args = process.argv.slice(2);
try {
  if (args.includes('--help')) process.stdout.write(`${USAGE}\n`);
  else await run(readOptions(args));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
  process.exitCode = 1;
}
