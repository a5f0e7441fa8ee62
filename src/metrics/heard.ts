import type { ReporterEmitted } from '../../machines/reports.js';
import type { SupervisorEmitted } from '../../machines/supervision.js';
import type { ModelEvent } from '../bus.js';

/** What was heard of reports. */
export class ReportTally {
  attempts = 0;
  failures = 0;
  /** Monotonic, in ms: before the first delivery, when the worker began. */
  acknowledgedAtMs: number;

  constructor(startedAtMs: number) {
    this.acknowledgedAtMs = startedAtMs;
  }

  hear({ type }: ReporterEmitted, nowMs: number): void {
    if (type !== 'report.delivered' && type !== 'report.failed') return;
    this.attempts += 1;
    if (type === 'report.failed') this.failures += 1;
    else this.acknowledgedAtMs = nowMs;
  }
}

/** What was heard of the model server. */
export class ModelTally {
  restarts = 0;
  deaths = 0;
  strikes = 0;
  stalls = 0;

  hear(event: ModelEvent | SupervisorEmitted): void {
    switch (event.type) {
      case 'model.started':
        this.restarts = event.restarts;
        return;
      case 'model.died':
        this.deaths += 1;
        return;
      case 'health.strike':
        this.strikes += 1;
        return;
      case 'model.stalled':
        this.stalls += 1;
    }
  }
}
