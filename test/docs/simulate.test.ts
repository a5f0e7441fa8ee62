import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KNOBS } from '../../src/simulate/setup.js';
import { SHAPES } from '../../src/simulate/shapes.js';
import { run } from '../support/run-cli.js';

const page = readFileSync(new URL('../../docs/simulate.md', import.meta.url), 'utf8');

describe('the page about simulations', () => {
  it('has each setting as the code has it', () => {
    const section = page.slice(page.indexOf('## The settings'), page.indexOf('## What it tells'));
    const rows = [...section.matchAll(/^\| `([\w-]+)` \| (\S+) \| (.+) \|$/gm)];
    expect(rows.map(([, name, fallback, about]) => [name, fallback, about])).toEqual(
      Object.entries(KNOBS).map(([name, { fallback, about }]) => [name, fallback, about]),
    );
  });

  it('has each shape of a load', () => {
    for (const name of Object.keys(SHAPES)) expect(page).toContain(`| \`${name}\` |`);
  });

  it('shows what the command prints', async () => {
    const [, line = '', shown = ''] = /^\$ tsworker (.+)\n([^`]+)```/m.exec(page) ?? [];
    const args = line.replaceAll("'", '').split(' ');
    expect(shown).toBe((await run(args)).stdout);
  });
});
