import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { cut } from '../../machines/ledger.js';
import { Journal } from '../../src/journal/journal.js';
import { contentsOf } from '../../src/journal/text.js';
import { RecordingLog } from '../../src/testing/recording-log.js';
import { ended, rejected, started } from '../../src/testing/request-events.js';
import { Life, unixSeconds } from '../support/journal/snapshots.js';
import { leftBehindBy } from '../support/resources.js';
import { temporaryFolder } from '../support/worker-program.js';

const UNTIL = { timeout: 15_000, interval: 5 };

function open(path: string) {
  const log = new RecordingLog();
  const life = new Life();
  const now = () => 1_000;
  const take = vi.fn(() => ({ ledger: life.metrics.ledger, outbox: life.outbox }));
  const journal = new Journal({ path, log, now, unixSeconds, take });
  onTestFinished(() => journal.end());
  const hear = (...events: Parameters<Life['hear']>[0][]) => {
    for (const event of events) {
      life.hear(event);
      journal.note(event);
    }
  };
  const acknowledge = () => {
    const window = cut(life.metrics.ledger, ['requests', 'load'], 1);
    life.move({ type: 'report.acknowledged', window });
    journal.acknowledged();
  };
  return { journal, life, log, take, hear, acknowledge };
}

function read(path: string) {
  return existsSync(path) ? contentsOf(readFileSync(path, 'utf8')).snapshot : null;
}

const file = () => join(temporaryFolder(), 'state', 'journal-7-3000');

