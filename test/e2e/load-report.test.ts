import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BrowserContextOptions, Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { close, listen } from '../../src/net/server.js';
import { pageOf as reportPageOf, section } from '../../src/report-page/page.js';
import { plotOf } from '../../src/report-page/plot.js';
import { span } from '../../src/report-page/words.js';
import { run } from '../support/run-cli.js';
import { pageOf, seriousIn, useBrowser } from './browser.js';

const browser = useBrowser();

const folder = mkdtempSync(join(tmpdir(), 'tsworker-report-'));
const file = join(folder, 'out.html');

/** The report of a short run. */
beforeAll(async () => {
  let nth = 0;
  const server = createServer((request, response) => {
    request.resume();
    nth += 1;
    response.writeHead(nth % 5 === 0 ? 503 : 200).end('done');
  });
  const url = `http://127.0.0.1:${await listen(server, 0, '127.0.0.1')}`;
  const args = [url, '--rate', '0..60..0', '--duration', '2s', '--fail-on', 'errors>1%', '--report', file];
  const { code } = await run(['load', ...args]);
  await close(server);
  expect(code).toBe(1);
});
afterAll(() => rmSync(folder, { recursive: true }));

it.each<[name: string, options: BrowserContextOptions]>([
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['a phone', { colorScheme: 'light', viewport: { width: 390, height: 844 } }],
])(
  '%s: the report of a run stands alone, can be read by all, and says what is pointed at',
  async (_name, options) => {
    const report = pathToFileURL(file);
    const { page, trouble } = await pageOf(browser(), new URL('.', report).href.replace(/\/$/, ''), options);
    await page.goto(report.href);
    expect(await page.locator('h1').innerText()).toMatch(/^Load: GET http:/);
    expect(await page.locator('.plot').count()).toBe(4);
    // Each line is drawn within its plot, but for its own width.
    for (const path of await page.locator('path.line').all()) {
      const [line, plot] = [await path.boundingBox(), await path.locator('..').boundingBox()];
      expect(line?.width).toBeGreaterThan(20);
      expect((line?.x ?? 0) - (plot?.x ?? 9)).toBeGreaterThan(-2);
      expect((line?.y ?? 0) - (plot?.y ?? 9)).toBeGreaterThan(-2);
    }
    const column = page.locator('.plot').first().locator('.column').nth(1);
    await column.hover();
    expect(await column.locator('title').textContent()).toMatch(
      /^1 s: begun \d+, succeeded \d+, failed \d+$/,
    );
    expect(await page.locator('tr.bad').innerText()).toMatch(/^errors>1%\s+20 %\s+broken$/);
    expect(await seriousIn(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(
      0,
    );
    expect(trouble).toEqual([]);
  },
);

const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 } };

async function open(report: string, options: BrowserContextOptions) {
  const address = pathToFileURL(report);
  const { page } = await pageOf(browser(), new URL('.', address).href.replace(/\/$/, ''), options);
  await page.goto(address.href);
  return page;
}

/** Where each of them is that can be seen. */
async function boxesOf(all: Locator) {
  const boxes = await Promise.all((await all.all()).map((each) => each.boundingBox()));
  return boxes.filter((box) => box !== null);
}

describe('on a phone', () => {
  it('the words beside a plot are as large as elsewhere, and neither hide it nor one another', async () => {
    const wordy = join(folder, 'wordy.html');
    const lines = [
      { name: 'p99', points: [0, 1, 2, 3].map((hour): [number, number] => [hour * 3.6e6, 1e5]) },
    ];
    const ticks = [0, 1, 2, 3, 4, 5, 6].map((half) => half * 1.8e6);
    const plot = plotOf({ title: 'Latency', lines, x: { text: span, ticks }, y: { text: span } });
    writeFileSync(wordy, reportPageOf({ title: 'Wordy', about: [], parts: [section('Plots', [plot])] }));
    for (const [options, most] of [
      [PHONE, 4],
      [{}, 7],
    ] as const) {
      const page = await open(wordy, options);
      expect(await page.locator('.frame').evaluate((frame) => getComputedStyle(frame).fontSize)).toBe('11px');
      const drawing = await page.locator('.frame svg').boundingBox();
      expect(await page.locator('.y-axis span').last().innerText()).toBe('1 min 40 s');
      const axis = await page.locator('.y-axis').boundingBox();
      expect((axis?.x ?? 0) + (axis?.width ?? 0)).toBeLessThan(drawing?.x ?? 0);
      expect(axis?.x).toBeGreaterThanOrEqual((await page.locator('.card').boundingBox())?.x ?? 0);
      const marks = await boxesOf(page.locator('.x-axis span'));
      expect(marks).toHaveLength(most);
      for (const [index, { x, width }] of marks.slice(0, -1).entries())
        expect(x + width).toBeLessThan(marks[index + 1]?.x ?? 0);
    }
  });

  it('both of two settings are in view', async () => {
    const compared = join(folder, 'compared.html');
    const other = 'target-util=0.6,max-workers=20,inactivity-timeout=1m';
    const args = ['--duration', '10m', '--policy', 'min-workers=0,max-workers=2', '--compare', other];
    const { code } = await run(['simulate', ...args, '--report', compared]);
    expect(code).toBe(0);
    const page = await open(compared, PHONE);
    const right = (box: { x: number; width: number }) => box.x + box.width;
    const ends = (await boxesOf(page.locator('thead th:nth-child(3)'))).map(right);
    expect(ends).toHaveLength(5);
    expect(Math.max(...ends)).toBeLessThan(390);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  });
});
