import { describe, expect, it } from 'vitest';
import { layOut } from '../../src/graph/layout.js';
import { outlineOf } from '../../src/graph/outline.js';
import { statechartOf } from '../../src/graph/statechart.js';
import { sample } from '../support/machines/sample.js';

describe('the outline of a chart', () => {
  const outline = outlineOf(statechartOf(sample), 'door');

  it('has the states right below one state, and an arrow wherever something leads from one to another', () => {
    expect(outline.root.states.map(({ id, key, type, states }) => ({ id, key, type, states }))).toEqual([
      { id: 'door.closed', key: 'closed', type: 'atomic', states: [] },
      { id: 'door.wide open', key: 'wide open', type: 'atomic', states: [] },
      { id: 'door.locked', key: 'locked', type: 'atomic', states: [] },
    ]);
    expect(outline.root.initial).toBe('door.closed');
    expect(outline.transitions.map(({ source, target }) => `${source} → ${target}`)).toEqual([
      'door → door.locked',
      'door.closed → door.wide open',
      'door.closed → door.locked',
      'door.wide open → door.closed',
      'door.wide open → door.locked',
    ]);
  });

  it('is laid out without room for words', async () => {
    const { boxes, edges } = await layOut(outline, { labels: false });
    expect(Object.keys(boxes)).toEqual(['door', 'door.closed', 'door.wide open', 'door.locked']);
    expect(Object.keys(edges)).toEqual(outline.transitions.map(({ id }) => id));
    for (const { points, label } of Object.values(edges)) {
      expect(points.length).toBeGreaterThan(1);
      expect(label).toEqual({ x: 0, y: 0, width: 0, height: 0 });
    }
  });

  it('names a state that is not there', () => {
    expect(() => outlineOf(statechartOf(sample), 'window')).toThrow('house has no state window.');
  });
});
