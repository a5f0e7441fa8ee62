import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Happening } from '../../src/inspect/contract.js';
import { MAIN, Program } from './process.js';

/** What `tsworker replay --assert` says of a recording, and its exit code. */
export async function assertReplay(file: string): Promise<{ code: number | null; said: string }> {
  const program = new Program(process.execPath, [MAIN, 'replay', file, '--assert']);
  const { code } = await program.exited;
  return { code, said: program.lines.join('\n') + program.stderr };
}

/**
 * Holds that a recording goes the same way again, and that it is told which event leads elsewhere once that one is
 * another: of this actor, the last of this name.
 */
export async function expectSamePath(file: string, { actor, event }: Pick<Happening, 'actor' | 'event'>) {
  const { code, said } = await assertReplay(file);
  expect(said).toMatch(/^the same path: \d+ events of \d+ actors lead where they led$/);
  expect(code).toBe(0);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const isIt = (line: string) => {
    const happening = JSON.parse(line) as Partial<Happening>;
    return happening.actor === actor && happening.event === event;
  };
  const index = lines.findLastIndex(isIt);
  const happening = JSON.parse(lines[index] ?? '{}') as Happening;
  lines[index] = JSON.stringify({ ...happening, details: { type: 'something.else' } });
  const altered = `${file}.altered`;
  writeFileSync(altered, `${lines.join('\n')}\n`);
  expect(await assertReplay(altered)).toEqual({
    code: 1,
    said: `event ${happening.seq}, "${event}" of ${actor}, led elsewhere: the event itself is "something.else"`,
  });
}
