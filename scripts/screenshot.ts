import { chromium } from 'playwright-core';
import helloautoscaler from '../backends/helloautoscaler.js';
import { LocalAutoscaler } from '../src/autoscaler/index.js';
import { readConfig, silentLog, Worker } from '../src/index.js';

/** Takes the pictures of the local autoscaler's page that the README shows: `npm run screenshot`. */
const autoscaler = new LocalAutoscaler({ port: 0, reportIntervalMs: 1_000 });
await autoscaler.start();
const workers: { worker: Worker; url: string }[] = [];
for (const id of ['7301', '7302', '7303']) {
  const settings = readConfig({
    CONTAINER_ID: id,
    REPORT_ADDR: autoscaler.url,
    WORKER_PORT: '0',
    TSWORKER_HOST: '127.0.0.1',
    TSWORKER_REPORT_INTERVAL: '1s',
  });
  if (!settings.ok) throw new Error(settings.problems.join('\n'));
  const worker = new Worker(helloautoscaler, settings.config, { log: silentLog });
  const { port } = await worker.start();
  workers.push({ worker, url: `http://127.0.0.1:${port}` });
}
await autoscaler.waitForMessage(({ workerId, kind }) => workerId === 7303 && kind === 'update');

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  for (const [index, { url }] of workers.entries()) {
    for (let request = 0; request < 40 * (index + 1); request++) {
      await fetch(`${url}/increment`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ amount: 1 }),
      });
    }
  }
  await autoscaler.waitForMessage(
    ({ body }) => (body as { num_requests_recieved?: number }).num_requests_recieved === 120,
  );
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await browser.newPage({
      colorScheme,
      viewport: { width: 1200, height: 760 },
      deviceScaleFactor: 1.5,
    });
    await page.goto(autoscaler.url);
    await page.getByText('120').first().waitFor();
    await page.screenshot({ path: `docs/autoscaler-${colorScheme}.png` });
    await page.close();
  }
} finally {
  await browser.close();
  await Promise.all(workers.map(({ worker }) => worker.stop('the pictures are taken')));
  await autoscaler.stop();
}
