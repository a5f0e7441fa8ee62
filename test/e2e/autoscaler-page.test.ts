import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openai } from '../../backends/openai.js';
import type { Launcher, LocalAutoscaler } from '../../src/autoscaler/index.js';
import { STATES } from '../../src/operations/states.js';
import { setupOf } from '../../src/simulate/setup.js';
import { startFakeModel, startTestAutoscaler, startTestWorker } from '../../src/testing/index.js';
import { failed, finished, loaded, loading, status, update } from '../autoscaler/bodies.js';
import { handClock, report, startAutoscaler, tellFinished } from '../autoscaler/harness.js';
import { pageOf, seriousIn, useBrowser } from './browser.js';

const PHONE = { width: 390, height: 844 };

const browser = useBrowser();

/** The page of an autoscaler, and what went wrong or outside on it. */
async function openPage(
  autoscaler: LocalAutoscaler,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; trouble: string[] }> {
  const { page, trouble } = await pageOf(browser(), autoscaler.url, options);
  await page.goto(autoscaler.url);
  await page.locator('#live[data-link="live"]').waitFor();
  return { page, trouble };
}

/** Waits until an element says exactly this. */
async function waitForText(page: Page, selector: string, text: string): Promise<void> {
  await page.waitForFunction(
    ([where, what]) => document.querySelector(where ?? '')?.textContent === what,
    [selector, text],
  );
}

const fieldsOf = (page: Page, title: string) =>
  page.locator('.message', { hasText: title }).locator('.fields > div').allInnerTexts();

/** The states that are lit in the statechart of each worker, and how. */
const litIn = (page: Page) =>
  page
    .locator('.tile')
    .evaluateAll((tiles) =>
      tiles.map((tile) =>
        [...tile.querySelectorAll('.life-state:not([data-lit="no"])')].map(
          (state) => `${state.textContent} ${state.getAttribute('data-lit')}`,
        ),
      ),
    );

/** What a screen reader says of each of them. */
const saidOf = async (page: Page) =>
  [...(await page.locator('#tiles').ariaSnapshot()).matchAll(/link "([^"]*)"/g)].map(([, name]) => name);

