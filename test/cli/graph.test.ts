import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { graph } from '../../src/cli/commands/graph.js';
import { layoutOf } from '../../src/graph/layouts.js';
import { machines } from '../../src/graph/machines.js';
import { statechartOf } from '../../src/graph/statechart.js';
import { toSvg } from '../../src/graph/svg.js';
import { digests } from '../../src/inspect/recording.js';

const HEADER = { recording: 1, version: '0.1.0', machines: digests(), backend: 'moody', startedAtMs: 0 };

function recordingOf(...lines: readonly (object | string)[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-graph-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'run.jsonl');
  const texts = lines.map((line) => (typeof line === 'string' ? line : `${JSON.stringify(line)}\n`));
  writeFileSync(path, texts.join(''));
  return path;
}

/** The ids that a drawing marks with a class. */
function marked(svg: string, name: string): Set<string | undefined> {
  const groups = svg.matchAll(new RegExp(`<g class="[^"]* ${name}" data-\\w+="([^"]*)">`, 'g'));
  return new Set([...groups].map(([, id]) => id));
}

const happened = (took: string[], from: string[], to: string[], seq = 1) => ({
  seq,
  atMs: 0,
  actor: 'lifecycle/load/benchmark',
  machine: 'benchmark',
  nth: seq,
  kind: 'transition',
  event: '',
  took,
  from,
  to,
});

describe('graph', () => {
  it.each(Object.entries(machines))('draws the %s machine', (name, machine) => {
    expect(graph(name, 'svg')).toBe(toSvg(statechartOf(machine, name), layoutOf(name)));
  });

  it('does not draw a machine that there is not', () => {
    expect(() => graph('toString', 'mermaid')).toThrow(
      'unknown machine "toString"; it takes lifecycle, readiness, reload, benchmark, health, reporter, completions, public-key, supervisor, fleet-worker.',
    );
  });
});

describe('what a recording took', () => {
  it('is marked in the drawing, with how often', () => {
    const [first, second] = statechartOf(machines.health as NonNullable<typeof machines.health>).transitions;
    const took = 'finding out.looking up:xstate.done.actor.lookUp#1';
    const path = recordingOf(
      HEADER,
      happened([took], ['finding out.looking up'], ['finding out.warming up']),
      { ...happened([first?.id ?? '', second?.id ?? ''], [], [], 2), machine: 'health' },
      happened([took], ['finding out.looking up'], ['finding out.warming up'], 3),
      { ended: 'stopped', atMs: 1 },
    );
    const svg = graph('benchmark', 'svg', path);
    expect(marked(svg, 'taken')).toEqual(
      new Set(['finding out', 'finding out.looking up', 'finding out.warming up', took]),
    );
    expect(marked(svg, 'passed-by').size).toBe(9 + 15 - 4);
    expect(
      svg.match(/<text class="note"[^>]*>([^<]*)<\/text>/g)?.map((text) => text.replace(/<[^>]*>/g, '')),
    ).toEqual(['2×']);
    expect(svg).toContain('<title id="title">What run.jsonl took of the benchmark machine</title>');
  });

  it('has the states that were left at once', () => {
    const through = happened(
      ['finding out.looking up:xstate.done.actor.lookUp#0'],
      ['finding out.looking up'],
      [],
    );
    expect(marked(graph('benchmark', 'svg', recordingOf(HEADER, through)), 'taken')).toEqual(
      new Set([
        'finding out',
        'finding out.looking up',
        'done',
        'finding out.looking up:xstate.done.actor.lookUp#0',
      ]),
    );
  });

  it('is read up to where its writer was killed', () => {
    const path = recordingOf(HEADER, happened([], ['saving'], ['done']), '{"seq":3,"to');
    expect(marked(graph('benchmark', 'svg', path), 'taken')).toEqual(new Set(['saving', 'done']));
  });

  it.each<[string, () => string, RegExp]>([
    [
      'a file that is not there',
      () => '/nowhere/run.jsonl',
      /^\/nowhere\/run\.jsonl: it can not be read: ENOENT.*\.$/,
    ],
    ['a file that is none', () => recordingOf('hello\nworld\n'), /run\.jsonl: line 1: it is not JSON\.$/],
    [
      'a file without a header',
      () => recordingOf(happened([], [], [])),
      /run\.jsonl: line 1: it is not the beginning of a recording\.$/,
    ],
    [
      'one with an empty line',
      () => recordingOf(HEADER, '\n', happened([], [], [])),
      /run\.jsonl: line 2: it is empty\.$/,
    ],
    [
      'one of another version of the machine',
      () => recordingOf({ ...HEADER, machines: { benchmark: 'another' } }),
      /was recorded with another version of the benchmark machine\.$/,
    ],
    [
      'one of other machines',
      () =>
        recordingOf(
          HEADER,
          { ...happened([], [], []), machine: 'health' },
          { ...happened([], [], [], 2), machine: 'metrics' },
          { ...happened([], [], [], 3), machine: 'lifecycle' },
        ),
      /run\.jsonl has nothing of the benchmark machine; it has lifecycle, health\.$/,
    ],
    [
      'one of no machine',
      () => recordingOf(HEADER),
      /run\.jsonl has nothing of the benchmark machine, nor of another\.$/,
    ],
  ])('is refused for %s', (_, path, reason) => {
    expect(() => graph('benchmark', 'svg', path())).toThrow(reason);
  });

  it('is marked in drawings alone', () => {
    expect(() => graph('benchmark', 'json', recordingOf(HEADER))).toThrow(
      'only a drawing can be highlighted: --highlight goes with --format svg.',
    );
  });
});
