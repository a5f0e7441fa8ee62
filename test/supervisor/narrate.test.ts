import { describe, expect, it } from 'vitest';
import type { SupervisorEmitted } from '../../machines/supervision.js';
import { tellSupervision } from '../../src/supervisor/narrate.js';
import { RecordingLog } from '../../src/testing/recording-log.js';

describe('the log of a worker that runs its model server', () => {
  it.each<[SupervisorEmitted, 'info' | 'warn' | 'error', string]>([
    [
      { type: 'model.orphaned', orphan: 'process 7' },
      'warn',
      'an earlier worker has left its model server: process 7 will be ended',
    ],
    [{ type: 'model.started', restarts: 0 }, 'info', 'the model server is started'],
    [{ type: 'model.started', restarts: 2 }, 'info', 'the model server is started again (restart 2)'],
    [
      { type: 'model.died', reason: 'exit code 1', crashes: 1, lastLines: ['one', 'two'] },
      'error',
      'the model server has died: exit code 1\nits last lines:\none\ntwo',
    ],
    [{ type: 'model.backedOff', waitMs: 1_500 }, 'info', 'the model server is started again in 1.5 s'],
    [{ type: 'model.killed' }, 'warn', 'the model server did not end when it was asked to: it is killed'],
    [
      { type: 'model.unsignalled', signal: 'SIGTERM', reason: 'EPERM' },
      'error',
      'SIGTERM could not be sent to the model server: EPERM',
    ],
    [
      { type: 'model.stuck', reason: 'still there' },
      'error',
      'the model server can not be ended: still there',
    ],
    [{ type: 'model.gaveUp', reason: 'it is given up' }, 'error', 'it is given up'],
  ])('%j', (event, level, message) => {
    const log = new RecordingLog();
    tellSupervision(event, log);
    const { type, ...facts } = event;
    expect(log.lines).toEqual([{ level, message, fields: { event: type, ...facts } }]);
  });
});
