import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { close, listen } from '../../src/net/server.js';
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
    // Each line is drawn within its plot.
    for (const path of await page.locator('path.line').all()) {
      const [line, plot] = [await path.boundingBox(), await path.locator('..').boundingBox()];
      expect(line?.width).toBeGreaterThan(20);
      expect([(line?.x ?? 0) >= (plot?.x ?? 1), (line?.y ?? 0) >= (plot?.y ?? 1)]).toEqual([true, true]);
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
