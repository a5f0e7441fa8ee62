import { randomBytes } from 'node:crypto';
import { type EndpointSettings, LocalAutoscaler } from '../../autoscaler/index.js';
import type { Backend } from '../../backend/index.js';
import { type Config, type Overrides, SETTINGS, type Setting, type SettingName } from '../../config/index.js';
import { STANDARD_OUTPUT } from '../../inspect/line-file.js';
import type { Log } from '../../log.js';
import { runFileOf } from '../../model/supervise.js';
import { killLeftModel } from '../../supervisor/left-model.js';
import { requestFor, speaksOpenai, tellsAddress } from '../banner.js';
import { EXIT, UserError } from '../exit.js';
import { fileOfWorker } from '../file-of-worker.js';
import { FleetPorts } from '../fleet-ports.js';
import { tellMoved } from '../free-port.js';
import type { Env, Io } from '../io.js';
import { tell, warningsFor } from '../settings.js';
import { untilAskedToStop } from '../signals.js';
import { type WorkerPorts, WorkerProcesses } from '../worker-processes.js';
import { devAutoscaler, startOnFreePort } from './autoscaler.js';

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
  if (!tellsAddress(backend)) {
    throw new UserError(
      `TSWORKER_DIALECT is "legacy", in which ${backend.name} does not tell its address, so that no request could be sent to it. Unset it to scale.`,
    );
  }
  for (const [what, path] of [
    ['--inspect', config.inspectTo],
    ['TSWORKER_RECORD', config.recordFile],
  ]) {
    if (path !== STANDARD_OUTPUT) continue;
    throw new UserError(
      `${what} is "-", but workers that are scaled share the standard output with the log. Leave it out, or leave out what scales.`,
    );
  }
  const runsModel = (backend.model?.command ?? null) !== null;
  tell([...run.warnings, ...warningsFor(backend, config), ...portWarnings(backend)], log);
  const asked = untilAskedToStop(io.env, config.parentPid);
  const ports = new FleetPorts(config, runsModel);
  const mtoken = randomBytes(16).toString('hex');
  let reportTo = '';
  const processes = new WorkerProcesses({
    backend: name,
    log,
    takePorts: () => ports.take(),
    releasePorts: (given) => ports.release(given),
    envOf: (worker, given) => workerEnv({ run, io, worker, ports: given, mtoken, reportTo }),
    endModelOf: (worker, given) => endModel(run, worker, given),
  });
  const make = (port: number) => {
    const local = new LocalAutoscaler({
      port,
      ...devAutoscaler(run.endpoint, config, io),
      scaling: {
        settings,
        patience: { drainWithinMs: config.drainTimeoutMs + AFTER_DRAIN_MS },
        launcher: processes,
      },
    });
    reportTo = local.url;
    tellOfFleet(local, log);
    return local;
  };
  const local = await startOnFreePort(run.autoscalerPort, [], make);
  tellMoved('the autoscaler', run.autoscalerPort, local.port, log);
  showFleet(local, run, log, io);
  const reason = await asked;
  log.info(`stopping, since ${reason}: workers finish what they have`, { event: 'fleet.stopping', reason });
  await local.stop();
  return EXIT.ok.code;
}

/** Each worker's model server is told its port, and no other way leads to it. */
function portWarnings({ model }: Backend): readonly string[] {
  const command = model?.command ?? null;
  if (command === null || [command].flat().join(' ').includes('MODEL_PORT')) return [];
  return [
    'the command of the model server does not name MODEL_PORT: it has to listen on that port, which is another one for each worker.',
  ];
}

async function endModel({ config, log }: FleetRun, worker: number, { port }: WorkerPorts): Promise<void> {
  const file = runFileOf({ stateDir: config.stateDir, containerId: worker, workerPort: port });
  const wasLeft = await killLeftModel(file, (problem) =>
    log.warn(`worker ${worker}: ${problem}`, { worker }),
  );
  if (!wasLeft) return;
  log.warn(`worker ${worker}: it had left its model server, which was killed`, {
    event: 'fleet.modelKilled',
    worker,
  });
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
  const { log: modelLog = null } = run.backend.model ?? {};
  const { recordFile, inspectTo } = run.config;
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
    // One that began would put aside what another is writing.
    ...(recordFile !== undefined && { TSWORKER_RECORD: fileOfWorker(recordFile, worker) }),
    ...(inspectTo !== undefined && { TSWORKER_INSPECT: fileOfWorker(inspectTo, worker) }),
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
    ...(modelPort !== undefined && modelLog !== null && { MODEL_LOG: `${modelLog}.${worker}` }),
  };
}

function variableOf(name: SettingName): string {
  const setting: Setting = SETTINGS[name];
  return setting.variable;
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
  return `${requestFor(route)}${where}${endpoint}`;
}
