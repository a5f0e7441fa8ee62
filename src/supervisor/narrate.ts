import { withLastLines } from '../../machines/endings.js';
import type { SupervisorEmitted } from '../../machines/supervision.js';
import type { Log } from '../log.js';

/** Tells the log how the model server is started, and how it ends. */
export function tellSupervision(event: SupervisorEmitted, log: Log): void {
  const { type, ...facts } = event;
  const fields = { event: type, ...facts };
  switch (event.type) {
    case 'model.orphaned':
      log.warn(`an earlier worker has left its model server: ${event.orphan} will be ended`, fields);
      return;
    case 'model.started':
      log.info(
        event.restarts === 0
          ? 'the model server is started'
          : `the model server is started again (restart ${event.restarts})`,
        fields,
      );
      return;
    case 'model.died':
      log.error(withLastLines(`the model server has died: ${event.reason}`, event), fields);
      return;
    case 'model.backedOff':
      log.info(`the model server is started again in ${event.waitMs / 1000} s`, fields);
      return;
    case 'model.killed':
      log.warn('the model server did not end when it was asked to: it is killed', fields);
      return;
    case 'model.unsignalled':
      log.error(`${event.signal} could not be sent to the model server: ${event.reason}`, fields);
      return;
    case 'model.stuck':
      log.error(`the model server can not be ended: ${event.reason}`, fields);
      return;
    case 'model.gaveUp':
      log.error(event.reason, fields);
  }
}
