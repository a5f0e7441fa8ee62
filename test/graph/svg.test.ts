import { describe, expect, it } from 'vitest';
import { createMachine } from 'xstate';
import { chartStates } from '../../src/graph/chart.js';
import { layOut } from '../../src/graph/layout.js';
import { layoutOf } from '../../src/graph/layouts.js';
import { machines } from '../../src/graph/machines.js';
import { statechartOf } from '../../src/graph/statechart.js';
import { toSvg } from '../../src/graph/svg.js';

const chart = statechartOf(
  createMachine({
    id: 'door',
    initial: 'a<b',
    states: {
      'a<b': {
        tags: ['near & far'],
        on: { 'go "on"': { guard: 'x > 1', target: 'end' }, stay: { actions: 'wait' } },
      },
      end: { type: 'final' },
    },
  }),
);
const layout = await layOut(chart);

/** What of a drawing has an id, as the ids and the classes. */
function parts(svg: string, what: 'state' | 'transition'): [string, string][] {
  return [...svg.matchAll(new RegExp(`<g class="([^"]*)" data-${what}="([^"]*)">`, 'g'))].map(
    ([, classes = '', id = '']) => [id, classes],
  );
}

describe('a drawing', () => {
  const svg = toSvg(chart, layout);

  it('has a box and the name of each state, and an arrow and the label of each transition', () => {
    expect(parts(svg, 'state')).toEqual([
      ['', 'state frame'],
      ['a&lt;b', 'state leaf'],
      ['end', 'state leaf'],
      ['', 'state words'],
      ['a&lt;b', 'state words'],
      ['end', 'state words'],
    ]);
    expect(parts(svg, 'transition')).toEqual([
      ['a&lt;b:go &quot;on&quot;#0', 'transition'],
      ['a&lt;b:go &quot;on&quot;#0', 'transition words'],
      ['a&lt;b:stay#0', 'transition words'],
    ]);
    expect(svg.match(/class="ring"/g)).toHaveLength(1);
    expect(svg.match(/class="dot"/g)).toHaveLength(1);
  });

  it('tells those who do not see it what it shows', () => {
    expect(svg).toContain('<title id="title">The door machine</title>');
    expect(svg).toContain(
      '<desc id="desc">States: a&lt;b, end. a&lt;b to end on go &quot;on&quot; if x &gt; 1.</desc>',
    );
  });

  it('lets no name of the machine break out of its text', () => {
    expect(svg).toContain('<text class="event" ');
    expect(svg).not.toMatch(/a<b|near & far|x > 1/);
  });

  it('marks states and transitions, and says something beside a transition', () => {
    const id = 'a<b:go "on"#0';
    const marked = toSvg(chart, layout, { classes: { [id]: 'taken', end: 'taken' }, notes: { [id]: '3×' } });
    expect(parts(marked, 'transition')[0]).toEqual(['a&lt;b:go &quot;on&quot;#0', 'transition taken']);
    expect(parts(marked, 'state')[2]).toEqual(['end', 'state leaf taken']);
    expect(marked).toMatch(/<text class="note"[^>]*>3×<\/text>/);
  });

  it('has a place for everything, or says what has none', () => {
    expect(() => toSvg(chart, { ...layout, boxes: {} })).toThrow('The layout has no place for the state .');
    expect(() => toSvg(chart, { ...layout, edges: {} })).toThrow(
      'The layout has no place for the transition a<b:go "on"#0.',
    );
  });
});

it.each(Object.entries(machines))('the drawing of the %s machine has all of it', (name, machine) => {
  const own = statechartOf(machine, name);
  const svg = toSvg(own, layoutOf(name));
  const ids = chartStates(own.root).map(({ id }) => id);
  expect(new Set(parts(svg, 'state').map(([id]) => id))).toEqual(new Set(ids));
  expect(new Set(parts(svg, 'transition').map(([id]) => id))).toEqual(
    new Set(own.transitions.map(({ id }) => id)),
  );
});
