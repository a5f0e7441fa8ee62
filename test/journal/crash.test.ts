import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { contentsOf } from '../../src/journal/text.js';
import { type LogLine, Program, ROOT } from '../support/process.js';
import { temporaryFolder } from '../support/worker-program.js';

const SCRIPT = join(ROOT, 'test/support/journal/worker-of-a-test.ts');

function run(path: string) {
  const program = new Program(process.execPath, ['--import', 'tsx', SCRIPT, path]);
  const lines = () => program.lines.map((line): LogLine => JSON.parse(line));
  const says = (event: string) =>
    program.find(event, () => lines().findLast((line) => line.event === event), 60_000);
  return { program, lines, says };
}

/** The state on the disk, once it is as asked. */
function untilDisk(path: string, program: Program, matches: (requests: number, reported: number) => boolean) {
  return program.find('the disk as asked', () => {
    if (!existsSync(path)) return undefined;
    const { snapshot } = contentsOf(readFileSync(path, 'utf8'));
    if (snapshot === null) return undefined;
    const { totals, reported } = snapshot.accounts;
    return matches(totals.requests, reported.requests) ? snapshot : undefined;
  });
}

describe('a worker that is killed', { timeout: 120_000 }, () => {
  it('has written all but its last half second, and the next goes on from it', async () => {
    const path = join(temporaryFolder(), 'state', 'journal-7-3000');
    const first = run(path);
    await first.says('began');
    await untilDisk(path, first.program, (requests) => requests > 100);
    first.program.kill('SIGKILL');
    await first.program.exited;
    const told = first.lines().filter(({ event }) => event === 'did');
    const last = told.at(-1);
    const halfASecondBefore = told.findLast(({ atMs }) => Number(atMs) < Number(last?.atMs) - 500);
    const { snapshot, problem } = contentsOf(readFileSync(path, 'utf8'));
    expect(problem).toBeNull();
    const kept = snapshot?.accounts.totals;
    expect(kept?.requests).toBeGreaterThanOrEqual(Number(halfASecondBefore?.requests ?? 0));

    const second = run(path);
    const began = await second.says('began');
    expect(began).toMatchObject({
      requests: kept?.requests,
      reported: 0,
      died: snapshot?.present.size,
      untold: (snapshot?.present.size ?? 0) + (snapshot?.waiting.completions.length ?? 0),
    });
    expect(snapshot?.present.size).toBe((kept?.received ?? 0) - (kept?.served ?? 0));
    // The second life is on the disk at once, its dead as errored.
    const after = await untilDisk(path, second.program, (requests) => requests > (kept?.requests ?? 0));
    expect(after.accounts.totals.errored).toBe(snapshot?.present.size);
    second.program.kill('SIGKILL');
  });

  it('remembers what was acknowledged a moment before', async () => {
    const path = join(temporaryFolder(), 'journal-7-3000');
    const { program, says } = run(path);
    await untilDisk(path, program, (requests) => requests > 10);
    program.kill('SIGUSR2');
    const { reported } = await says('acknowledged');
    await untilDisk(path, program, (_, acknowledged) => acknowledged === reported);
    program.kill('SIGKILL');
    await program.exited;
    const next = run(path);
    expect(await next.says('began')).toMatchObject({ reported });
    next.program.kill('SIGKILL');
  });

  it('loses nothing when it could end in good order', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'journal-7-3000');
    const { program, says } = run(path);
    await untilDisk(path, program, (requests) => requests > 10);
    program.kill('SIGTERM');
    const { requests } = await says('ended');
    expect(await program.exited).toEqual({ code: 0, signal: null });
    expect(contentsOf(readFileSync(path, 'utf8')).snapshot?.accounts.totals.requests).toBe(requests);
    expect(readdirSync(folder)).toEqual(['journal-7-3000']);
    expect(statSync(path).size).toBeGreaterThan(0);
  });
});
