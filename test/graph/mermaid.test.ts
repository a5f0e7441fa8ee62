import { describe, expect, it } from 'vitest';
import { type AnyStateNode, createMachine } from 'xstate';
import { graph } from '../../src/cli/commands/graph.js';
import { machines } from '../../src/graph/machines.js';
import { toMermaid } from '../../src/graph/mermaid.js';
import { statesOf, transitionsOf } from '../../src/graph/transitions.js';
import { sample } from '../support/machines/sample.js';

const lines = (text: string) => text.split('\n').map((line) => line.trim());

it('draws nested and parallel states, and each transition at the states that it leaves', () => {
  expect(toMermaid(sample)).toBe(`stateDiagram-v2
  state "house" as house {
    state "door" as house_door {
      [*] --> house_door_closed
      state "closed" as house_door_closed
      state "wide open" as house_door_wide_open {
        [*] --> house_door_wide_open_empty
        state "empty" as house_door_wide_open_empty
        state "full" as house_door_wide_open_full
      }
      state "locked" as house_door_locked
    }
    state "bell" as house_bell {
      [*] --> house_bell_still
      state "still" as house_bell_still
    }
  }
  house_door_closed --> house_door_locked : lock
  house_door_locked --> house_door_locked : lock
  house_door_closed --> house_door_wide_open : open
  house_door_closed --> house_door_wide_open : knock done
  house_door_closed --> house_door_locked : knock failed
  house_door_wide_open --> house_door_closed : shut [it has a key]
  house_door_wide_open --> house_door_closed : after patience
  house_door_wide_open_empty --> house_door_wide_open_full : [it has a key]
  house_door_wide_open --> house_door_locked : in full, shut
`);
});

it('has one arrow for all that leads from a state back to it, and no name that is syntax', () => {
  const machine = createMachine({
    id: 'door',
    initial: 'a"b',
    states: { 'a"b': { on: { knock: { target: 'a"b' }, 'ring; *': { target: 'a"b' } } } },
  });
  expect(toMermaid(machine)).toBe(`stateDiagram-v2
  [*] --> door_a_b
  state "a#34;b" as door_a_b
  door_a_b --> door_a_b : knock or ring#59; #42;
`);
});

describe.each(Object.entries(machines))('the drawing of the %s machine', (name, machine) => {
  const drawing = toMermaid(machine);
  const drawn = lines(drawing);
  /** The place of a state in the drawing, written down without the help of what drew it. */
  const place = ({ id }: AnyStateNode) => id.replaceAll(/\W+/g, '_');

  it('is what the command prints', () => {
    expect(graph(name, 'mermaid')).toBe(drawing);
  });

  it('has every state once, by its name', () => {
    for (const node of statesOf(machine)) {
      const own = drawn.filter(
        (line) => line.replace(/ \{$/, '') === `state "${node.key}" as ${place(node)}`,
      );
      expect([node.id, own.length]).toEqual([node.id, 1]);
    }
  });

  it('has every transition that leads to a state', () => {
    const arrows = drawn.flatMap((line) => {
      const [, from, to, label] = /^(\w+) --> (\w+) : (.*)$/.exec(line) ?? [];
      return from && to && label ? label.split(' or ').map((one) => ({ from, to, label: one })) : [];
    });
    const leading = transitionsOf(machine).filter(({ target }) => target !== undefined);
    expect(leading.length).toBeGreaterThan(0);
    for (const { source, target, event, guard } of leading) {
      const label = [event, guard && `[${guard}]`].filter(Boolean).join(' ');
      const found = arrows.filter(
        (arrow) =>
          (arrow.label === label || arrow.label === `in ${source.key}, ${label}`) &&
          (target ? place(target) : '').startsWith(arrow.to) &&
          (place(source).startsWith(arrow.from) || arrow.from.startsWith(place(source))),
      );
      expect([source.id, label, found.length > 0]).toEqual([source.id, label, true]);
    }
  });
});
