import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it, onTestFinished } from 'vitest';
import { createMachine } from 'xstate';
import { lifecycleMachine } from '../../machines/lifecycle.js';
import { graph } from '../../src/cli/commands/graph.js';
import { highlight } from '../../src/graph/highlight.js';
import { layoutOf } from '../../src/graph/layouts.js';
import { type MachineName, machines } from '../../src/graph/machines.js';
import { toMermaid } from '../../src/graph/mermaid.js';
import { statechartOf } from '../../src/graph/statechart.js';
import { toSvg } from '../../src/graph/svg.js';
import { statesOf, transitionsOf } from '../../src/graph/transitions.js';
import { sample } from '../support/machines/sample.js';
import { useBrowser } from './browser.js';

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));
const MERMAID = fileURLToPath(new URL('../../node_modules/mermaid/dist/mermaid.min.js', import.meta.url));

const browser = useBrowser();

/** Names that mermaid could take for its own syntax. */
const hostile = createMachine({
  id: 'door',
  initial: 'a<b',
  states: {
    'a<b': {
      on: {
        'go "on"': { guard: 'x > 1', target: 'end' },
        '*': 'end',
        'a:b; c': 'end',
        '%%x #35; -->': '__x__',
        "<script>alert('x')</script>": 'end',
      },
    },
    __x__: { on: { '\\n': 'end', '`c`': 'end' } },
    end: { type: 'final' },
  },
});

async function newPage(colorScheme: 'light' | 'dark' = 'light') {
  const page = await browser().newPage({ colorScheme });
  onTestFinished(() => page.close());
  return page;
}

const drawings = readdirSync(DOCS).filter((name) => name.endsWith('.svg'));

it('there is one of each machine', () => {
  expect(drawings.toSorted()).toEqual(
    Object.keys(machines)
      .map((name) => `${name}.svg`)
      .toSorted(),
  );
});

describe.each(drawings)('%s', (name) => {
  it('is parsed by the browser, and no text of it is cut off or runs into another', async () => {
    const page = await newPage();
    await page.goto(`file://${DOCS}${name}`);
    const seen = await page.evaluate(`(() => {
      const box = (element) => { const { x, y, width, height } = element.getBBox(); return { x, y, width, height }; };
      const texts = [...document.querySelectorAll('text')].map((element) => ({ text: element.textContent, ...box(element) }));
      const pills = [...document.querySelectorAll('.pill')].map((pill) => ({
        ...box(pill), texts: [...pill.parentNode.querySelectorAll('text')].map(box),
      }));
      return { root: document.documentElement.localName, errors: document.querySelectorAll('parsererror').length, texts, pills };
    })()`);
    const { root, errors, texts, pills } = seen as Seen;
    expect([root, errors]).toEqual(['svg', 0]);
    expect(texts.length).toBeGreaterThan(5);
    for (const pill of pills) {
      for (const text of pill.texts) expect(text.x + text.width).toBeLessThanOrEqual(pill.x + pill.width);
    }
    expect(overlaps(texts)).toEqual([]);
  });

  it('has no arrow that crosses a word', async () => {
    const page = await newPage();
    await page.goto(`file://${DOCS}${name}`);
    expect(await page.evaluate(CROSSED)).toEqual([]);
  });

  it('is dark for a reader who has it dark', async () => {
    const papers = [];
    for (const scheme of ['light', 'dark'] as const) {
      const page = await newPage(scheme);
      await page.goto(`file://${DOCS}${name}`);
      papers.push(await page.evaluate('getComputedStyle(document.documentElement).backgroundColor'));
    }
    expect(papers).toEqual(['rgb(255, 255, 255)', 'rgb(16, 20, 29)']);
  });
});

it.each(Object.keys(machines))(
  'how often each transition of %s was taken runs into no word',
  async (name) => {
    const machine = machines[name as MachineName];
    const chart = statechartOf(machine, name);
    const notes = Object.fromEntries(chart.transitions.map(({ id }) => [id, '1234×']));
    const page = await newPage();
    await page.setContent(toSvg(chart, layoutOf(name), { notes }));
    const texts = (await page.evaluate(`[...document.querySelectorAll('text')].map((element) => {
    const { x, y, width, height } = element.getBBox();
    return { text: element.textContent, x, y, width, height };
  })`)) as Seen['texts'];
    expect(texts.filter(({ text }) => text.endsWith('1234×'))).toHaveLength(chart.transitions.length);
    expect(overlaps(texts)).toEqual([]);
  },
);

it('what a recording did not take is pale, and no arrow shines through its words', async () => {
  const chart = statechartOf(lifecycleMachine);
  const page = await newPage();
  await page.setContent(toSvg(chart, layoutOf('lifecycle'), highlight(chart, [])));
  const seen = await page.evaluate(`(() => {
    const styles = (selector) => [...document.querySelectorAll(selector)].map((element) => ({
      ink: getComputedStyle(element).fillOpacity,
      opacity: getComputedStyle(element).opacity * getComputedStyle(element.parentNode).opacity,
    }));
    return { pills: styles('.pill'), words: styles('.event, .guard') };
  })()`);
  const { pills, words } = seen as Record<'pills' | 'words', { ink: string; opacity: number }[]>;
  expect(pills.length).toBeGreaterThan(20);
  expect(pills.filter(({ ink, opacity }) => ink !== '1' || opacity !== 1)).toEqual([]);
  expect(words.filter(({ ink }) => ink !== '0.4')).toEqual([]);
});

