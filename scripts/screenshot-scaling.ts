import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

/** Takes the pictures of a fleet that follows its load, which the docs show: part of `npm run screenshot`. */
const BACKEND = 'test/e2e/ten-units-backend.ts';
const KEY = 'key-of-the-pictures';
/** How long the fleet is looked at once it is complete, so that its lines have something to tell. */
const STEADY_MS = 12_000;

function tsworker(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, 'src/cli/main.ts', ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, TSWORKER_API_KEY: KEY, TSWORKER_REPORT_INTERVAL: '1s' },
  });
}

/** Where its autoscaler listens, once it does. */
function urlOf({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (stdout === null) throw new Error('It has no output.');
    const lines = createInterface({ input: stdout });
    lines.on('line', (line) => {
      const { event, autoscalerUrl } = JSON.parse(line) as Record<string, unknown>;
      if (event === 'listening') resolve(String(autoscalerUrl));
    });
    lines.on('close', () => reject(new Error('It has ended.')));
  });
}

const ports = ['--port', '0', '--internal-port', '0', '--autoscaler-port', '0'];
const policy = ['--min-load', '0', '--cold-mult', '1', '--inactivity-timeout', '20s'];
const dev = tsworker('dev', BACKEND, ...ports, ...policy);
const url = await urlOf(dev);
const much = ['--rate', '0..33..33', '--duration', '90s'];
const load = tsworker('load', 'my-endpoint', '--autoscaler', url, '--payload', BACKEND, ...much);
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await browser.newPage({ colorScheme, viewport: { width: 1040, height: 760 } });
    await page.goto(url);
    await page.locator('.tile[data-state="serving"]').nth(3).waitFor({ timeout: 90_000 });
    if (colorScheme === 'light') await page.waitForTimeout(STEADY_MS);
    await page.locator('#scaling').screenshot({ path: `docs/scaling-${colorScheme}.png` });
    await page.close();
  }
} finally {
  await browser.close();
  for (const child of [load, dev]) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
}
