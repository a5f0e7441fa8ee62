import { LOG_LEVELS } from '../log-levels.js';
import { choice, duration, flag, integer, port, type SettingType, size, text, urlList } from './types.js';

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
    fallback: '1MiB',
    about: 'The largest body of a request.',
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
