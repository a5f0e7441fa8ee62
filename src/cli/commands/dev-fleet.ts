import { randomBytes } from 'node:crypto';
import { type EndpointSettings, LocalAutoscaler } from '../../autoscaler/index.js';
import { type Backend, configure } from '../../backend/index.js';
import { type Config, type Overrides, SETTINGS, type Setting, type SettingName } from '../../config/index.js';
import type { Log } from '../../log.js';
import { speaksOpenai } from '../banner.js';
import { COMMAND_LINE } from '../command-line.js';
import { EXIT, UserError } from '../exit.js';
import { freePort } from '../free-port.js';
import type { Env, Io } from '../io.js';
import { tell, warningsFor } from '../settings.js';
import { untilAskedToStop } from '../signals.js';
import { type WorkerPorts, WorkerProcesses } from '../worker-processes.js';
import { startAutoscaler } from './autoscaler.js';

const LOOPBACK = '127.0.0.1';

/** What is left to a worker after its drain, for its last reports, and to its model server to end. */
const AFTER_DRAIN_MS = 45_000;

export interface FleetRun {
  readonly name: string;
  readonly backend: Backend;
  readonly settings: EndpointSettings;
  readonly endpoint: string;
  readonly autoscalerPort: number;
  /** As the command line and the environment say it, of each worker. */
  readonly config: Config;
  readonly warnings: readonly string[];
  readonly overrides: Overrides;
  readonly log: Log;
}

/** Runs a local autoscaler that starts and stops workers on this machine, until it is asked to stop. */
export async function devFleet(run: FleetRun, io: Io): Promise<number> {
  const { name, backend, settings, config, log } = run;
  if (backend.dialect === 'none') {
    throw new UserError(`${backend.name} reports nothing, so nobody could tell how many of it are wanted.`);
  }
  if (backend.dialect === 'legacy' && backend.model === null) {
    throw new UserError(
      `TSWORKER_DIALECT is "legacy", in which ${backend.name} does not tell its address, so that no request could be sent to it. Unset it to scale.`,
    );
  }
  tell([...run.warnings, ...warningsFor(configure(backend, config), config)], log);
  const asked = untilAskedToStop(io.env, config.parentPid);
  const ports = new Ports(config, await freePort(LOOPBACK, run.autoscalerPort));
  if (ports.autoscaler !== run.autoscalerPort && run.autoscalerPort !== 0) {
    log.warn(`port ${run.autoscalerPort} is taken, so the autoscaler listens on ${ports.autoscaler}`, {
      event: 'port.moved',
      asked: run.autoscalerPort,
      port: ports.autoscaler,
    });
  }
  const mtoken = randomBytes(16).toString('hex');
  const local: LocalAutoscaler = new LocalAutoscaler({
    port: ports.autoscaler,
    endpoint: run.endpoint,
    reportIntervalMs: config.reportIntervalMs,
    corsOrigins: config.corsOrigins,
    ...(io.env.TSWORKER_API_KEY && { apiKey: io.env.TSWORKER_API_KEY }),
    scaling: {
      settings,
      patience: { drainWithinMs: config.drainTimeoutMs + AFTER_DRAIN_MS },
      launcher: new WorkerProcesses({
        backend: name,
        log,
        takePorts: () => ports.take(),
        releasePorts: (given) => ports.release(given),
        envOf: (worker, given) => workerEnv({ run, io, worker, ports: given, mtoken, reportTo: local.url }),
      }),
    },
  });
  tellOfFleet(local, log);
  await startAutoscaler(local, 'start again, or choose another port with --autoscaler-port');
  showFleet(local, run, log, io);
  const reason = await asked;
  log.info(`stopping, since ${reason}: workers finish what they have`, { event: 'fleet.stopping', reason });
  await local.stop();
  return EXIT.ok.code;
}

interface WorkerEnv {
  readonly run: FleetRun;
  readonly io: Io;
  readonly worker: number;
  readonly ports: WorkerPorts;
  readonly mtoken: string;
  readonly reportTo: string;
}

/** The environment of a worker: that of this process, what the command line said, and what is its own. */
function workerEnv({ run, io, worker, ports, mtoken, reportTo }: WorkerEnv): Env {
  const { port, internalPort, modelPort } = ports;
  const { modelLog, modelCommand } = run.config;
  const given = Object.entries(run.overrides).map(([name, text]) => [variableOf(name as SettingName), text]);
  return {
    ...io.env,
    ...Object.fromEntries(given),
    CONTAINER_ID: String(worker),
    MASTER_TOKEN: mtoken,
    PUBLIC_IPADDR: LOOPBACK,
    REPORT_ADDR: reportTo,
    // What clients authorise with is nothing for workers.
    TSWORKER_API_KEY: undefined,
    WORKER_PORT: String(port),
    WORKER_HTTP_PORT: String(internalPort),
    [`VAST_TCP_PORT_${port}`]: String(port),
    // It is this process that starts it again, and that says why it failed.
    TSWORKER_BEACON: 'false',
    // It ends when this process does, however that ends.
    TSWORKER_PARENT_PID: String(process.pid),
    npm_lifecycle_event: undefined,
    // Model servers that the workers run are told from one another by their ports and logs.
    ...(modelPort !== undefined && {
      MODEL_PORT: String(modelPort),
      MODEL_SERVER_URL: `http://${LOOPBACK}:${modelPort}`,
    }),
    ...(modelCommand !== undefined && modelLog !== undefined && { MODEL_LOG: `${modelLog}.${worker}` }),
  };
}

