import type { LifecycleEmitted } from '../machines/lifecycle.js';
import type { ReporterEmitted } from '../machines/reports.js';
import type { Bus } from './bus.js';
import { messageOf } from './errors.js';
import type { Log } from './log.js';
import type { WorkerView } from './view.js';

/** Tells the log what happens on the bus: each change of state and each report, one line each. */
export function narrate(bus: Bus, log: Log, now: () => number): void {
  let outageBeganAtMs = now();
  bus.on('lifecycle', (event) => tellState(event, log));
  bus.on('report', (event) => {
    if (event.type === 'outage.began') outageBeganAtMs = now();
    tellReport(event, log, Math.round((now() - outageBeganAtMs) / 1000));
  });
}

function tellState({ state, reason }: LifecycleEmitted, log: Log): void {
  const level = state === 'failing' ? 'error' : 'info';
  log[level](`${state}: ${reason}`, { event: 'state.entered', state, reason });
}

function tellReport(event: ReporterEmitted, log: Log, outageSeconds: number): void {
  switch (event.type) {
    case 'report.delivered': {
      const { name, shown, tookMs } = event.delivery;
      const { address } = event.attempt;
      const fields = Object.entries(shown)
        .filter(([field]) => field !== 'id')
        .map(([field, value]) => `${field} ${inWords(value)}`);
      log.info(`report ${name} delivered: ${fields.join(', ')}`, {
        event: event.type,
        report: name,
        address,
        tookMs: Math.round(tookMs),
        ...shown,
      });
      return;
    }
    case 'report.failed': {
      const { address } = event.attempt;
      const reason = messageOf(event.error);
      log.debug(`report to ${address} failed: ${reason}`, { event: event.type, address, reason });
      return;
    }
    case 'outage.began': {
      const reason = messageOf(event.error);
      log.warn(`no autoscaler takes reports (${reason}); nothing is lost, and it is tried until one does`, {
        event: event.type,
        reason,
      });
      return;
    }
    case 'outage.ended': {
      const { address, failedAttempts } = event;
      log.info(
        `${address} takes reports again, after ${outageSeconds} s and ${failedAttempts} failed attempts`,
        {
          event: event.type,
          address,
          failedAttempts,
          outageSeconds,
        },
      );
      return;
    }
    case 'address.changed':
      log.warn(`reports go to ${event.to} now, since ${event.from} did not take them`, {
        ...event,
        event: event.type,
      });
  }
}

/** A figure as people read it; everything else as it is. */
function inWords(value: unknown): string {
  return typeof value === 'number' ? String(Number(value.toPrecision(4))) : JSON.stringify(value);
}

/** Tells what an end that is not clean leaves: requests that were cut, and what the autoscaler does not know. */
export function tellWhatIsLeft({ requestsUnderWay, ledger, reporter, phase }: WorkerView, log: Log): void {
  if (requestsUnderWay > 0) {
    log.warn(`${requestsUnderWay} requests were cut`, { event: 'requests.cut', requests: requestsUnderWay });
  }
  const { requests, received } = ledger.unreported;
  if (requests > 0 || received > 0) {
    const fields = { event: 'left.unreported', requests, received };
    log.warn(`not reported: ${requests} requests, ${received} units of work`, fields);
  }
  if (reporter.due.includes('state')) {
    log.warn(`not reported: that the worker is ${phase}`, { event: 'left.untold', phase });
  }
}
