import { execFileSync } from 'node:child_process';
import { chromium } from 'playwright-core';
import { openai } from '../backends/openai.js';
import { startFakeModel, startTestWorker } from '../src/testing/index.js';

/** Takes the pictures of a worker's live page that the README shows: part of `npm run screenshot`. */

/** High enough for the whole lifecycle. */
const DESK = { width: 1240, height: 1400 };
/** As much of a phone's page as one sees with two flicks of the thumb: all of the drawing. */
const PHONE = { width: 390, height: 844 };
const FLICKED = { x: 0, y: 0, width: PHONE.width, height: 1_090 };

execFileSync(process.execPath, ['scripts/build-page.mjs'], { stdio: 'inherit' });
const model = await startFakeModel({ kind: 'openai', behaviour: { tokensPerSecond: 25, healthStatus: 503 } });
const worker = await startTestWorker(openai(), {
  model,
  env: { TSWORKER_READINESS: 'health', TSWORKER_MAX_PERF: '400', TSWORKER_HEALTH_INTERVAL: '200ms' },
});
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  await pause(2_000);
  model.behave({ healthStatus: 200 });
  await worker.reaches('serving');
  const ask = async (max_tokens: number) => {
    const payload = { model: 'm', prompt: 'Once upon a time', max_tokens, stream: true };
    await (await worker.call('/v1/completions', payload, { cost: max_tokens })).text();
  };
  const asked: Promise<void>[] = [];
  for (let second = 0; second < 24; second++) {
    asked.push(...Array.from({ length: 1 + (second % 3) }, () => ask(40 + second * 6)));
    if (second === 12) model.behave({ healthStatus: 503 });
    if (second === 15) model.behave({ healthStatus: 200 });
    await pause(1_000);
  }
  const looks = [
    ['light', { colorScheme: 'light', viewport: DESK }],
    ['dark', { colorScheme: 'dark', viewport: DESK }],
    ['phone', { colorScheme: 'light', viewport: PHONE }],
  ] as const;
  for (const [name, options] of looks) {
    const page = await browser.newPage({ ...options, deviceScaleFactor: 1.5 });
    await page.goto(`${worker.internalUrl}/`);
    await page.locator('.chart svg').waitFor();
    await page.locator('.plot canvas').first().waitFor();
    await pause(1_500);
    const clip = name === 'phone' ? { fullPage: true, clip: FLICKED } : {};
    await page.screenshot({ path: `docs/worker-${name}.png`, ...clip });
    await page.close();
  }
  await Promise.allSettled(asked);
} finally {
  await browser.close();
  await worker.stop();
  await model.close();
}
