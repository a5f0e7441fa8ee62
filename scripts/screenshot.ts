import { chromium } from 'playwright-core';
import { openai } from '../backends/openai.js';
import { Serverless } from '../src/client/index.js';
import {
  type FakeModel,
  startFakeModel,
  startTestAutoscaler,
  startTestWorker,
} from '../src/testing/index.js';

/** Takes the pictures of the local autoscaler's page that the docs show: part of `npm run screenshot`. */
const autoscaler = await startTestAutoscaler();
const models: FakeModel[] = [];
const startWorker = async (id: number, healthStatus = 200) => {
  const model = await startFakeModel({ kind: 'openai', behaviour: { tokensPerSecond: 40, healthStatus } });
  models.push(model);
  const env = {
    CONTAINER_ID: String(id),
    TSWORKER_READINESS: 'health',
    TSWORKER_MAX_PERF: '400',
    TSWORKER_HEALTH_INTERVAL: '200ms',
  };
  return { model, worker: await startTestWorker(openai(), { model, autoscaler, env }) };
};

const serving = [await startWorker(7301), await startWorker(7302)];
const failing = await startWorker(7303);
const gone = await startWorker(7304);
const loading = await startWorker(7305, 503);
const started = [...serving, failing, gone, loading];
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
/** Some work at each moment for as long as the page is looked at, so that its lines have something to tell. */
const LOOKED_AT_MS = 9_000;
async function isAsked(times: number): Promise<void> {
  const client = new Serverless({ apiKey: autoscaler.apiKey, autoscalerUrl: autoscaler.url });
  const endpoint = await client.endpoint('my-endpoint');
  for (let nth = 0; nth < times; nth++) {
    const max_tokens = 30 + ((nth * 37) % 60);
    await endpoint.request(
      '/v1/completions',
      { model: 'm', prompt: 'Once', max_tokens },
      { cost: max_tokens },
    );
  }
}

try {
  await Promise.all([...serving, failing, gone].map(({ worker }) => worker.reaches('serving')));
  failing.model.behave({ healthStatus: 500 });
  await failing.worker.reaches('failing');
  await gone.worker.stop();
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await browser.newPage({ colorScheme, viewport: { width: 1240, height: 760 } });
    await page.goto(autoscaler.url);
    for (const state of ['serving', 'loading', 'failing', 'silent']) {
      await page.locator(`.tile[data-state="${state}"]`).first().waitFor();
    }
    const asked = Array.from({ length: 3 }, () => isAsked(5));
    await page.waitForTimeout(LOOKED_AT_MS);
    await page.screenshot({ path: `docs/autoscaler-${colorScheme}.png` });
    await page.close();
    await Promise.all(asked);
  }
} finally {
  await browser.close();
  await Promise.all(started.map(({ worker }) => worker.stop()));
  await Promise.all(models.map((model) => model.close()));
  await autoscaler.stop();
}
