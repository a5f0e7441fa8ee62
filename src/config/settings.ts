import { LOG_LEVELS } from '../log-levels.js';
import type { Setting } from './setting.js';
import { MODEL_SETTINGS } from './settings-model.js';
import {
  choice,
  duration,
  flag,
  integer,
  limit,
  originList,
  port,
  size,
  text,
  token,
  urlList,
} from './types.js';

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
    about: 'The port of the internal pages.',
  },
  internalHost: {
    variable: 'TSWORKER_INTERNAL_HOST',
    type: text,
    fallback: '127.0.0.1',
    about:
      'The address on which the worker listens for its operator. Another than loopback wants `TSWORKER_INTERNAL_TOKEN`; there is no TLS, so let it be one of a private network.',
  },
  internalToken: {
    variable: 'TSWORKER_INTERNAL_TOKEN',
    type: token,
    fallback: '',
    secret: true,
    about:
      'With it the internal pages are shown to those alone who send it: `Authorization: Bearer <token>`. Never logged.',
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
    about:
      'How long stopping may take: requests finish, then the last report goes out. What is cut then is still told, for as long again and 5 s at most.',
  },
  sessionGraceMs: {
    variable: 'TSWORKER_SESSION_GRACE',
    type: duration,
    fallback: '5s',
    about:
      'While stopping: how long a session in which nothing happens is held, in case its client is between two requests.',
  },
  bodyLimitBytes: {
    variable: 'TSWORKER_BODY_LIMIT',
    type: size,
    fallback: '64MiB',
    about: 'The largest body of a request.',
  },
  uncheckedLimitBytes: {
    variable: 'TSWORKER_UNCHECKED_BODIES_LIMIT',
    type: size,
    fallback: '256MiB',
    about:
      'How much of the bodies of all requests is held whose signatures are not checked yet. What would go beyond is refused with 503; one body alone may be as large as `TSWORKER_BODY_LIMIT`.',
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
  corsOrigins: {
    variable: 'TSWORKER_CORS_ORIGINS',
    type: originList,
    otherwise: 'none',
    about:
      'Origins whose pages may ask this worker from a browser. Without it nothing is told to browsers, and what the model server tells them is not passed on.',
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
  ...MODEL_SETTINGS,
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
    about:
      'When the worker can not start, stay to tell the autoscaler why until it is stopped. With false, end at once.',
  },
  parentPid: {
    variable: 'TSWORKER_PARENT_PID',
    type: integer,
    otherwise: 'not looked at',
    about:
      'The pid of whoever has started the worker. When that is no longer its parent, the worker drains and ends, as on SIGTERM: so `tsworker dev` leaves none behind, however it ends.',
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
  clientTimeoutMs: {
    variable: 'TSWORKER_CLIENT_TIMEOUT',
    type: limit,
    fallback: '60s',
    about:
      "How long a client may take nothing of an answer that waits for it. Then its connection is cut, and the model's work for it ends.",
  },
  recordFile: {
    variable: 'TSWORKER_RECORD',
    type: text,
    otherwise: 'nothing is recorded',
    about:
      'A file into which the run is recorded from its beginning, for `tsworker replay`: what happens to the machines, without secrets and payloads. With `tsworker dev --max-workers` each worker has its own, `run.1.jsonl` for `run.jsonl`.',
  },
  recordBytes: {
    variable: 'TSWORKER_RECORD_BYTES',
    type: size,
    fallback: '64MiB',
    about: 'How large the recording may be. Then it ends, and the worker goes on.',
  },
  inspectTo: {
    variable: 'TSWORKER_INSPECT',
    option: '--inspect',
    type: text,
    otherwise: 'nowhere',
    about:
      "Where the machines are told of in the form of Stately's inspector, one event a line: a file, or `-` for the standard output (the log then goes to standard error). With `tsworker dev --max-workers` each worker has its own file, as with `TSWORKER_RECORD`.",
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
