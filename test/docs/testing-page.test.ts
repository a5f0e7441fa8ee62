import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as kit from '../../src/testing/index.js';
import { BEHAVIOUR_NAMES } from '../../src/testing/models/behaviour.js';

const ROOT = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
const page = read('docs/testing.md');

describe('the page about testing', () => {
  const blocks = [...page.matchAll(/```ts\n\/\/ (examples\/\S+)\n([\s\S]*?)```/g)];

  it.each(blocks.map(([, path = '', code = '']) => [path, code]))('shows what is in %s', (path, code) => {
    expect(existsSync(new URL(path, ROOT))).toBe(true);
    expect(read(path)).toContain(code);
  });

  it('shows some of each test of the example', () => {
    expect(blocks.length).toBeGreaterThan(5);
  });

  it('names all that a fake model can be told to do', () => {
    expect(BEHAVIOUR_NAMES.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  it('names everything that the kit has', () => {
    const unnamed = Object.keys(kit).filter((name) => !page.includes(name) && !NOT_TO_BE_MADE.has(name));
    expect(unnamed).toEqual([]);
  });
});

/** What functions of the kit give, and who runs a fake model as a program needs. */
const NOT_TO_BE_MADE = new Set(['SteppedClock', 'TestAutoscaler', 'RecordingLog', 'parseBehaviour']);
