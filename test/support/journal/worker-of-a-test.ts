import { cut, openLedger } from '../../../machines/ledger.js';
import { reduce } from '../../../machines/metrics.js';
import { add, openOutbox } from '../../../machines/outbox.js';
import { Journal } from '../../../src/journal/journal.js';
import { nextLife } from '../../../src/journal/next-life.js';
import { readJournal } from '../../../src/journal/read-journal.js';
import { createLog } from '../../../src/log.js';
import { ended, started } from '../../../src/testing/request-events.js';
import { unixSeconds } from './snapshots.js';

/**
 * A program that uses a journal as a worker does: it goes on from what it finds, says so, and then starts a request
 * of work 1 at each turn of the event loop, of which one in three ends. It says what it has done so far before
 * each quarter of a second, and which report was acknowledged. It runs until it is killed.
 */
const [path = ''] = process.argv.slice(2);
const log = await createLog({ level: 'info', terminal: false });
const life = nextLife(await readJournal(path, log), 0);
let metrics = { ledger: life.ledger ?? openLedger(0), working: 0 };
let outbox = add(openOutbox(100_000), ...life.untold);
const now = () => performance.now();

const journal = new Journal({
  path,
  log,
  now,
  unixSeconds,
  take: () => ({ ledger: metrics.ledger, outbox }),
});
journal.begin();
say('began', { died: life.died, untold: life.untold.length });

let id = 0;
const timer = setInterval(() => {
  id += 1;
  const facts = { id, workload: 1, requestIdx: id };
  for (const event of [started(facts), ...(id % 3 === 0 ? [ended('succeeded', facts)] : [])]) {
    metrics = reduce(metrics, event);
    journal.note(event);
    if (event.type === 'request.succeeded') {
      outbox = add(outbox, {
        requestIdx: id,
        status: 'Success',
        enteredQueueAt: unixSeconds(0),
        workStartedAt: unixSeconds(0),
        workCompletedAt: unixSeconds(0),
      });
    }
  }
  if (id % 50 === 0) say('did', {});
}, 1);

process.on('SIGUSR2', () => {
  const window = cut(metrics.ledger, ['requests', 'received', 'load', 'served'], now());
  metrics = reduce(metrics, { type: 'report.acknowledged', window });
  journal.acknowledged();
  say('acknowledged', {});
});

process.on('SIGTERM', () => {
  clearInterval(timer);
  void journal.end().then(() => say('ended', {}));
});

function say(event: string, fields: object): void {
  const { totals, reported } = metrics.ledger;
  log.info(event, { event, atMs: now(), requests: totals.requests, reported: reported.requests, ...fields });
}
