import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { journalPath, readJournal } from '../../src/journal/read-journal.js';
import { journalOf } from '../../src/journal/text.js';
import { RecordingLog } from '../../src/testing/recording-log.js';
import { started } from '../../src/testing/request-events.js';
import { Life } from '../support/journal/snapshots.js';
import { temporaryFolder } from '../support/worker-program.js';

const snapshot = new Life().hear(started({ id: 1, workload: 3, requestIdx: 11 })).snapshot(1_000);

function folder() {
  const path = temporaryFolder();
  const log = new RecordingLog();
  const file = journalPath(path, { containerId: 7, port: 3000 });
  return { path, log, file, read: () => readJournal(file, log, () => 'then') };
}

describe('the journal that is found at a start', () => {
  it('belongs to an instance and a port', () => {
    expect(journalPath('/state', { containerId: 7, port: 3000 })).toBe('/state/journal-7-3000');
  });

  it('may not be there', async () => {
    const { read, log } = folder();
    expect([await read(), log.lines]).toEqual([null, []]);
  });

  it('is read, and stays', async () => {
    const { read, log, file, path } = folder();
    writeFileSync(file, journalOf(snapshot));
    expect([await read(), log.lines, readdirSync(path)]).toEqual([snapshot, [], ['journal-7-3000']]);
  });

  it('that is corrupt is put aside and told, and there is none', async () => {
    const { read, log, file, path } = folder();
    writeFileSync(file, 'garbage\n');
    expect(await read()).toBeNull();
    expect(readdirSync(path)).toEqual(['journal-7-3000.corrupt-then']);
    expect(readFileSync(`${file}.corrupt-then`, 'utf8')).toBe('garbage\n');
    expect(log.lines).toEqual([
      {
        level: 'warn',
        message: `the journal ${file} is damaged: its first line can not be read; nothing of it is used, and it was put aside as ${file}.corrupt-then`,
        fields: { event: 'journal.corrupt' },
      },
    ]);
    expect(await read()).toBeNull();
    expect(log.lines).toHaveLength(1);
  });

  it('that is damaged further on is put aside, and what stands before that is used', async () => {
    const { read, log, file, path } = folder();
    writeFileSync(file, `${journalOf(snapshot)}garbage\ngarbage\n`);
    expect(await read()).toEqual(snapshot);
    expect(readdirSync(path)).toEqual(['journal-7-3000.corrupt-then']);
    expect(log.lines[0]?.message).toContain('; what stands before that is used, and it was put aside');
  });

  it('that can not be read is told', async () => {
    const { read, log, file } = folder();
    mkdirSync(file);
    expect(await read()).toBeNull();
    expect(log.lines).toEqual([
      {
        level: 'warn',
        message: expect.stringMatching(/^the journal \S+ can not be read: EISDIR/),
        fields: { event: 'journal.unreadable' },
      },
    ]);
  });

  it('has by default a name with a time that any file system takes', async () => {
    const { log, file, path } = folder();
    writeFileSync(file, '');
    await readJournal(join(file), log);
    expect(readdirSync(path)).toEqual([
      expect.stringMatching(/^journal-7-3000\.corrupt-\d{4}-\d\d-\d\dT[\d.-]+Z$/),
    ]);
  });
});
