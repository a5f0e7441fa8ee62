import type { Setting } from './setting.js';
import { choice, count, duration, integer, limit, path, positive, size, text, url } from './types.js';

/** What is about the model behind the worker: where it is, when it has loaded, what it is asked, when it has failed. */
export const MODEL_SETTINGS = {
  modelServerUrl: {
    variable: 'MODEL_SERVER_URL',
    option: '--model-server',
    type: url,
    otherwise: "the backend's own",
    about: 'The base address of the model server.',
  },
  modelCommand: {
    variable: 'TSWORKER_MODEL_COMMAND',
    type: text,
    otherwise: "the backend's own; without one somebody else runs the model server",
    about:
      'The command that starts the model server, for a shell. With it the worker starts it, starts it again when it dies, and ends it.',
  },
  modelLog: {
    variable: 'MODEL_LOG',
    type: text,
    otherwise: "the backend's own",
    about:
      "The model server's log file, watched for the line that says that it has loaded. A worker that runs the model server writes it.",
  },
  modelLogBytes: {
    variable: 'TSWORKER_MODEL_LOG_SIZE',
    type: size,
    fallback: '64MiB',
    about: 'How large `MODEL_LOG` may become where the worker writes it. Then it is put aside.',
  },
  modelLogKeep: {
    variable: 'TSWORKER_MODEL_LOG_KEEP',
    type: integer,
    fallback: '3',
    about: 'How many files of it are kept that were put aside; 100 at most.',
  },
  modelGraceMs: {
    variable: 'TSWORKER_MODEL_GRACE',
    type: duration,
    fallback: '10s',
    about: 'How long the model server that the worker runs may take to end by itself. Then it is killed.',
  },
  modelMaxCrashes: {
    variable: 'TSWORKER_MODEL_MAX_CRASHES',
    type: count,
    fallback: '5',
    about: 'A model server that has died so many times in a row is not started again.',
  },
  modelStableAfterMs: {
    variable: 'TSWORKER_MODEL_STABLE_AFTER',
    type: duration,
    fallback: '10m',
    about: 'What ran for so long has not died in a row: its crashes are counted anew.',
  },
  modelMaxBackOffMs: {
    variable: 'TSWORKER_MODEL_MAX_BACKOFF',
    type: duration,
    fallback: '1m',
    about: 'The longest wait before a model server that has died is started again.',
  },
  memoryEvents: {
    variable: 'TSWORKER_MEMORY_EVENTS',
    type: text,
    otherwise: 'that of the cgroup of the worker',
    about:
      'The file in which the kernel counts what it kills for want of memory, in a line `oom_kill <count>`: by it a model server that was out of memory is told from one that was killed.',
  },
  stateDir: {
    variable: 'TSWORKER_STATE_DIR',
    type: text,
    otherwise: '`~/.local/state/tsworker`',
    about: 'Where the worker keeps what its next start must know, such as which processes it runs.',
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
  firstByteTimeoutMs: {
    variable: 'TSWORKER_FIRST_BYTE_TIMEOUT',
    type: limit,
    otherwise: "each route's own",
    about:
      'How long the model server may take to the first byte of an answer. One that is not streamed has its first byte when all of it is made.',
  },
  betweenBytesTimeoutMs: {
    variable: 'TSWORKER_BETWEEN_BYTES_TIMEOUT',
    type: limit,
    otherwise: "each route's own",
    about: 'How long the model server may take between two pieces of an answer.',
  },
  totalTimeoutMs: {
    variable: 'TSWORKER_TOTAL_TIMEOUT',
    type: limit,
    otherwise: "each route's own",
    about: "How long a request may take in all, from its turn to the end of the model server's answer.",
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
  loadWatch: {
    variable: 'TSWORKER_LOAD_WATCH',
    type: text,
    otherwise: 'none',
    about:
      'A folder that the model is downloaded to, such as `/root/.cache/huggingface`. While it grows, the load does not stand still, whatever the log says.',
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
  stallTimeoutMs: {
    variable: 'TSWORKER_STALL_TIMEOUT',
    type: limit,
    otherwise:
      "10m, or as long as the most patient of the backend's routes waits for a byte; 30m where one has no limit",
    about:
      'How long the model server may send nothing at all while requests wait for it. Then it counts as failed, even though its health route answers.',
  },
} as const satisfies Record<string, Setting>;
