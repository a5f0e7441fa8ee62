import { describe, expect, it } from 'vitest';
import { machines } from '../../src/graph/machines.js';
import { toMarkdown } from '../../src/graph/markdown.js';
import { pathOf, statesOf, transitionsOf } from '../../src/graph/transitions.js';
import { sample } from '../support/machines/sample.js';

it('lists the states, parents first', () => {
  expect(statesOf(sample).map(pathOf)).toEqual([
    'door',
    'door.closed',
    'door.wide open',
    'door.wide open.empty',
    'door.wide open.full',
    'door.locked',
    'bell',
    'bell.still',
  ]);
});

it('says each transition in words', () => {
  const words = transitionsOf(sample).map(({ source, event, guard, target, actions }) => ({
    in: pathOf(source),
    on: event,
    if: guard,
    to: target && pathOf(target),
    does: actions,
  }));
  expect(words).toEqual([
    { in: 'door', on: 'lock', if: undefined, to: 'door.locked', does: [] },
    { in: 'door.closed', on: 'open', if: undefined, to: 'door.wide open', does: ['squeak'] },
    { in: 'door.closed', on: 'knock done', if: undefined, to: 'door.wide open', does: [] },
    { in: 'door.closed', on: 'knock failed', if: undefined, to: 'door.locked', does: [] },
    { in: 'door.wide open', on: 'shut', if: 'it has a key', to: 'door.closed', does: [] },
    { in: 'door.wide open', on: 'lock', if: undefined, to: undefined, does: [] },
    { in: 'door.wide open', on: 'after patience', if: undefined, to: 'door.closed', does: [] },
    { in: 'door.wide open.empty', on: '', if: 'it has a key', to: 'door.wide open.full', does: [] },
    { in: 'door.wide open.full', on: 'shut', if: undefined, to: 'door.locked', does: [] },
    { in: 'door.locked', on: 'lock', if: 'it has a key', to: undefined, does: [] },
    { in: 'bell.still', on: 'ring', if: undefined, to: undefined, does: ['squeak'] },
  ]);
});

describe.each(Object.entries(machines))('the page of the %s machine', (_, machine) => {
  const page = toMarkdown(machine, { about: 'a drawing', file: 'drawing.svg' });

  it('says in a sentence what each state means and, for those that are left, how', () => {
    for (const node of statesOf(machine).filter(({ states }) => Object.keys(states).length === 0)) {
      expect([node.id, node.description]).toEqual([node.id, expect.stringMatching(/^[A-Z].*\.$/)]);
      expect(page).toContain(`| \`${pathOf(node)}\` | ${node.description} |`);
    }
  });

  it('shows its drawing', () => {
    expect(page).toContain('[![a drawing](drawing.svg)](drawing.svg)');
  });

  it('has a row for each transition, and calls each guard and action by a phrase', () => {
    const rows = page
      .slice(page.indexOf('## Transitions'))
      .split('\n')
      .filter((line) => line.startsWith('| ')).length;
    expect(rows).toBe(transitionsOf(machine).length + 2);
    for (const { guard, actions } of transitionsOf(machine)) {
      for (const name of [guard, ...actions]) {
        if (name !== undefined) expect(name).toMatch(/^because$|^\w+( [\w']+)+$/);
      }
    }
  });
});
