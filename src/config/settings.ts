import { LOG_LEVELS } from '../log-levels.js';
import {
  choice,
  count,
  duration,
  flag,
  integer,
  path,
  port,
  positive,
  type SettingType,
  size,
  text,
  url,
  urlList,
} from './types.js';

export interface Setting<T = unknown> {
  readonly variable: string;
  /** The variable's older name, read when the variable itself is not set. */
  readonly legacyVariable?: string;
  /** Command line option that sets it, over the environment. */
  readonly option?: string;
  readonly type: SettingType<T>;
  /** As it would stand in the environment; undefined: there is none. */
  readonly fallback?: string;
  /** What holds where there is no fallback, for the documentation. */
  readonly otherwise?: string;
  readonly secret?: boolean;
  readonly about: string;
}

/** Every setting of a worker: its variable, what it takes, what holds without it, and what it is about. */
export const SETTINGS = {
  containerId: {
    variable: 'CONTAINER_ID',
    type: integer,
    otherwise: 'required by backends that report',
    about: "The instance's id. The autoscaler knows the worker by it.",
  },
  reportAddresses: {
    variable: 'REPORT_ADDR',
    option: '--report-addr',
    type: urlList,
    fallback: 'https://run.vast.ai',
    about:
      'Base addresses of the autoscaler. The one that worked last is asked first, the others when it fails.',
  },
  masterToken: {
    variable: 'MASTER_TOKEN',
    type: text,
    fallback: '',
    secret: true,
    about: 'The secret shared with the autoscaler, sent with each report. Never logged.',
  },
  backend: {
    variable: 'BACKEND',
    type: text,
    otherwise: 'required unless it is named on the command line',
    about: 'The backend to run: the name of one that comes with the package, or the path of a file.',
  },
  host: {
    variable: 'TSWORKER_HOST',
    option: '--host',
    type: text,
    fallback: '0.0.0.0',
    about: 'The address on which the worker listens for clients.',
  },
  workerPort: {
    variable: 'WORKER_PORT',
    legacyVariable: 'AUTH_PORT',
    option: '--port',
    type: port,
    fallback: '3000',
    about: 'The port on which the worker listens for clients.',
  },
  internalPort: {
    variable: 'WORKER_HTTP_PORT',
    option: '--internal-port',
    type: port,
    otherwise: '`WORKER_PORT` + 1',
    about: 'The port of the internal pages, on 127.0.0.1 only.',
  },
  useTls: {
    variable: 'USE_SSL',
    type: flag,
    fallback: 'false',
    about: 'Serve clients over TLS.',
  },
  tlsCertificate: {
    variable: 'TSWORKER_TLS_CERT',
    type: text,
    fallback: '/etc/instance.crt',
    about: 'The certificate for TLS, in PEM.',
  },
  tlsKey: {
    variable: 'TSWORKER_TLS_KEY',
    type: text,
    fallback: '/etc/instance.key',
    about: "The certificate's private key, in PEM.",
  },
  tlsCheckMs: {
    variable: 'TSWORKER_TLS_CHECK_INTERVAL',
    type: duration,
    fallback: '1m',
    about: 'How often it is looked whether the certificate was renewed.',
  },
  reportIntervalMs: {
    variable: 'TSWORKER_REPORT_INTERVAL',
    type: duration,
    fallback: '10s',
    about: 'How often the autoscaler is told of the work. A change of state is told at once.',
  },
  reportTimeoutMs: {
    variable: 'TSWORKER_REPORT_TIMEOUT',
    type: duration,
    fallback: '5s',
    about: 'How long one attempt to report may take, from the connection to the end of the answer.',
  },
  reportBackOffMs: {
    variable: 'TSWORKER_REPORT_MAX_BACKOFF',
    type: duration,
    fallback: '10s',
    about: 'The longest wait between two rounds of attempts while no autoscaler answers.',
  },
  serveUnreported: {
    variable: 'TSWORKER_SERVE_UNREPORTED',
    type: flag,
    fallback: 'true',
    about: 'Serve although no autoscaler can be told that the worker has loaded. With false, wait for it.',
  },
  drainTimeoutMs: {
    variable: 'TSWORKER_DRAIN_TIMEOUT',
    option: '--drain-timeout',
    type: duration,
    fallback: '30s',
    about: 'How long stopping may take: requests finish, then the last report goes out.',
  },
  bodyLimitBytes: {
    variable: 'TSWORKER_BODY_LIMIT',
    type: size,
    fallback: '64MiB',
    about: 'The largest body of a request.',
  },
  publicIp: {
    variable: 'PUBLIC_IPADDR',
    type: text,
    otherwise: 'required by backends that speak `current`',
    about:
      'The public address of the instance. With `VAST_TCP_PORT_<WORKER_PORT>`, the public port, it makes the url that the autoscaler signs.',
  },
  extraUrls: {
    variable: 'TSWORKER_EXTRA_URLS',
    type: urlList,
    otherwise: 'none',
    about: 'Other urls of this worker that a signature may be for, as behind a proxy.',
  },
  unsecured: {
    variable: 'UNSECURED',
    type: flag,
    fallback: 'false',
    about: "Do not check clients' signatures: whoever reaches the port is served.",
  },
  requireSignature: {
    variable: 'TSWORKER_REQUIRE_SIGNATURE',
    type: flag,
    fallback: 'false',
    about: 'Refuse requests of the legacy dialect that are not signed. Those of `current` always must be.',
  },
  refuseRepeats: {
    variable: 'TSWORKER_REFUSE_REPEATS',
    type: flag,
    fallback: 'false',
    about:
      'Refuse a second request of the same `request_idx` and `reqnum` outside sessions. A retry is one, too.',
  },
  dialect: {
    variable: 'TSWORKER_DIALECT',
    type: choice(['current', 'legacy']),
    otherwise: "the backend's own",
    about: 'How the worker talks to the autoscaler and to clients.',
  },
  finishedForm: {
    variable: 'TSWORKER_DELETE_REQUESTS_FORM',
    type: choice(['requests', 'request_idxs']),
    fallback: 'requests',
    about: 'How finished requests are told: the newest form, or the older one that has two lists.',
  },
  modelServerUrl: {
    variable: 'MODEL_SERVER_URL',
    option: '--model-server',
    type: url,
    otherwise: "the backend's own",
    about: 'The base address of the model server.',
  },
  modelLog: {
    variable: 'MODEL_LOG',
    type: text,
    otherwise: "the backend's own",
    about: "The model server's log file, watched for the line that says that it has loaded.",
  },
  modelHealth: {
    variable: 'MODEL_HEALTH_ENDPOINT',
    type: path,
    otherwise: "the backend's own",
    about: 'The path on the model server that answers 200 while it is well.',
  },
  modelName: {
    variable: 'MODEL_NAME',
    type: text,
    otherwise: 'what the model server says',
    about: 'The name of the model, for the benchmark.',
  },
  readiness: {
    variable: 'TSWORKER_READINESS',
    type: choice(['log', 'health', 'both', 'none']),
    otherwise: "the backend's own",
    about: 'What tells that the model has loaded: its log, its health route, or both.',
  },
  preset: {
    variable: 'TSWORKER_PRESET',
    option: '--preset',
    type: text,
    otherwise: "the backend's own",
    about: 'Which engine the model server is, for backends that know several.',
  },
  functions: {
    variable: 'TSWORKER_FUNCTIONS',
    option: '--functions',
    type: text,
    otherwise: 'required by the backend `function`',
    about: 'The file whose exported functions are served.',
  },
  maxPerf: {
    variable: 'TSWORKER_MAX_PERF',
    type: positive,
    otherwise: 'measured, or the backend says it',
    about: 'The most work that the worker can do, in units per second. With it nothing is measured.',
  },
  maxQueueMs: {
    variable: 'TSWORKER_MAX_QUEUE_TIME',
    type: duration,
    otherwise: "each route's own",
    about: 'Requests that would wait longer than this for the model are refused with 429.',
  },
  maxSessions: {
    variable: 'TSWORKER_MAX_SESSIONS',
    type: integer,
    otherwise: "the backend's own",
    about: 'How many sessions clients may hold at once; 0 is no limit.',
  },
  benchmarkRuns: {
    variable: 'TSWORKER_BENCHMARK_RUNS',
    type: count,
    otherwise: "the backend's own",
    about: 'How many rounds the benchmark takes; the best one counts.',
  },
  benchmarkFile: {
    variable: 'TSWORKER_BENCHMARK_FILE',
    type: text,
    otherwise: '`~/.cache/tsworker/benchmarks.json`',
    about: 'Where the results of benchmarks are kept, so that a restart need not measure again.',
  },
  loadTimeoutMs: {
    variable: 'TSWORKER_LOAD_TIMEOUT',
    type: duration,
    fallback: '1h',
    about: 'How long the model may take to load.',
  },
  loadStallTimeoutMs: {
    variable: 'TSWORKER_LOAD_STALL_TIMEOUT',
    type: duration,
    fallback: '20m',
    about: 'How long the log may stand still while the model loads.',
  },
  healthIntervalMs: {
    variable: 'TSWORKER_HEALTH_INTERVAL',
    type: duration,
    fallback: '10s',
    about: 'How often the health route is asked once the model has loaded.',
  },
  healthTimeoutMs: {
    variable: 'TSWORKER_HEALTH_TIMEOUT',
    type: duration,
    fallback: '5s',
    about: 'How long the health route may take to answer.',
  },
  healthStrikes: {
    variable: 'TSWORKER_HEALTH_STRIKES',
    type: count,
    fallback: '3',
    about: 'How many times in a row the health route must fail before the model counts as failed.',
  },
  updateFile: {
    variable: 'TSWORKER_UPDATE_FILE',
    type: text,
    fallback: '/.force_update',
    about: 'The file that is touched when the autoscaler asks for an update.',
  },
  beacon: {
    variable: 'TSWORKER_BEACON',
    type: flag,
    fallback: 'true',
    about: 'When the worker can not start, stay to tell the autoscaler why. With false, end at once.',
  },
  headersTimeoutMs: {
    variable: 'TSWORKER_HEADERS_TIMEOUT',
    type: duration,
    fallback: '10s',
    about: 'How long a client may take to send its headers.',
  },
  requestTimeoutMs: {
    variable: 'TSWORKER_REQUEST_TIMEOUT',
    type: duration,
    fallback: '60s',
    about: 'How long a client may take to send its whole request.',
  },
  logLevel: {
    variable: 'TSWORKER_LOG_LEVEL',
    option: '--log-level',
    type: choice(LOG_LEVELS),
    fallback: 'info',
    about: 'The least important thing that is logged.',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