describe('a journal', () => {
  it('has the state on the disk when it begins, and what changed within half a second', async () => {
    const path = file();
    const { journal, life, hear } = open(path);
    hear(started({ id: 1, workload: 3, requestIdx: 11 }));
    expect(existsSync(path)).toBe(false);
    journal.begin();
    await vi.waitUntil(() => read(path) !== null, UNTIL);
    expect(read(path)).toEqual(life.snapshot(1_000));
    const changedAtMs = performance.now();
    hear(started({ id: 2, workload: 4 }), ended('succeeded', { id: 1, workload: 3, requestIdx: 11 }));
    await vi.waitUntil(() => read(path)?.present.has(2), UNTIL);
    expect(performance.now() - changedAtMs).toBeGreaterThan(200);
    expect(read(path)).toEqual(life.snapshot(1_000));
    hear(rejected({ id: 3, workload: 5, requestIdx: 13 }));
    await vi.waitUntil(() => read(path)?.waiting.completions.length === 2, UNTIL);
    expect(read(path)).toEqual(life.snapshot(1_000));
  });

  it('writes many changes at once', async () => {
    const path = file();
    const { journal, hear, take } = open(path);
    journal.begin();
    await vi.waitUntil(() => read(path) !== null, UNTIL);
    for (let id = 1; id <= 1_000; id++) hear(started({ id, workload: 1 }));
    await vi.waitUntil(() => read(path)?.present.size === 1_000, UNTIL);
    expect(take).toHaveBeenCalledTimes(2);
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(4);
  });

  it('does not wait with what was acknowledged', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const path = file();
    const { journal, life, hear, acknowledge } = open(path);
    journal.begin();
    hear(started({ id: 1, workload: 3 }));
    acknowledge();
    await untilTurn(() => read(path)?.accounts.reported.load === 3);
    expect(read(path)).toEqual(life.snapshot(1_000));
  });

  it('writes nothing where nothing has changed', async () => {
    const path = file();
    const { journal, take } = open(path);
    journal.begin();
    await vi.waitUntil(() => read(path) !== null, UNTIL);
    const before = readFileSync(path, 'utf8');
    journal.changed();
    await vi.waitUntil(() => take.mock.calls.length === 2, UNTIL);
    await journal.end();
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it('ends with what is not told, and the counts, and nothing else', async () => {
    const path = file();
    const { journal, life, hear, acknowledge } = open(path);
    journal.begin();
    hear(started({ id: 1, workload: 3, requestIdx: 11 }), started({ id: 2, requestIdx: 12 }));
    await vi.waitUntil(() => read(path)?.present.size === 2, UNTIL);
    hear(ended('succeeded', { id: 1, workload: 3, requestIdx: 11 }));
    hear(ended('succeeded', { id: 2, requestIdx: 12 }));
    acknowledge();
    life.deliver();
    await journal.end();
    expect(read(path)).toEqual(life.snapshot(1_000));
    expect(read(path)).toMatchObject({
      accounts: { totals: { requests: 2 }, reported: { requests: 2 } },
      present: new Map(),
      waiting: { completions: [] },
    });
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(3);
    expect(readdirSync(join(path, '..'))).toEqual(['journal-7-3000']);
    // What comes now is not its own any more.
    hear(started({ id: 3 }));
    journal.acknowledged();
    await journal.end();
    expect(read(path)?.accounts.totals.requests).toBe(2);
  });

  it('that was never begun touches nothing', async () => {
    const path = file();
    const { journal, hear } = open(path);
    hear(started({ id: 1 }));
    await journal.end();
    expect(existsSync(join(path, '..'))).toBe(false);
  });

  it('is written anew when most of it has passed', async () => {
    const path = file();
    const { journal, hear, life } = open(path);
    journal.begin();
    await vi.waitUntil(() => read(path) !== null, UNTIL);
    for (let id = 1; id <= 4_000; id++) {
      const facts = { id, workload: 1 };
      hear(started(facts));
    }
    await vi.waitUntil(() => read(path)?.present.size === 4_000, UNTIL);
    const large = statSync(path).size;
    expect(large).toBeGreaterThan(256 * 1024);
    for (let id = 1; id <= 4_000; id++) hear(ended('succeeded', { id, workload: 1 }));
    await vi.waitUntil(() => statSync(path).size < 1_024, UNTIL);
    expect(read(path)).toEqual(life.snapshot(1_000));
  });

  it('that is removed under its hands is written again', async () => {
    const path = file();
    const { journal, hear, life, log } = open(path);
    journal.begin();
    await vi.waitUntil(() => read(path) !== null, UNTIL);
    rmSync(path);
    hear(started({ id: 1, workload: 3 }));
    await journal.end();
    expect(read(path)).toEqual(life.snapshot(1_000));
    expect(log.about('journal.corrupt')).toEqual([]);
  });

  it('leaves nothing open', async () => {
    const path = file();
    expect(
      await leftBehindBy(async () => {
        const { journal, hear, acknowledge } = open(path);
        journal.begin();
        hear(started({ id: 1 }));
        acknowledge();
        hear(started({ id: 2 }));
        await journal.end();
      }),
    ).toEqual({});
  });
});

describe('a disk that can not be written', () => {
  it('is told once, and once more when it can be, and then holds all', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const path = file();
    const folder = join(path, '..');
    writeFileSync(folder, 'a file, where a folder should be');
    const { journal, hear, life, log, take, acknowledge } = open(path);
    journal.begin();
    await untilTurn(() => log.lines.length === 1);
    for (let id = 1; id <= 3; id++) {
      const times = take.mock.calls.length;
      hear(started({ id, workload: 1 }));
      acknowledge();
      await untilTurn(() => {
        vi.advanceTimersByTime(5_000);
        return take.mock.calls.length > times;
      });
    }
    expect(log.lines).toEqual([
      {
        level: 'error',
        message: expect.stringMatching(
          /^the journal \S+ can not be written \(.*EEXIST.*\): a crash would lose/,
        ),
        fields: { event: 'journal.unwritable' },
      },
    ]);
    expect(journal.isFailing).toBe(true);
    rmSync(folder);
    await untilTurn(() => {
      vi.advanceTimersByTime(5_000);
      return log.lines.length === 2;
    });
    expect(log.lines[1]).toEqual({
      level: 'info',
      message: `the journal ${path} is written again`,
      fields: { event: 'journal.written' },
    });
    expect(journal.isFailing).toBe(false);
    expect(read(path)).toEqual(life.snapshot(1_000));
  });

  it('does not keep a worker from its end', async () => {
    const path = file();
    mkdirSync(path, { recursive: true });
    const { journal, hear, log } = open(path);
    journal.begin();
    hear(started({ id: 1 }));
    await journal.end();
    expect(log.lines.map(({ fields }) => fields.event)).toEqual(['journal.unwritable']);
    expect(readdirSync(join(path, '..'))).toEqual(['journal-7-3000']);
  });
});

/** Turns of the event loop until it is so: real ones, when the timers are not. */
async function untilTurn(isSo: () => unknown): Promise<void> {
  for (let turn = 0; turn < 200_000; turn++) {
    if (isSo()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('it did not become so');
}
