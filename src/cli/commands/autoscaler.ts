import { ListenError, LocalAutoscaler, type LocalAutoscalerOptions } from '../../autoscaler/index.js';
import type { Config } from '../../config/index.js';
import { duration, originList, port } from '../../config/types.js';
import type { Log } from '../../log.js';
import { COMMAND_LINE } from '../command-line.js';
import { EXIT, UserError } from '../exit.js';
import { freePort, untilNotTaken } from '../free-port.js';
import type { Io } from '../io.js';
import { logOf } from '../log.js';
import { parseOption } from '../options.js';
import { untilAskedToStop } from '../signals.js';

const LOOPBACK = '127.0.0.1';

export interface AutoscalerOptions {
  readonly host: string;
  readonly port: string;
  readonly reportInterval: string;
  readonly corsOrigins?: string;
}

/** Runs the local autoscaler alone until it is stopped. */
export async function autoscaler(options: AutoscalerOptions, io: Io): Promise<number> {
  const local = new LocalAutoscaler({
    host: options.host,
    ...(io.env.TSWORKER_API_KEY && { apiKey: io.env.TSWORKER_API_KEY }),
    port: parseOption('--port', options.port, port),
    reportIntervalMs: parseOption('--report-interval', options.reportInterval, duration),
    ...(options.corsOrigins !== undefined && {
      corsOrigins: parseOption('--cors-origins', options.corsOrigins, originList),
    }),
  });
  const log = await logOf('info', io);
  await startAutoscaler(local, 'choose another address with --host, or another port with --port');
  const asked = untilAskedToStop(io.env);
  tellWorkers(local, log);
  log.info(`the local autoscaler shows its workers on ${local.url}/`, { event: 'listening', url: local.url });
  // On a terminal only: a key must not get into a log.
  if (io.stdout.isTTY) io.stdout.write(`  clients authorise with TSWORKER_API_KEY=${local.apiKey}\n`);
  log.info(`to start one: CONTAINER_ID=1 REPORT_ADDR=${local.url} ${COMMAND_LINE} start helloautoscaler`);
  await asked;
  await local.stop();
  return EXIT.ok.code;
}

/** The options of the autoscaler of `dev`, whether it scales or not. */
export function devAutoscaler(
  endpoint: string,
  { reportIntervalMs, corsOrigins }: Config,
  { env }: Io,
): LocalAutoscalerOptions {
  const apiKey = env.TSWORKER_API_KEY;
  return { endpoint, reportIntervalMs, corsOrigins, ...(apiKey && { apiKey }) };
}

/**
 * Starts the autoscaler of `dev`, on the first free port of loopback from the one that was asked for on.
 *
 * @throws {UserError} when it can not listen
 */
export function startOnFreePort(
  asked: number,
  taken: readonly number[],
  make: (port: number) => LocalAutoscaler,
): Promise<LocalAutoscaler> {
  return untilNotTaken(async () => {
    const local = make(await freePort(LOOPBACK, asked, taken));
    await startAutoscaler(local, 'start again, or choose another port with --autoscaler-port');
    return local;
  });
}

/** @throws {UserError} when it can not listen, with what to do about it */
export async function startAutoscaler(local: LocalAutoscaler, advice: string): Promise<void> {
  await local.start().catch((error: unknown) => {
    if (!(error instanceof ListenError)) throw error;
    const { code } = error.code === 'EADDRINUSE' ? EXIT.portTaken : EXIT.failed;
    throw new UserError(`${error.message.replace(/\.$/, '')}; ${advice}.`, code);
  });
}

/** Logs every change of a worker's state. */
function tellWorkers(local: LocalAutoscaler, log: Log): void {
  local.on('state', ({ workerId, from, to }) => {
    log.info(`worker ${workerId}: ${from ?? 'new'} → ${to}`, { event: 'worker.state', workerId, from, to });
  });
}
