import { expect, it } from 'vitest';
import { METRICS, type MetricRow } from '../../src/metrics/table.js';

const rows = Object.values<MetricRow>(METRICS);

it('no two metrics have one name', () => {
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
});

it.each(rows)('$name is named as Prometheus has it', ({ name, type, help, labels }) => {
  expect(name).toMatch(/^(tsworker|process)_[a-z0-9_]+$/);
  expect(name.endsWith('_total')).toBe(type === 'counter');
  expect(help).toMatch(/^\S.*[^.\s]$/);
  expect(
    labels.filter(
      (label) => !['backend', 'version', 'node', 'state', 'route', 'outcome', 'code'].includes(label),
    ),
  ).toEqual([]);
});
