import { LocalAutoscaler } from '../../autoscaler/index.js';
import { duration, port, type SettingType } from '../../config/types.js';
import { messageOf } from '../../errors.js';
import { createLog, type Log } from '../../log.js';
import { EXIT, UserError } from '../exit.js';
import type { Env } from '../settings.js';
import { onSignals } from '../signals.js';

export interface AutoscalerOptions {
  readonly host: string;
  readonly port: string;
  readonly reportInterval: string;
}

/** Runs the local autoscaler alone until it is stopped. */
export async function autoscaler(options: AutoscalerOptions, _env: Env): Promise<number> {
  const local = new LocalAutoscaler({
    host: options.host,
    port: parseOption('--port', options.port, port),
    reportIntervalMs: parseOption('--report-interval', options.reportInterval, duration),
  });
  const log = await createLog({ level: 'info', terminal: process.stdout.isTTY });
  await local.start().catch((error: unknown) => {
    throw new UserError(`${messageOf(error)} Choose another port with --port.`, EXIT.failed.code);
  });
  tellWorkers(local, log);
  log.info(`the local autoscaler shows its workers on ${local.url}/`, { event: 'listening', url: local.url });
  log.info(`to start one: CONTAINER_ID=1 REPORT_ADDR=${local.url} npx tsworker start helloautoscaler`);
  await untilStopped();
  await local.stop();
  return EXIT.ok.code;
}

/** Logs every change of a worker's state. */
export function tellWorkers(local: LocalAutoscaler, log: Log): void {
  local.on('state', ({ workerId, from, to }) => {
    log.info(`worker ${workerId}: ${from ?? 'new'} → ${to}`, { event: 'worker.state', workerId, from, to });
  });
}

/** Checks an option that is not one of the worker's settings. */
export function parseOption<T>(option: string, value: string, { schema, takes }: SettingType<T>): T {
  const result = schema.safeParse(value);
  if (!result.success) throw new UserError(`${option} is ${JSON.stringify(value)}; it takes ${takes}.`);
  return result.data;
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    const off = onSignals({
      now: () => performance.now(),
      stop: () => {
        off();
        resolve();
      },
      stopAtOnce: (exitCode) => process.exit(exitCode),
    });
  });
}
