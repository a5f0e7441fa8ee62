import type { ModelEvent } from './bus.js';
import { doesNotTakeRequests, inWords } from './in-words.js';
import type { Log } from './log.js';
import { tellSupervision } from './supervisor/narrate.js';

/** Tells the log how the model loads, how fast it is, how it is, and how its server is run. */
export function tellModel(event: ModelEvent, log: Log): void {
  const { type, ...rest } = event;
  const fields = { event: type, ...rest };
  switch (event.type) {
    case 'waiting':
      log.info(`waiting for ${event.waitingFor}`, fields);
      return;
    case 'benchmark.reused':
      log.info(`the benchmark was run before: ${inWords(event.maxPerf)} units/s`, fields);
      return;
    case 'benchmark.waits':
      log.info(doesNotTakeRequests(event.reason, event.at), fields);
      return;
    case 'benchmark.began':
      log.info('the benchmark begins', fields);
      return;
    case 'benchmark.failed':
      log.warn(`the benchmark is tried again in ${inWords(event.retryMs / 1000)} s: ${event.reason}`, fields);
      return;
    case 'benchmark.saved':
      log.info(`the benchmark is over: ${inWords(event.maxPerf)} units/s`, fields);
      return;
    case 'benchmark.unsaved':
      log.warn(
        `the benchmark is over: ${inWords(event.maxPerf)} units/s, but it could not be saved: ${event.reason}`,
        fields,
      );
      return;
    case 'health.unwell':
      log.info(`the model server is not well yet: ${event.reason}`, fields);
      return;
    case 'health.strike':
      log.warn(`the model server is not well (strike ${event.strikes}): ${event.reason}`, fields);
      return;
    case 'model.stalled':
      log.warn(
        `the model server has sent nothing for ${Math.round(event.quietMs / 1000)} s although requests wait for it`,
        fields,
      );
      return;
    case 'health.busy':
      log.debug(`the model server is busy: ${event.reason}`, fields);
      return;
    default:
      tellSupervision(event, log);
  }
}
