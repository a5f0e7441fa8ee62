import type { WorkState } from '../../machines/life.js';

export interface StateRow {
  readonly meaning: string;
  /** What its operator may do about it. */
  readonly toDo: string;
}

/** Every state of a worker's work, as its operator meets them. */
export const STATES: Readonly<Record<WorkState, StateRow>> = {
  loading: {
    meaning:
      'The model is being made ready. Requests get 503 `not_accepting`; `/readyz` says what is waited for.',
    toDo: 'Wait. If it lasts: see the reason at `/readyz` and the log of the model. It ends by itself with `TSWORKER_LOAD_TIMEOUT`, or when the log stands still for `TSWORKER_LOAD_STALL_TIMEOUT` and the folder `TSWORKER_LOAD_WATCH` does not grow.',
  },
  loaded: {
    meaning: 'The model is ready, and the autoscaler is being told. Requests get 503 still.',
    toDo: 'Nothing, it is over in a moment. With `TSWORKER_SERVE_UNREPORTED=false` it lasts until an autoscaler answers: see whether `REPORT_ADDR` is right and can be reached.',
  },
  serving: {
    meaning: 'Requests are accepted.',
    toDo: 'Nothing.',
  },
  failing: {
    meaning:
      'The model is broken, or could not be loaded. Requests get 503, the autoscaler knows why, and what was accepted goes on.',
    toDo: 'See the reason at `/readyz` and the log of the model. The worker goes on looking and leaves the state by itself when the model is well; if the reason is a setting, mend it and restart.',
  },
  draining: {
    meaning:
      'The worker was asked to stop, or to make way for an update: nothing new is accepted, what is under way finishes, and the last reports go out.',
    toDo: 'Wait up to `TSWORKER_DRAIN_TIMEOUT` and some seconds. A second SIGTERM, half a second after the first or later, ends it at once, and loses what is under way.',
  },
  stopped: {
    meaning: 'Everything is over. The process ends.',
    toDo: 'See the exit code.',
  },
};

export const STATE_NAMES: readonly string[] = Object.keys(STATES);