describe('the page of the local autoscaler', () => {
  it('follows a worker: loading, serving, failing, silent', async () => {
    const clock = handClock();
    const autoscaler = await startAutoscaler({ now: clock.now });
    const { page, trouble } = await openPage(autoscaler);

    expect(await page.locator('#empty h3').isVisible()).toBe(true);
    expect(await page.locator('#command').textContent()).toBe(
      `CONTAINER_ID=1 REPORT_ADDR=${autoscaler.url} npx tsworker start helloautoscaler`,
    );

    await report(autoscaler, loading());
    await waitForText(page, '.card .state', 'loading');
    await waitForText(page, '#announce', 'Worker 1 is loading.');
    expect(await page.locator('#empty').isVisible()).toBe(false);

    await report(autoscaler, loaded());
    await report(autoscaler, update(1, 1.5, 10));
    clock.advance(10_000);
    await report(autoscaler, update(1, 3, 40));
    await waitForText(page, '.card .state', 'serving');
    await waitForText(page, '#announce', 'Worker 1 is serving.');
    expect(await fieldsOf(page, 'Last loaded')).toEqual(['loadtime\n0.5', 'max_perf\n2']);
    expect(await fieldsOf(page, 'Last update')).toEqual(['cur_load\n3', 'num_requests_recieved\n40']);
    expect(await page.locator('.card .counters > div').allInnerTexts()).toEqual([
      'Requests\n40',
      'Load now\n3/s',
      'Work told\n≈ 30',
      'Reports\n4',
    ]);
    expect(await page.title()).toBe('1 serving · Local autoscaler');
    expect(await page.locator('#feed li').count()).toBe(4);
    expect(await page.locator('#feed li').first().textContent()).toContain(
      'cur_load 3 · num_requests_recieved 40',
    );

    await report(autoscaler, failed(1, 'out of memory'));
    await waitForText(page, '.card .state', 'failing');
    expect(await page.locator('.card .error').textContent()).toBe('out of memory');

    clock.advance(30_000);
    await waitForText(page, '.card .state', 'silent');
    await waitForText(page, '#announce', 'Worker 1 is silent.');
    expect(trouble).toEqual([]);
  });

  it('shows the fleet as statecharts, lit by what the reports tell and by nothing else', async () => {
    const clock = handClock();
    const autoscaler = await startAutoscaler({
      now: clock.now,
      fault: ({ message }) => (message.id === 5 ? { kind: 'cut' } : undefined),
    });
    await report(autoscaler, status(1));
    clock.advance(30_000);
    await report(autoscaler, loading(2));
    await report(autoscaler, loaded(3));
    await report(autoscaler, status(4, { error_msg: 'out of memory' }));
    await expect(report(autoscaler, status(5))).rejects.toThrow();
    await report(autoscaler, status(6, { loadtime: 0, error_msg: 'no public key' }));
    const { page, trouble } = await openPage(autoscaler);
    const drawn = page.locator('.tile').first().locator('.life-state');
    expect(await drawn.allTextContents()).toEqual(Object.keys(STATES));
    expect(await page.locator('.tile .life-state[data-told="never"]').allTextContents()).toEqual(
      Array.from({ length: 6 }, () => ['draining', 'stopped']).flat(),
    );
    expect(await litIn(page)).toEqual([
      ['serving before'],
      ['loading yes'],
      ['serving yes'],
      ['failing yes'],
      ['loaded maybe', 'serving maybe'],
      ['loading maybe', 'failing maybe'],
    ]);
    expect(await saidOf(page)).toEqual([
      'Worker 1 silent Last told: serving.',
      'Worker 2 loading',
      'Worker 3 serving',
      'Worker 4 failing',
      'Worker 5 serving In loaded or serving: its reports do not say which.',
      'Worker 6 failing In loading or failing: its reports do not say which.',
    ]);

    await page.locator('.tile').nth(2).focus();
    await page.keyboard.press('Enter');
    expect(new URL(page.url()).hash).toBe('#worker-3');
    await page.locator('#worker-3:target').waitFor();
    expect(trouble).toEqual([]);
  });

  it('lights the state in which a real worker is', async () => {
    const model = await startFakeModel({ kind: 'openai' });
    onTestFinished(() => model.close());
    const autoscaler = await startTestAutoscaler();
    onTestFinished(() => autoscaler.stop());
    const worker = await startTestWorker(openai(), {
      model,
      autoscaler,
      env: { TSWORKER_READINESS: 'health', TSWORKER_MAX_PERF: '100', TSWORKER_HEALTH_INTERVAL: '50ms' },
    });
    onTestFinished(() => worker.stop().then(() => {}));
    const { page, trouble } = await openPage(autoscaler);
    const lit = async () => (await litIn(page)).flat();
    await worker.reaches('serving');
    await expect.poll(lit, { timeout: 10_000 }).toEqual(['serving yes']);
    model.behave({ healthStatus: 500 });
    await worker.reaches('failing');
    await expect.poll(lit, { timeout: 10_000 }).toEqual(['failing yes']);
    model.behave({ healthStatus: 200 });
    await worker.reaches('serving');
    await expect.poll(lit, { timeout: 10_000 }).toEqual(['serving yes']);
    expect(trouble).toEqual([]);
  });

  it('shows a worker of the current dialect, and says what was refused', async () => {
    const autoscaler = await startAutoscaler();
    await report(autoscaler, status(31));
    await report(autoscaler, { ...status(32), loadtime: 'soon' });
    const { page, trouble } = await openPage(autoscaler);
    expect(await page.locator('.card .dialect').allInnerTexts()).toEqual(['current']);
    expect(await page.locator('.card .counters > div').allInnerTexts()).toEqual([
      'Requests\n1,204',
      'Load now\n768',
      'New load\n512',
      'Served\n256',
      'Rejected\n16',
      'Reports\n1',
    ]);
    expect(await page.locator('#notice').textContent()).toContain('1 refused with 400; the last: loadtime: ');
    expect(trouble).toEqual([]);
  });

  it('shows the endpoint: what came of its requests, and how to ask for a route', async () => {
    const autoscaler = await startAutoscaler({ apiKey: 'k3y-of-the-endpoint', endpoint: "it's-llama" });
    await report(autoscaler, status(7, { url: 'http://127.0.0.1:3007' }));
    const { page, trouble } = await openPage(autoscaler, {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const rows = () =>
      page
        .locator('#endpoint-rows tr')
        .evaluateAll((nodes) =>
          nodes.map((node) => [...node.children].map(({ textContent }) => textContent).join(' ')),
        );
    expect(await page.locator('#endpoint h2').textContent()).toBe("Endpoint it's-llama");
    expect(await rows()).toEqual(
      ['Routed', 'Waiting', 'Assigned', 'Success', 'Error', 'Cancelled', 'Rejected'].map(
        (name) => `${name} 0`,
      ),
    );
    expect(await page.locator('.card .finished').isVisible()).toBe(false);

    await Promise.all([1, 2, 3, 4].map((cost) => autoscaler.route(cost)));
    const ends = finished(7, { request_idx: 1 }, { request_idx: 2, status: 'Rejected', success: false });
    await tellFinished(autoscaler, ends);
    await tellFinished(autoscaler, ends);
    await report(autoscaler, status(7, { loadtime: 0 }));
    await autoscaler.route(5);
    await waitForText(page, '.card .finished', 'Finished: 1 Success, 1 Rejected, 2 told again');
    await waitForText(page, '.card .state', 'loading');
    expect(await rows()).toEqual([
      'Routed 4',
      'Waiting 1',
      'Assigned 2',
      'Success 1',
      'Error 0',
      'Cancelled 0',
      'Rejected 1',
    ]);
    const told = page.locator('#feed li[data-kind="completions"]');
    expect(await told.first().textContent()).toContain('1 Success · 1 Rejected');

    const command = `curl ${autoscaler.url}/route/ -H 'content-type: application/json' -H "authorization: Bearer $API_KEY" -d '{"endpoint":"it'\\''s-llama","cost":100}'`;
    expect(await page.locator('#route-command').textContent()).toBe(command);
    await page.getByRole('button', { name: 'Copy the command that asks for a route' }).focus();
    await page.keyboard.press('Enter');
    await waitForText(page, '#copy-route', 'Copied');
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(command);
    expect(await page.content()).not.toContain(autoscaler.apiKey);
    expect(trouble).toEqual([]);

    // What a shell makes of it, without asking anybody.
    const shell = `curl() { printf '%s\\n' "$@"; }; ${command}`;
    const { stdout } = await promisify(execFile)('sh', ['-c', shell], { env: { API_KEY: 'abc' } });
    expect(stdout.trimEnd().split('\n')).toEqual([
      `${autoscaler.url}/route/`,
      '-H',
      'content-type: application/json',
      '-H',
      'authorization: Bearer abc',
      '-d',
      '{"endpoint":"it\'s-llama","cost":100}',
    ]);
  });

  it('says that starts of workers fail, and when the next is tried', async () => {
    const launcher: Launcher = {
      place: async () => {},
      run: async () => ({ code: 1, signal: null }),
      signal: async () => {},
      release: () => {},
    };
    const long = { baseMs: 60_000, capMs: 60_000 };
    const settings = setupOf({ 'max-workers': '3', 'min-workers': '3', 'cold-workers': '0' });
    const autoscaler = await startAutoscaler({
      scaling: { settings, launcher, patience: { pause: long, hold: long } },
    });
    const { page, trouble } = await openPage(autoscaler);
    expect(await page.locator('#workers').isVisible()).toBe(false);
    expect(await page.locator('#scaling-notice').innerText()).toMatch(
      /^The last 3 starts of workers have failed\. The next is tried in \d+ s, alone\.$/,
    );
    expect(await page.locator('#scaled-workers li').allInnerTexts()).toEqual(
      [1, 2, 3].map((id) => `Worker ${id}: Error`),
    );
    expect(await page.locator('#decisions li').first().textContent()).toMatch(
      /^hold worker 3 [\d:]+ the last 3 starts of workers have failed: none is started for 60 s, and then one alone$/,
    );
    expect(await seriousIn(page)).toEqual([]);
    expect(trouble).toEqual([]);
  });

  it('markup in what a worker says stays text', async () => {
    const attack = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    const autoscaler = await startAutoscaler();
    await report(autoscaler, failed(1, attack));
    await report(autoscaler, status(2, { error_msg: attack, url: 'javascript:alert(1)', version: attack }));
    const { page, trouble } = await openPage(autoscaler);
    await page.locator('.card').nth(1).waitFor();
    expect(await page.locator('.card .error').allInnerTexts()).toEqual([attack, attack]);
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(await page.title()).toBe('2 failing · Local autoscaler');
    expect(trouble).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('reads well in %s, at phone width too', async (colorScheme) => {
    const clock = handClock();
    const autoscaler = await startAutoscaler({ now: clock.now });
    await report(autoscaler, loaded(4));
    clock.advance(30_000);
    const long = 'x'.repeat(3_000);
    for (const body of [loaded(1), loading(2), failed(3, long), status(5, { url: long })]) {
      await report(autoscaler, body);
    }
    const { page, trouble } = await openPage(autoscaler, { colorScheme, viewport: PHONE });
    await page.locator('.card').nth(4).waitFor();

    expect(await seriousIn(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(PHONE.width);
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(luminance(ground) > 0.5).toBe(colorScheme === 'light');
    const pills = await page.locator('.card .state').evaluateAll((nodes) =>
      nodes.map((node) => {
        const { color, backgroundColor } = getComputedStyle(node);
        return { state: node.textContent, color, backgroundColor };
      }),
    );
    expect(pills.map(({ state }) => state)).toEqual(['serving', 'loading', 'failing', 'silent', 'serving']);
    for (const { color, backgroundColor } of pills)
      expect(contrast(color, backgroundColor)).toBeGreaterThan(4.5);
    expect(trouble).toEqual([]);
  });

  it('says that the autoscaler is away, keeps what it knew, and finds it again', async () => {
    const autoscaler = await startAutoscaler();
    await report(autoscaler, loaded());
    const { page } = await openPage(autoscaler);
    await autoscaler.stop();
    await page.locator('#live[data-link="away"]').waitFor();
    expect(await page.locator('#away-text').textContent()).toMatch(
      /^The autoscaler does not answer.*Trying again in \d+ s\.$/,
    );
    expect(await page.locator('.card .state').textContent()).toBe('serving');
    await autoscaler.start();
    await page.locator('#retry').focus();
    await page.keyboard.press('Enter');
    await page.locator('#live[data-link="live"]').waitFor();
    expect(await page.locator('#away').isVisible()).toBe(false);
  });

  it('copies the command with the keyboard', async () => {
    const autoscaler = await startAutoscaler();
    const { page, trouble } = await openPage(autoscaler, {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('copy');
    await page.keyboard.press('Enter');
    await waitForText(page, '#copy', 'Copied');
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
      `CONTAINER_ID=1 REPORT_ADDR=${autoscaler.url} npx tsworker start helloautoscaler`,
    );
    expect(trouble).toEqual([]);
  });
});

/** Relative luminance of an `rgb(…)` colour, as WCAG defines it. */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? []).map((part) => {
    const share = Number(part) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}