function variableOf(name: SettingName): string {
  const setting: Setting = SETTINGS[name];
  return setting.variable;
}

/** Ports for workers, from the one that was asked for on, none of them twice. */
class Ports {
  readonly autoscaler: number;
  readonly #config: Config;
  readonly #taken: Set<number>;
  /** One after the other: two would find the same port free. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(config: Config, autoscaler: number) {
    this.#config = config;
    this.autoscaler = autoscaler;
    this.#taken = new Set([autoscaler]);
  }

  take(): Promise<WorkerPorts> {
    const taken = this.#turn.then(() => this.#takeNow());
    this.#turn = taken.catch(() => {});
    return taken;
  }

  release({ port, internalPort, modelPort }: WorkerPorts): void {
    for (const each of [port, internalPort, modelPort]) if (each !== undefined) this.#taken.delete(each);
  }

  async #takeNow(): Promise<WorkerPorts> {
    const { host, internalHost, workerPort, internalPort, modelCommand } = this.#config;
    const port = await this.#free(host, workerPort);
    const internal = await this.#free(internalHost, internalPort ?? (workerPort === 0 ? 0 : port + 1));
    const model = modelCommand === undefined ? undefined : await this.#free(LOOPBACK, 0);
    return { port, internalPort: internal, modelPort: model };
  }

  async #free(host: string, from: number): Promise<number> {
    const port = await freePort(host, from, [...this.#taken]);
    this.#taken.add(port);
    return port;
  }
}

function tellOfFleet(local: LocalAutoscaler, log: Log): void {
  local.on('decision', ({ do: what, worker, reason }) => {
    const event = 'fleet.decision';
    if (what === 'fail' || what === 'halt' || what === 'hold')
      log.warn(`worker ${worker}: ${reason}`, { event, what, worker });
    else log.info(`worker ${worker}: ${what}, since ${reason}`, { event, what, worker, reason });
  });
  local.on('phase', ({ worker, from, to }) => {
    log.info(`worker ${worker}: ${from ?? 'new'} → ${to ?? 'gone'}`, {
      event: 'fleet.phase',
      worker,
      from,
      to,
    });
  });
}

/** Says where it is and what to try: to a person on a terminal, else to the log. */
function showFleet(local: LocalAutoscaler, run: FleetRun, log: Log, io: Io): void {
  const { backend, settings } = run;
  const size = `${settings.minWorkers} to ${settings.maxWorkers} workers`;
  const what = `${backend.name}: ${size} on this machine, as the load wants; see ${local.url}/`;
  const command = commandFor(local, run);
  const openaiUrl = speaksOpenai(backend) ? local.openaiUrl : undefined;
  const about = 'for development, tests and single machines; in production the hosted autoscaler does this';
  if (!io.stdout.isTTY) {
    log.info(what, {
      event: 'listening',
      autoscalerUrl: local.url,
      ...(openaiUrl && { openaiUrl }),
      endpoint: local.endpoint,
    });
    log.info(about, { event: 'fleet.about' });
    if (command !== undefined) log.info(`try: ${command}`, { event: 'try', command });
    return;
  }
  // The key is shown on a terminal only: it must not get into a log.
  const lines = [`${what}`, about, '', `first  export TSWORKER_API_KEY=${local.apiKey}`];
  if (command !== undefined) lines.push(`try    ${command}`);
  if (openaiUrl !== undefined) lines.push(`openai ${openaiUrl}`);
  io.stdout.write(
    `\n${[...lines, 'stop   Ctrl-C; a second one stops at once'].map((line) => `  ${line}`).join('\n')}\n\n`,
  );
}

/** The command that sends a request. A backend without a POST has none. */
function commandFor(local: LocalAutoscaler, { backend }: FleetRun): string | undefined {
  const route = [...backend.routes.values()].find(({ method }) => method === 'POST');
  if (route === undefined) return undefined;
  const where = local.url === 'http://127.0.0.1:8080' ? '' : ` --autoscaler ${local.url}`;
  const endpoint = local.endpoint === 'my-endpoint' ? '' : ` --endpoint ${local.endpoint}`;
  const payload = JSON.stringify(route.example ?? {}).replaceAll("'", "'\\''");
  return `${COMMAND_LINE} request ${route.path} '${payload}'${where}${endpoint}`;
}
