/** One metric of the worker: its name, its type, what it means, and by what it is told apart. */
export interface MetricRow {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** A sentence without its full stop, as Prometheus shows it. */
  readonly help: string;
  readonly labels: readonly string[];
  /** Of a histogram: its upper bounds, in the unit of its name. */
  readonly buckets?: readonly number[];
}

/** From a cached answer to the longest generation. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/**
 * Every metric of a worker. They are registered from this table, and docs/operations.md is made from it. Labels take
 * values that the backend or this package has fixed, never any that a client chose.
 */
export const METRICS = {
  info: {
    name: 'tsworker_info',
    type: 'gauge',
    help: 'Always 1: which backend runs, in which version of tsworker and of Node',
    labels: ['backend', 'version', 'node'],
  },
  state: {
    name: 'tsworker_state',
    type: 'gauge',
    help: '1 for the state in which the worker is, 0 for the others',
    labels: ['state'],
  },
  stateSeconds: {
    name: 'tsworker_state_seconds',
    type: 'gauge',
    help: 'How long the worker has been in its state',
    labels: [],
  },
  requests: {
    name: 'tsworker_requests_total',
    type: 'counter',
    help: 'Requests that have ended, those refused after their signature was found genuine included; a session counts as one, and what is sent in it counts too',
    labels: ['route', 'outcome'],
  },
  inFlight: {
    name: 'tsworker_requests_in_flight',
    type: 'gauge',
    help: 'Requests that were let in and have not ended, those that wait for their turn included, sessions not',
    labels: ['route'],
  },
  queued: {
    name: 'tsworker_requests_queued',
    type: 'gauge',
    help: 'Requests that wait for their turn',
    labels: [],
  },
  sessions: {
    name: 'tsworker_sessions',
    type: 'gauge',
    help: 'Sessions that clients hold',
    labels: [],
  },
  errorsTold: {
    name: 'tsworker_errors_told_total',
    type: 'counter',
    help: 'Errors that clients were told, by code, whoever they were',
    labels: ['code'],
  },
  received: {
    name: 'tsworker_workload_received_total',
    type: 'counter',
    help: 'Units of work of the requests that were let in',
    labels: ['route'],
  },
  served: {
    name: 'tsworker_workload_served_total',
    type: 'counter',
    help: 'Units of work of the requests that succeeded',
    labels: ['route'],
  },
  errored: {
    name: 'tsworker_workload_errored_total',
    type: 'counter',
    help: 'Units of work of the requests that failed',
    labels: ['route'],
  },
  cancelled: {
    name: 'tsworker_workload_cancelled_total',
    type: 'counter',
    help: 'Units of work of the requests whose client went away',
    labels: ['route'],
  },
  rejected: {
    name: 'tsworker_workload_rejected_total',
    type: 'counter',
    help: 'Units of work of the requests that were refused, at the door or after too long a wait',
    labels: ['route'],
  },
  pending: {
    name: 'tsworker_workload_pending',
    type: 'gauge',
    help: 'Units of work of the requests and sessions in the worker',
    labels: [],
  },
  maxPerf: {
    name: 'tsworker_max_perf',
    type: 'gauge',
    help: 'Units of work per second that the worker can do at most; 0 while it is not known',
    labels: [],
  },
  loadSeconds: {
    name: 'tsworker_load_seconds',
    type: 'gauge',
    help: 'How long the last load of the model took; 0 before the first',
    labels: [],
  },
  queueSeconds: {
    name: 'tsworker_request_queue_seconds',
    type: 'histogram',
    help: 'How long requests waited for their turn',
    labels: ['route'],
    buckets: SECONDS,
  },
  firstByteSeconds: {
    name: 'tsworker_request_first_byte_seconds',
    type: 'histogram',
    help: 'From the moment that a request was let in to the first byte of its answer, the wait for its turn included',
    labels: ['route'],
    buckets: SECONDS,
  },
  durationSeconds: {
    name: 'tsworker_request_duration_seconds',
    type: 'histogram',
    help: 'From the moment that a request was let in to its end, where its turn came',
    labels: ['route'],
    buckets: SECONDS,
  },
  receivedBytes: {
    name: 'tsworker_request_bytes_total',
    type: 'counter',
    help: 'Bytes of the bodies of the requests that have ended',
    labels: ['route'],
  },
  sentBytes: {
    name: 'tsworker_response_bytes_total',
    type: 'counter',
    help: 'Bytes of the bodies of their answers',
    labels: ['route'],
  },
  reportAttempts: {
    name: 'tsworker_report_attempts_total',
    type: 'counter',
    help: 'Attempts to report to the autoscaler that have ended',
    labels: [],
  },
  reportFailures: {
    name: 'tsworker_report_failures_total',
    type: 'counter',
    help: 'Those of them that failed',
    labels: [],
  },
  reportAge: {
    name: 'tsworker_report_acknowledged_age_seconds',
    type: 'gauge',
    help: 'How long ago the autoscaler acknowledged the last report; before the first, how long the worker has run',
    labels: [],
  },
  unreported: {
    name: 'tsworker_workload_unreported',
    type: 'gauge',
    help: 'Units of received work that no acknowledged report has told yet',
    labels: [],
  },
  untold: {
    name: 'tsworker_completions_untold',
    type: 'gauge',
    help: 'Finished requests of which the autoscaler does not know yet',
    labels: [],
  },
  dropped: {
    name: 'tsworker_completions_dropped_total',
    type: 'counter',
    help: 'Finished requests that were given up because too many waited to be told',
    labels: [],
  },
  modelRestarts: {
    name: 'tsworker_model_restarts_total',
    type: 'counter',
    help: 'How often the worker has started its model server again',
    labels: [],
  },
  modelDeaths: {
    name: 'tsworker_model_deaths_total',
    type: 'counter',
    help: 'How often the model server that the worker runs has died',
    labels: [],
  },
  healthStrikes: {
    name: 'tsworker_model_health_strikes_total',
    type: 'counter',
    help: 'Failed looks at the health of the model server that counted against it',
    labels: [],
  },
  modelStalls: {
    name: 'tsworker_model_stalls_total',
    type: 'counter',
    help: 'How often the model server sent nothing for too long although requests waited for it',
    labels: [],
  },
  loopLagP99: {
    name: 'tsworker_event_loop_lag_p99_seconds',
    type: 'gauge',
    help: 'How late the event loop ran, for all but the worst hundredth, in the last full ten seconds',
    labels: [],
  },
  loopLagMax: {
    name: 'tsworker_event_loop_lag_max_seconds',
    type: 'gauge',
    help: 'How late the event loop ran at worst in the last full ten seconds',
    labels: [],
  },
  cpuSeconds: {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'Processor time of the worker, its own and that of the kernel for it',
    labels: [],
  },
  residentBytes: {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Memory of the worker that is in RAM',
    labels: [],
  },
  heapBytes: {
    name: 'process_heap_bytes',
    type: 'gauge',
    help: 'Size of the heap of JavaScript that is in use',
    labels: [],
  },
  openFds: {
    name: 'process_open_fds',
    type: 'gauge',
    help: 'Open file descriptors; NaN where the system does not tell',
    labels: [],
  },
  startTime: {
    name: 'process_start_time_seconds',
    type: 'gauge',
    help: 'When the process was started, in seconds since 1970',
    labels: [],
  },
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof METRICS;

/** How a request can end, as the label `outcome` has it. */
export const OUTCOMES = {
  succeeded: 'It was answered, and its client has all of the answer.',
  errored: 'The model or the backend failed, or the deadline of draining cut it.',
  cancelled: 'Its client went away before it had all of the answer, or took nothing of it for too long.',
  expired: 'It was let in, but waited for its turn longer than its route allows, and got 429.',
  rejected: 'It was genuine, but not let in: the worker does not accept, or the wait would be too long.',
} as const;

export type OutcomeLabel = keyof typeof OUTCOMES;
