import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import type { LoadResult } from '../../src/load/result.js';
import { API_KEY, FleetProcess } from '../support/fleet-process.js';
import { Program, ROOT } from '../support/process.js';
import { pageOf, seriousIn, useBrowser } from './browser.js';

const FROM_SOURCES = [process.execPath, '--import', 'tsx', join(ROOT, 'src/cli/main.ts')];
const PATIENCE = { timeout: 60_000, interval: 200 };
const PHONE = { width: 390, height: 844 };

const browser = useBrowser();

/** A fleet of workers that do ten units/s each. */
const startFleet = (...options: readonly string[]) =>
  new FleetProcess({
    program: FROM_SOURCES,
    backend: 'test/e2e/ten-units-backend.ts',
    options: ['--max-workers', '4', ...options],
  });

/** Requests of one unit each, none of which is sent a second time. */
async function startLoad(fleet: FleetProcess, rate: string, duration: string) {
  const [command = '', ...args] = FROM_SOURCES;
  const where = ['load', 'my-endpoint', '--autoscaler', await fleet.url()];
  const what = ['--payload', 'test/e2e/ten-units-backend.ts', '--max-retries', '0', '--json'];
  const much = ['--rate', rate, '--duration', duration];
  const load = new Program(command, [...args, ...where, ...what, ...much], {
    env: { TSWORKER_API_KEY: API_KEY },
  });
  const result = async () => {
    expect({ ...(await load.exited), said: load.stderr }).toMatchObject({ code: 0 });
    return JSON.parse(load.lines.join('\n')) as LoadResult;
  };
  return { result, stop: () => load.kill('SIGINT') };
}

const figure = (page: Page, label: string) =>
  page.locator('#scaling-figures > div', { hasText: label }).locator('dd').innerText();

/** Each number of ready workers that the page shows, in turn, from now on. */
async function readyAsShown(page: Page): Promise<() => Promise<number[]>> {
  await page.evaluate(() => {
    const shown: number[] = [];
    const value = document.querySelector('#scaling-figures dd');
    if (value === null) throw new Error('the page shows no figures');
    const note = () => shown.push(Number(value.textContent));
    note();
    new MutationObserver(note).observe(value, { childList: true, characterData: true, subtree: true });
    Object.assign(window, { shown });
  });
  return () => page.evaluate(() => (window as unknown as { shown: number[] }).shown);
}

it('goes from no worker to four and back with the load, loses no request, and shows and explains it', async () => {
  const fleet = startFleet('--min-load', '0', '--inactivity-timeout', '5s');
  const url = await fleet.url();
  const { page, trouble } = await pageOf(browser(), url, { colorScheme: 'light' });
  await page.goto(url);
  await page.locator('#scaling').waitFor();
  expect(await page.locator('#scaling-notice').innerText()).toBe(
    'There is no worker now: the next request has one started.',
  );
  const shown = await readyAsShown(page);

  const load = await startLoad(fleet, '0..35..35..0', '36s');
  await expect.poll(() => figure(page, 'Wanted'), PATIENCE).toBe('4 of 4');
  await expect.poll(() => figure(page, 'Ready'), PATIENCE).toBe('4');
  expect(await page.locator('#scaled-workers li').allInnerTexts()).toEqual(
    [1, 2, 3, 4].map((id) => `Worker ${id}: Ready`),
  );
  expect(await page.locator('.tile').count()).toBe(4);
  expect(await figure(page, 'Capacity')).toBe('40/s');
  expect(await page.locator('#decisions b').allInnerTexts()).toEqual(Array(4).fill('create'));
  expect(await seriousIn(page)).toEqual([]);
  const dark = await pageOf(browser(), url, { colorScheme: 'dark', viewport: PHONE });
  await dark.page.goto(url);
  await dark.page.locator('.tile').nth(3).waitFor();
  expect(await seriousIn(dark.page)).toEqual([]);
  expect(await dark.page.evaluate(() => document.documentElement.scrollWidth)).toBe(PHONE.width);

  const { requests } = await load.result();
  // The first at once, then an even ramp up, a stretch, and the ramp down.
  expect(requests).toMatchObject({ sent: 841, succeeded: 841, failed: 0 });
  await expect.poll(() => figure(page, 'Ready'), PATIENCE).toBe('0');
  await expect
    .poll(() => page.locator('#scaled-workers li').allInnerTexts(), PATIENCE)
    .toEqual([1, 2, 3, 4].map((id) => `Worker ${id}: Inactive`));
  const seen = await shown();
  expect([seen[0], Math.max(...seen), seen.at(-1)]).toEqual([0, 4, 0]);
  expect([...trouble, ...dark.trouble]).toEqual([]);

  const { decisions, scaling } = await fleet.decisions();
  const inTurn = decisions.toReversed();
  expect(inTurn.map((each) => each.do)).toEqual([...Array(4).fill('create'), ...Array(4).fill('deactivate')]);
  for (const { reason } of inTurn.slice(0, 4)) {
    expect(reason).toMatch(
      /^(a capacity of [\d.]+ units\/s is wanted|active and inactive workers are to do [\d.]+ units\/s) /,
    );
  }
  for (const { reason } of inTurn.slice(4)) {
    expect(reason).toBe('no request has come for the whole of the inactivity timeout');
  }
  expect(scaling?.workers.map(({ starts, failures }) => [starts, failures])).toEqual(Array(4).fill([1, 0]));
  fleet.program.kill('SIGTERM');
  expect(await fleet.program.exited).toEqual({ code: 0, signal: null });
});

it('starts all workers anew under load, and not one request fails', async () => {
  const fleet = startFleet('--min-load', '20', '--cold-mult', '1', '--inactivity-timeout', 'never');
  await Promise.all([1, 2, 3].map((worker) => fleet.reaches(worker, 'ready')));
  const load = await startLoad(fleet, '12', '10m');
  await expect
    .poll(async () => (await fleet.decisions()).scaling?.expectedPerSecond, PATIENCE)
    .toBeGreaterThan(5);
  const answer = await fetch(`${await fleet.url()}/update_workers/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ workergroup_id: 1, api_key: API_KEY }),
  });
  expect(await answer.json()).toEqual({ success: true, workers: [1, 2, 3] });
  await expect.poll(async () => (await fleet.decisions()).scaling?.toUpdate, PATIENCE).toEqual([]);
  load.stop();
  const { requests, workers } = await load.result();
  const { sent, cut } = requests;
  expect(requests).toMatchObject({ succeeded: sent - cut, failed: 0 });
  expect(sent).toBeGreaterThan(100);
  const { decisions, scaling } = await fleet.decisions();
  expect(scaling?.workers.map(({ starts }) => starts)).toEqual([2, 2, 2]);
  expect(decisions.toReversed().map((each) => `${each.do} ${each.worker}`)).toEqual([
    ...['create 1', 'create 2', 'create 3'],
    ...['update 1', 'update 2', 'update 3'],
  ]);
  // Each has a port of its own, and a new one after the update.
  expect(workers.length).toBeGreaterThan(3);
});
