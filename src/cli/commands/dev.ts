import { randomBytes } from 'node:crypto';
import { type EndpointSettings, LocalAutoscaler } from '../../autoscaler/index.js';
import { type Backend, configure } from '../../backend/index.js';
import type { Config, Overrides } from '../../config/index.js';
import { port as portType } from '../../config/types.js';
import type { Log } from '../../log.js';
import { reachable } from '../../net/address.js';
import { followingPort } from '../../net/following-port.js';
import { Worker } from '../../worker.js';
import { type Banner, showBanner, speaksOpenai } from '../banner.js';
import { freePort, tellMoved, untilNotTaken } from '../free-port.js';
import type { Env, Io } from '../io.js';
import { loadBackend } from '../load-backend.js';
import { besideInspected, logOf } from '../log.js';
import { parseOption } from '../options.js';
import { runWorker } from '../run-worker.js';
import { checkModel, loadSettings, settings, tell, warningsFor } from '../settings.js';
import { devAutoscaler, startOnFreePort } from './autoscaler.js';
import { devFleet } from './dev-fleet.js';

const LOOPBACK = '127.0.0.1';

export interface DevOptions {
  readonly autoscalerPort: string;
  readonly endpoint: string;
  /** What the fleet is to be; undefined: one worker. */
  readonly scaling: EndpointSettings | undefined;
}

/**
 * Runs a worker and, unless it reports nothing, a local autoscaler, in one process on loopback. Where it is to scale,
 * workers are processes of their own.
 */
export async function dev(
  name: string,
  given: Overrides,
  { autoscalerPort, endpoint, scaling }: DevOptions,
  io: Io,
): Promise<number> {
  const asked = parseOption('--autoscaler-port', autoscalerPort, portType);
  const env = { ...io.env, ...madeUp() };
  const overrides = { host: LOOPBACK, ...(scaling !== undefined && inFleet(io.env)), ...given };
  const { config: wanted, warnings: wantedWarnings } = settings(env, overrides);
  const backend = configure(await loadBackend(name, loadSettings(io.env, wanted)), wanted);
  checkModel(backend);
  const told = besideInspected(io, wanted);
  const log = await logOf(wanted.logLevel, told);
  if (scaling !== undefined) {
    const run = { name, backend, endpoint, autoscalerPort: asked, overrides, log };
    return devFleet({ ...run, settings: scaling, config: wanted, warnings: wantedWarnings }, io);
  }

  let autoscaler: LocalAutoscaler | undefined;
  const make = (port: number) => new LocalAutoscaler({ port, ...devAutoscaler(endpoint, wanted, io) });
  try {
    return await untilNotTaken(async () => {
      const ports = await takePorts(wanted, log);
      if (backend.dialect !== 'none' && autoscaler === undefined) {
        autoscaler = await startOnFreePort(asked, [ports.port, ports.internalPort], make);
        tellMoved('the autoscaler', asked, autoscaler.port, log);
      }
      return runHere({ backend, env, overrides, autoscaler, ports, log }, told);
    });
  } finally {
    await autoscaler?.stop();
  }
}

interface RunHere {
  readonly backend: Backend;
  readonly env: Env;
  readonly overrides: Overrides;
  readonly autoscaler: LocalAutoscaler | undefined;
  readonly ports: Ports;
  readonly log: Log;
}

/** Runs the worker in this process until it has stopped. */
function runHere({ backend, env, overrides, autoscaler, ports, log }: RunHere, io: Io): Promise<number> {
  const { port, internalPort } = ports;
  const { config, warnings } = settings(
    { ...env, REPORT_ADDR: autoscaler?.url, [`VAST_TCP_PORT_${port}`]: String(port) },
    { ...overrides, workerPort: String(port), internalPort: String(internalPort) },
  );
  tell([...warnings, ...warningsFor(backend, config)], log);
  const onListening = () => {
    const scheme = config.useTls ? 'https' : 'http';
    const workerUrl = `${scheme}://${reachable(config.host)}:${port}`;
    const pageUrl = `http://${reachable(config.internalHost)}:${internalPort}/`;
    const statusUrl = `${pageUrl}status`;
    const envelope = envelopeOf(backend, config);
    const apiKey = envelope === 'signed' ? autoscaler?.apiKey : undefined;
    const isKeyGiven = Boolean(io.env.TSWORKER_API_KEY);
    const openaiUrl = speaksOpenai(backend) ? autoscaler?.openaiUrl : undefined;
    const urls = { workerUrl, pageUrl, statusUrl, autoscalerUrl: autoscaler?.url, openaiUrl };
    showBanner({ backend, ...urls, envelope, apiKey, isKeyGiven }, log, io);
  };
  const worker = new Worker(backend, config, { log });
  return runWorker({ worker, config, log, env: io.env, onListening });
}

function envelopeOf({ dialect }: Backend, { unsecured }: Config): Banner['envelope'] {
  if (dialect !== 'current') return 'none';
  return unsecured ? 'unsigned' : 'signed';
}

/** Routes lead to workers that tell where they are and whose requests are enveloped: `current`, unless it is said. */
function inFleet({ TSWORKER_DIALECT }: Env): Overrides {
  return TSWORKER_DIALECT ? {} : { dialect: 'current' };
}

/** In place of what belongs to a rented instance, be it set or not: nothing of that gets to a test. */
function madeUp(): Env {
  return {
    CONTAINER_ID: '1',
    MASTER_TOKEN: randomBytes(16).toString('hex'),
    PUBLIC_IPADDR: LOOPBACK,
    REPORT_ADDR: undefined,
  };
}

interface Ports {
  readonly port: number;
  readonly internalPort: number;
}

/** Free ports for the worker; says so where they are not those that were asked for. */
async function takePorts({ host, workerPort, internalHost, internalPort }: Config, log: Log): Promise<Ports> {
  const port = await freePort(host, workerPort);
  tellMoved('the worker', workerPort, port, log);
  const wanted = internalPort ?? followingPort(port);
  const internal = await freePort(internalHost, wanted, [port]);
  tellMoved("the worker's status", wanted, internal, log);
  return { port, internalPort: internal };
}
