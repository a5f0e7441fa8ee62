import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { METRICS, type MetricRow } from '../../src/metrics/table.js';
import { LOG_EVENTS } from '../../src/operations/log-events.js';
import { QUERIES } from '../../src/operations/queries.js';

const root = new URL('../../src/', import.meta.url);

/** The table itself, and the client, whose events are those of a stream. */
const NO_LOG = /^(operations|client)\//;

/** What the sources tell under a name that stands in them as it is; the machines' own the types hold. */
const literals = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !NO_LOG.test(path))
  .flatMap((path) => [...readFileSync(new URL(path, root), 'utf8').matchAll(/\bevent: '([^']+)'(?! *\|)/g)])
  .map(([, event = '']) => event)
  .filter((event) => event !== 'stopped');

it('every event of the log is explained', () => {
  expect(literals.length).toBeGreaterThan(20);
  expect(literals.filter((event) => !Object.hasOwn(LOG_EVENTS, event))).toEqual([]);
});

it('every query asks for metrics that there are', () => {
  const known = new Set(
    Object.values<MetricRow>(METRICS).flatMap(({ name, type }) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
  const asked = QUERIES.flatMap(({ promql }) => promql.match(/\b(tsworker|process)_\w+/g) ?? []);
  expect(asked.length).toBeGreaterThan(QUERIES.length);
  expect(asked.filter((name) => !known.has(name))).toEqual([]);
});
