import { randomBytes } from 'node:crypto';
import { LocalAutoscaler } from '../../autoscaler/index.js';
import type { Backend } from '../../backend/index.js';
import type { Overrides } from '../../config/index.js';
import { port as portType } from '../../config/types.js';
import { createLog, type Log } from '../../log.js';
import { Worker } from '../../worker.js';
import { type Banner, showBanner } from '../banner.js';
import { freePort } from '../free-port.js';
import { loadBackend } from '../load-backend.js';
import { runWorker } from '../run-worker.js';
import { type Env, settings, tell } from '../settings.js';
import { parseOption } from './autoscaler.js';

const HOST = '127.0.0.1';

/** Runs a worker and, unless it reports nothing, a local autoscaler, in one process on loopback. */
export async function dev(name: string, given: Overrides, autoscalerPort: string, env: Env): Promise<number> {
  const asked = parseOption('--autoscaler-port', autoscalerPort, portType);
  const backend = await loadBackend(name);
  const { config: wanted } = settings(env, given);
  const log = await createLog({ level: wanted.logLevel, terminal: process.stdout.isTTY });
  const autoscaler = await startAutoscaler(backend, asked, wanted.reportIntervalMs, log);
  try {
    const ports = await takePorts(wanted.workerPort, wanted.internalPort, autoscaler?.port, log);
    const { config, warnings } = settings(
      { ...env, ...instanceEnv(ports, autoscaler) },
      { host: HOST, ...given, ...ports.overrides },
    );
    tell(warnings, log);
    const worker = new Worker(backend, config, { log });
    return await runWorker({
      worker,
      log,
      onListening: (listening) => {
        const scheme = config.useTls ? 'https' : 'http';
        const banner: Banner = {
          backend,
          workerUrl: `${scheme}://${HOST}:${listening.port}`,
          statusUrl: `http://127.0.0.1:${listening.internalPort}/status`,
          autoscalerUrl: autoscaler?.url,
        };
        showBanner(banner, log, process.stdout.isTTY);
      },
    });
  } finally {
    await autoscaler?.stop();
  }
}

async function startAutoscaler(backend: Backend, asked: number, reportIntervalMs: number, log: Log) {
  if (backend.dialect === 'none') return undefined;
  const port = await freePort(HOST, asked);
  tellMoved('the autoscaler', asked, port, log);
  const autoscaler = new LocalAutoscaler({ host: HOST, port, reportIntervalMs });
  await autoscaler.start();
  return autoscaler;
}

interface DevPorts {
  readonly worker: number;
  readonly overrides: Overrides;
}

async function takePorts(
  workerPort: number,
  internalPort: number | undefined,
  autoscalerPort: number | undefined,
  log: Log,
): Promise<DevPorts> {
  const taken = autoscalerPort === undefined ? [] : [autoscalerPort];
  const worker = await freePort(HOST, workerPort, taken);
  tellMoved('the worker', workerPort, worker, log);
  const askedInternal = internalPort ?? (workerPort === 0 ? 0 : worker + 1);
  const internal = await freePort(HOST, askedInternal, [...taken, worker]);
  tellMoved("the worker's status", askedInternal, internal, log);
  return { worker, overrides: { workerPort: String(worker), internalPort: String(internal) } };
}

function tellMoved(what: string, asked: number, taken: number, log: Log): void {
  if (asked !== taken)
    log.warn(`port ${asked} is taken, so ${what} listens on ${taken}`, { asked, port: taken });
}

/** What a rented instance would have in its environment. */
function instanceEnv({ worker }: DevPorts, autoscaler: LocalAutoscaler | undefined): Env {
  return {
    CONTAINER_ID: '1',
    MASTER_TOKEN: randomBytes(16).toString('hex'),
    PUBLIC_IPADDR: HOST,
    [`VAST_TCP_PORT_${worker}`]: String(worker),
    ...(autoscaler && { REPORT_ADDR: autoscaler.url }),
  };
}
