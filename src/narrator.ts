import type { CompletionsEmitted } from '../machines/completions.js';
import type { LifecycleEmitted } from '../machines/life.js';
import type { PublicKeyEmitted } from '../machines/public-key.js';
import type { ReporterEmitted } from '../machines/reports.js';
import type { Bus } from './bus.js';
import { messageOf } from './errors.js';
import { firstLineOf } from './first-line.js';
import { inWords } from './in-words.js';
import type { Log } from './log.js';
import { tellModel } from './narrate-model.js';
import type { WorkerView } from './view.js';

/** Tells the log what happens on the bus: each change of state and each report, one line each. */
export function narrate(bus: Bus, log: Log, now: () => number): void {
  let outageBeganAtMs = now();
  bus.on('lifecycle', (event) => tellState(event, log));
  bus.on('report', (event) => {
    if (event.type === 'outage.began') outageBeganAtMs = now();
    tellReport(event, log, Math.round((now() - outageBeganAtMs) / 1000));
  });
  bus.on('completions', (event) => tellCompletions(event, log));
  bus.on('key', (event) => tellKey(event, log));
  bus.on('model', (event) => tellModel(event, log));
}

function tellCompletions(event: CompletionsEmitted, log: Log): void {
  switch (event.type) {
    case 'completions.delivered':
      log.debug(`told that ${event.count} requests have finished`, { event: event.type, count: event.count });
      return;
    case 'completions.failed':
      log.debug(`finished requests were not taken by ${event.address}: ${messageOf(event.error)}`, {
        event: event.type,
        address: event.address,
      });
      return;
    case 'completions.outage.began':
      log.warn(
        `no autoscaler takes finished requests (${messageOf(event.error)}); they are kept and tried again`,
        {
          event: event.type,
        },
      );
      return;
    case 'completions.outage.ended':
      log.info(`${event.address} takes finished requests again`, {
        event: event.type,
        address: event.address,
      });
      return;
    case 'completions.dropped':
      log.error(`too many finished requests wait to be told: ${event.total} have been given up so far`, {
        event: event.type,
        total: event.total,
      });
      return;
    case 'completions.refused': {
      const { requestIdx, address, total } = event;
      log.error(
        `that request ${requestIdx} has finished is refused by ${address}, even alone: ${total} have been given up so far`,
        { event: event.type, requestIdx, address, total },
      );
    }
  }
}

function tellKey(event: PublicKeyEmitted, log: Log): void {
  if (event.type === 'key.held') log.info("the autoscaler's public key is there", { event: event.type });
  else if (event.type === 'key.late') log.warn(event.reason, { event: event.type });
  else {
    const reason = messageOf(event.error);
    log.debug(`no public key from ${event.address}: ${reason}`, { event: event.type, reason });
  }
}

function tellState({ state, ...entered }: LifecycleEmitted, log: Log): void {
  const reason = firstLineOf(entered.reason);
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
        .map(([field, value]) => `${field} ${shownAs(value)}`);
      // A status a second would bury everything else; those that tell a change of state stand out.
      const level = name === 'status' && event.attempt.kind === 'work' ? 'debug' : 'info';
      log[level](`report ${name} delivered: ${fields.join(', ')}`, {
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
    case 'address.changed': {
      const { from, to } = event;
      log.warn(`reports go to ${to} now, since ${from} did not take them`, { event: event.type, from, to });
    }
  }
}

function shownAs(value: unknown): string {
  return typeof value === 'number' ? inWords(value) : JSON.stringify(value);
}

/** Tells how many requests were cut, if any. */
export function tellCut(requests: number, log: Log): void {
  if (requests > 0) log.warn(`${requests} requests were cut`, { event: 'requests.cut', requests });
}

/** Tells what an end that is not clean leaves: requests that were cut, and what the autoscaler does not know. */
export function tellWhatIsLeft(view: WorkerView, log: Log): void {
  const { requestsUnderWay, ledger, reporter, phase, completions } = view;
  tellCut(requestsUnderWay, log);
  const { requests, received, load, rejected, served } = ledger.unreported;
  const units = Math.max(received, load, rejected, served);
  if (requests > 0 || units > 0) {
    const fields = {
      event: 'left.unreported',
      requests,
      received: Math.max(received, load),
      rejected,
      served,
    };
    log.warn(`not reported: ${requests} requests, ${units} units of work`, fields);
  }
  if (completions.untold > 0) {
    const fields = { event: 'left.unfinished', requests: completions.untold };
    log.warn(`not told: that ${completions.untold} requests have finished`, fields);
  }
  if (reporter.due.includes('state')) {
    log.warn(`not reported: that the worker is ${phase}`, { event: 'left.untold', phase });
  }
}