describe('mermaid itself', () => {
  it.each([...Object.entries(machines), ['sample', sample], ['hostile', hostile]] as const)(
    'draws each state and each transition of %s, and what is within a state inside of it',
    async (_, machine) => {
      const text = toMermaid(machine);
      const { states, labels, lengths, outside } = await drawnByMermaid(text);
      const isDrawn = machine.root.type === 'parallel' ? [machine.root] : [];
      expect(states).toEqual([...isDrawn, ...statesOf(machine)].map(({ key }) => key).toSorted());
      const arrows = [...text.matchAll(/ --> \w+(?: : (.*))?$/gm)].map(([, label = '']) => plain(label));
      expect(labels).toEqual(arrows.toSorted());
      for (const { event, guard, target } of transitionsOf(machine)) {
        const label = [event, guard && `[${guard}]`].filter(Boolean).join(' ');
        if (target) expect(labels.filter((drawn) => drawn.includes(label))).not.toEqual([]);
      }
      expect(lengths.filter((length) => length > 0)).toHaveLength(arrows.length);
      expect(outside).toEqual([]);
    },
  );

  it('draws what stands in the pages, and nothing that is no diagram', async () => {
    for (const name of Object.keys(machines)) {
      expect(readFileSync(`${DOCS}${name}.md`, 'utf8')).toContain(graph(name, 'mermaid'));
    }
    const broken = graph('reload', 'mermaid').replaceAll('-->', '--> -->');
    await expect(drawnByMermaid(broken)).rejects.toThrow('Parse error');
  });
});

/** What mermaid makes of a text: the names of states, the labels of arrows, and which states lie outside of theirs. */
async function drawnByMermaid(text: string): Promise<DrawnByMermaid> {
  const page = await newPage();
  await page.addScriptTag({ path: MERMAID });
  return (await page.evaluate(`(async () => {
    const { svg } = await mermaid.render('drawing', ${JSON.stringify(text)});
    document.body.innerHTML = svg;
    const texts = (selector) => [...document.querySelectorAll(selector)].map(({ textContent }) => textContent).sort();
    const boxes = [...document.querySelectorAll('.statediagram-state')].map((element) => ({
      id: element.id.replace(/^drawing-state-|-\\d+$/g, ''), box: element.getBoundingClientRect(),
    }));
    const isWithin = (box, other) =>
      box.left >= other.left && box.right <= other.right && box.top >= other.top && box.bottom <= other.bottom;
    return {
      states: texts('.statediagram-state'),
      labels: texts('.edgeLabels .label'),
      lengths: [...document.querySelectorAll('path.transition')].map((path) => path.getTotalLength()),
      outside: boxes.flatMap(({ id, box }) => boxes
        .filter((other) => id.startsWith(other.id + '_') && !isWithin(box, other.box))
        .map((other) => id + ' leaves ' + other.id)),
    };
  })()`)) as DrawnByMermaid;
}

interface DrawnByMermaid {
  readonly states: readonly string[];
  readonly labels: readonly string[];
  readonly lengths: readonly number[];
  readonly outside: readonly string[];
}

/** A label as it is read, without the codes in which mermaid is told it. */
function plain(label: string): string {
  return label.replace(/#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
}

/** The words that an arrow goes through. Its own stand on it, in a box that covers it, also those that share it. */
const CROSSED = `(() => {
  const idOf = (element) => element.parentNode.dataset.transition ?? 'the first state';
  const arrows = [...document.querySelectorAll('.arrow')].map((path) => {
    const length = path.getTotalLength();
    const points = Array.from({ length: Math.ceil(length) }, (_, at) => path.getPointAtLength(at));
    return { id: idOf(path), way: path.getAttribute('d'), points };
  });
  if (arrows.some(({ points }) => points.length === 0)) throw new Error('An arrow has no length.');
  const ways = new Map();
  for (const { id, way } of arrows) ways.set(id, way);
  return [...document.querySelectorAll('text')].flatMap((text) => {
    const { x, y, width, height } = text.getBBox();
    const own = text.matches('.event, .guard') ? ways.get(idOf(text)) : undefined;
    return arrows
      .filter(({ way }) => way !== own)
      .filter(({ points }) => points.some((at) => at.x > x && at.x < x + width && at.y > y && at.y < y + height))
      .map(({ id }) => id + ' crosses ' + text.textContent);
  });
})()`;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Seen {
  readonly root: string;
  readonly errors: number;
  readonly texts: readonly (Box & { readonly text: string })[];
  readonly pills: readonly (Box & { readonly texts: readonly Box[] })[];
}

/** Lines of text come close to one another: what counts is that none covers another. */
function overlaps(texts: Seen['texts']): string[] {
  const close = 4;
  return texts.flatMap((one, index) =>
    texts
      .slice(index + 1)
      .filter(
        (other) =>
          one.x < other.x + other.width &&
          other.x < one.x + one.width &&
          one.y + close < other.y + other.height &&
          other.y + close < one.y + one.height,
      )
      .map((other) => `${one.text} and ${other.text}`),
  );
}
