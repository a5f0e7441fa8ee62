import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import type { SnapshotFrom } from 'xstate';
import { openai } from '../../backends/openai.js';
import type { lifecycleMachine } from '../../machines/lifecycle.js';
import { freePort } from '../../src/cli/free-port.js';
import type { Happening, History } from '../../src/inspect/contract.js';
import { isStep } from '../../src/inspect/page/travel.js';
import { readPage } from '../../src/inspect/page-files.js';
import { headerOf, readRecording } from '../../src/inspect/recording.js';
import { replayServer } from '../../src/inspect/replay-server.js';
import { close, listen } from '../../src/net/server.js';
import { type FakeModel, startFakeModel, startTestWorker, type TestWorker } from '../../src/testing/index.js';
import { leavesOf } from '../../src/testing/leaves.js';
import { pageOf, seriousIn, useBrowser } from './browser.js';

const PHONE = { width: 390, height: 844 };

const browser = useBrowser();

beforeAll(() => {
  execFileSync(process.execPath, ['scripts/build-page.mjs'], { stdio: 'inherit' });
}, 60_000);

/** The states in which the lifecycle of each worker is, as xstate itself tells them. */
const statesOf = new WeakMap<TestWorker, () => readonly string[]>();

async function startWorker(
  model: { readonly url: string },
  internalPort = 0,
  env: Readonly<Record<string, string>> = {},
): Promise<TestWorker> {
  let states: readonly string[] = [];
  const worker = await startTestWorker(openai(), {
    model,
    inspect: (event) => {
      if (event.type !== '@xstate.snapshot' || event.actorRef.sessionId !== event.rootId) return;
      states = leavesOf(event.snapshot as SnapshotFrom<typeof lifecycleMachine>);
    },
    env: {
      TSWORKER_READINESS: 'health',
      TSWORKER_MAX_PERF: '1000',
      TSWORKER_HEALTH_INTERVAL: '50ms',
      WORKER_HTTP_PORT: String(internalPort),
      ...env,
    },
  });
  statesOf.set(worker, () => states);
  onTestFinished(() => worker.stop().then(() => {}));
  return worker;
}

async function startModel(behaviour: object = {}): Promise<FakeModel> {
  const model = await startFakeModel({ kind: 'openai', behaviour });
  onTestFinished(() => model.close());
  return model;
}

/** The page of a worker, and what went wrong or outside on it. */
async function look(url: string, options: BrowserContextOptions = {}) {
  const { page, trouble } = await pageOf(browser(), url, options);
  await page.goto(`${url}/`);
  await page.locator('.chart svg').waitFor();
  return { page, trouble };
}

const stateOf = (page: Page) => page.locator('.head .state .name').innerText();

/** The states that are lit, as the page draws them. */
const litIn = (page: Page) =>
  page
    .locator('.chart [data-state].lit')
    .evaluateAll((groups) =>
      [...new Set(groups.map((group) => group.getAttribute('data-state') ?? ''))].sort(),
    );

/** Waits until the page shows the worker in this state, and in just the states that its machine is in. */
async function shows(page: Page, worker: TestWorker, state: string): Promise<void> {
  await expect.poll(() => stateOf(page)).toBe(state);
  await expect
    .poll(
      async () => {
        const states = statesOf.get(worker)?.() ?? [];
        return { lit: await litIn(page), are: states.toSorted() };
      },
      { timeout: 15_000 },
    )
    .toSatisfy(({ lit, are }: { lit: string[]; are: string[] }) => lit.join() === are.join());
}

it('follows a worker from loading to serving, through a failure of its model and back, and through a drain', async () => {
  const model = await startModel({ healthStatus: 503 });
  const worker = await startWorker(model);
  const { page, trouble } = await look(worker.internalUrl);
  await shows(page, worker, 'loading');
  expect(await page.locator('.why').innerText()).toMatch(/^The worker is loading: .*200/);

  model.behave({ healthStatus: 200 });
  await shows(page, worker, 'serving');
  expect(await page.locator('.why').innerText()).toBe('It takes requests.');

  const marked = page.locator('[data-transition="work:backend.failed#0"].just-taken').first();
  const isMarked = marked.waitFor({ state: 'attached' });
  model.behave({ healthStatus: 503 });
  // The report of it follows within milliseconds, and must not hide it.
  await isMarked;
  await shows(page, worker, 'failing');
  model.behave({ healthStatus: 200 });
  await shows(page, worker, 'serving');

  model.behave({ pauseAfterTokens: 1 });
  const answer = await worker.call('/v1/completions', {
    model: 'm',
    prompt: 'p',
    max_tokens: 3,
    stream: true,
  });
  await expect.poll(() => page.locator('.chip.is-streaming').count()).toBe(1);
  const stopped = worker.stop();
  await shows(page, worker, 'draining');
  model.behave({ pauseAfterTokens: undefined });
  await answer.text();
  await stopped;
  await page.locator('.following.lost').waitFor();
  expect([await stateOf(page), (await litIn(page)).includes('work.stopped')]).toEqual(['stopped', true]);
  const stays = await page.locator('section:has(#timeline-title) tbody .chip').allInnerTexts();
  expect(stays.toReversed().slice(0, 6)).toEqual([
    'loading',
    'loaded',
    'serving',
    'failing',
    'loaded',
    'serving',
  ]);
  // That the worker is gone is all that is wrong.
  expect(trouble.filter((line) => !line.includes('ERR_CONNECTION_REFUSED'))).toEqual([]);
});

it('shows that a model server died, that it is started again, and what the new one logs', async () => {
  const port = await freePort('127.0.0.1', 0, []);
  const program = `console.log('the model server is process ' + process.pid);
    require('node:http').createServer((_request, response) => response.end('{}')).listen(${port}, '127.0.0.1');`;
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-model-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'model.cjs');
  writeFileSync(file, program);
  const worker = await startWorker({ url: `http://127.0.0.1:${port}` }, 0, {
    TSWORKER_MODEL_COMMAND: `${process.execPath} ${file}`,
  });
  const { page } = await look(worker.internalUrl);
  await shows(page, worker, 'serving');
  const log = page.locator('section:has(#log-title)');
  const processes = async () =>
    [...(await log.innerText()).matchAll(/the model server is process (\d+)/g)].map(([, id]) => Number(id));
  await expect.poll(processes).toHaveLength(1);
  const [first = 0] = await processes();
  process.kill(first, 'SIGKILL');
  await expect.poll(processes).toHaveLength(2);
  // It may fail for a second reason while it is failing.
  const path = () => worker.path().filter((state, index, all) => state !== all[index - 1]);
  const whole = ['loading', 'loaded', 'serving', 'failing', 'loading', 'loaded', 'serving'];
  await expect.poll(path).toEqual(whole);
  await shows(page, worker, 'serving');
  const stays = page.locator('section:has(#timeline-title) tbody .chip');
  await expect.poll(async () => (await stays.allInnerTexts()).toReversed()).toEqual(whole);
  await page.getByRole('button', { name: /^supervisor/ }).click();
  await expect.poll(() => page.locator('.chart').getAttribute('aria-label')).toBe('The supervisor machine');
  // The one that was started again runs.
  expect(await litIn(page)).toEqual(['running']);
}, 60_000);

it('comes back by itself when the worker was away, and shows the new one', async () => {
  const model = await startModel();
  const port = await freePort('127.0.0.1', 0, []);
  const first = await startWorker(model, port);
  const { page } = await look(first.internalUrl);
  await shows(page, first, 'serving');
  await first.stop();
  await page.locator('.following.lost').waitFor();
  const second = await startWorker(model, port);
  await shows(page, second, 'serving');
  expect(await page.locator('.following').innerText()).toBe('live');
});

/** A way to a worker that can be cut, or stopped as by a worker that hangs: its connections stay, and carry nothing. */
async function wayTo(worker: TestWorker) {
  const sockets = new Set<Socket>();
  let isStopped = false;
  const server = createServer((client) => {
    const there = connect(Number(new URL(worker.internalUrl).port), '127.0.0.1');
    for (const socket of [client, there]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => void sockets.delete(socket));
    }
    client.on('close', () => there.destroy());
    there.on('close', () => client.destroy());
    client.on('data', (bytes) => isStopped || there.write(bytes));
    there.on('data', (bytes) => isStopped || client.write(bytes));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const cut = async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  onTestFinished(() => (server.listening ? cut() : undefined));
  return {
    url: `http://127.0.0.1:${port}`,
    cut,
    restore: () => once(server.listen(port, '127.0.0.1'), 'listening'),
    stop: (is: boolean) => {
      isStopped = is;
    },
  };
}

it('comes back by itself when its connection was cut: nothing is missing, and nothing is there twice', async () => {
  const model = await startModel();
  const worker = await startWorker(model);
  const way = await wayTo(worker);
  const { page } = await look(way.url);
  await shows(page, worker, 'serving');

  await way.cut();
  await page.locator('.following.lost').waitFor();
  model.behave({ healthStatus: 503 });
  await worker.reaches('failing');
  await way.restore();
  await shows(page, worker, 'failing');
  // The health route is asked all the while, so that both go on counting.
  const isWhole = async () => {
    const history = (await (await fetch(`${worker.internalUrl}/inspect/recording`)).json()) as History;
    const steps = history.happenings.filter(isStep).length;
    return (await page.locator('.moment').innerText()) === `as it is now, after ${steps} steps`;
  };
  await expect.poll(isWhole, { interval: 20 }).toBe(true);
  const stays = await page.locator('section:has(#timeline-title) tbody .chip').allInnerTexts();
  expect(stays.toReversed()).toEqual(['loading', 'loaded', 'serving', 'failing']);
});

it('says of a worker that hangs that it is silent, and follows it again when it goes on', async () => {
  const worker = await startWorker(await startModel());
  const way = await wayTo(worker);
  const { page } = await look(way.url);
  await shows(page, worker, 'serving');
  const said = async () => [
    (await page.locator('.following').innerText()).replace(/[\d:.]{11}/, '<time>'),
    await page.locator('.head .why').innerText(),
  ];
  expect(await said()).toEqual(['live', 'It takes requests.']);

  way.stop(true);
  const silent = 'The worker is silent: there is a connection, and nothing comes of it.';
  await expect
    .poll(said, { timeout: 30_000 })
    .toEqual([`${silent} As it was at <time>; it is tried again.`, 'It took requests.']);
  way.stop(false);
  await expect.poll(said, { timeout: 30_000 }).toEqual(['live', 'It takes requests.']);
  await shows(page, worker, 'serving');
});

it('where as many look as may, it says so, fetches nothing but a place, with longer and longer pauses, until it has one', async () => {
  const worker = await startWorker(await startModel());
  await worker.reaches('serving');
  const others = Array.from({ length: 32 }, () => new AbortController());
  // Kept until the end: an answer that nobody holds is given up when garbage is collected, and its place with it.
  const answers = await Promise.all(
    others.map(({ signal }) => fetch(`${worker.internalUrl}/inspect/events`, { signal })),
  );
  onTestFinished(() => {
    expect(answers.map(({ status }) => status)).toEqual(others.map(() => 200));
    for (const other of others) other.abort();
  });

  const { page } = await pageOf(browser(), worker.internalUrl);
  const asked: string[] = [];
  page.on('response', (response) => {
    const [, name] = /\/inspect\/(\w+)/.exec(response.url()) ?? [];
    if (name !== undefined) asked.push(name);
  });
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 60_000);
  await page.goto(`${worker.internalUrl}/`);
  await expect.poll(() => asked).toEqual(['events']);
  for (const pauseMs of [500, 1_000, 2_000, 4_000, 5_000, 5_000]) {
    const before = [...asked];
    // What it sets its next clock by comes just after the answer.
    await page.evaluate(() => fetch('/'));
    await page.clock.runFor(pauseMs - 1);
    await page.evaluate(() => fetch('/'));
    expect(asked).toEqual(before);
    await page.clock.runFor(1);
    await expect.poll(() => asked).toEqual([...before, 'events']);
  }
  expect(await page.locator('.waiting').innerText()).toBe(
    'As many pages as the worker serves at once look at it already. It is tried again.',
  );

  others[0]?.abort();
  await page.clock.resume();
  await shows(page, worker, 'serving');
  expect(await page.locator('.following').innerText()).toBe('live');
});

it('is used with the keyboard alone: the machines, the past, the events', async () => {
  const model = await startModel();
  const worker = await startWorker(model);
  const { page, trouble } = await look(worker.internalUrl);
  await shows(page, worker, 'serving');

  const focusOn = async (selector: string) => {
    for (let tabs = 0; tabs < 80; tabs++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate((where) => document.activeElement?.matches(where) === true, selector)) return;
    }
    throw new Error(`the keyboard does not get to ${selector}`);
  };
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => location.hash)).toBe('#machines');

  await focusOn('.tabs button:nth-child(2)');
  const name = await page.locator('.tabs button:nth-child(2)').innerText();
  await page.keyboard.press('Enter');
  await expect
    .poll(() => page.locator('.chart').getAttribute('aria-label'))
    .toBe(`The ${name.split('\n')[0]} machine`);

  await focusOn('.travel input');
  await page.keyboard.press('Home');
  await expect.poll(() => page.locator('.moment').innerText()).toMatch(/\(1 of \d+\)$/);
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => page.locator('.moment').innerText()).toMatch(/\(2 of \d+\)$/);
  await focusOn('.travel .live');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.locator('.moment').innerText()).toMatch(/^as it is now/);

  await focusOn('.filter input');
  await page.keyboard.type('load done');
  await expect.poll(() => page.locator('.happening').count()).toBe(1);
  await focusOn('.happening .row');
  await page.keyboard.press('Enter');
  expect(await page.locator('.details').innerText()).toContain('lifecycle');
  expect(trouble).toEqual([]);
});

it('goes back in time: the machine is shown as it was', async () => {
  const model = await startModel({ healthStatus: 503 });
  const worker = await startWorker(model);
  const { page } = await look(worker.internalUrl);
  await shows(page, worker, 'loading');
  model.behave({ healthStatus: 200 });
  await shows(page, worker, 'serving');
  const head = async () =>
    (await page.locator('.head').locator('.following, .name, .since, .why').allInnerTexts()).map((text) =>
      text.replace(/[\d:.]{11}/, '<time>'),
    );
  await page.locator('.travel input').focus();
  await page.keyboard.press('Home');
  await expect.poll(() => litIn(page)).toContain('work.loading');
  expect(await head()).toEqual([
    'the past, at <time>',
    'loading',
    'at <time>',
    'So it was after “started” of lifecycle. Now it is serving, and the figures are those of now.',
  ]);
  await page.locator('.travel .live').click();
  await expect.poll(() => litIn(page)).toContain('work.serving');
  expect((await head()).toSpliced(2, 1)).toEqual(['live', 'serving', 'It takes requests.']);
});

it('shows a recording: first its end, with the worker stopped, and each step before', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-page-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'run.jsonl');
  const worker = await startWorker(await startModel(), 0, { TSWORKER_RECORD: file });
  await worker.reaches('serving');
  await worker.stop();
  const server = replayServer(readRecording(readFileSync(file, 'utf8')));
  const port = await listen(server, 0, '127.0.0.1');
  onTestFinished(() => close(server));
  const { page, trouble } = await look(`http://127.0.0.1:${port}`);
  expect(await page.locator('.following').innerText()).toMatch(/^a recording of [^;]*$/);
  expect(await litIn(page)).toContain('work.stopped');
  await page.locator('.travel input').focus();
  await page.keyboard.press('Home');
  await expect.poll(() => litIn(page)).toContain('work.loading');
  // Of the rest it knows nothing.
  expect(await page.locator('main h2').evaluateAll((titles) => titles.map(({ id }) => id))).toEqual([
    'machine-title',
    'timeline-title',
    'events-title',
  ]);
  expect(await seriousIn(page)).toEqual([]);
  expect(trouble).toEqual([]);
});

it('waits for nothing more of a recording', async () => {
  const header = headerOf({ version: '1', backend: 'openai', startedAtMs: 0 });
  const server = replayServer({ header, happenings: [], nows: [], end: null });
  const port = await listen(server, 0, '127.0.0.1');
  onTestFinished(() => close(server));
  const { page } = await pageOf(browser(), `http://127.0.0.1:${port}`);
  const asked: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/inspect/events')) asked.push(request.url());
  });
  await page.clock.install();
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.locator('.following.recorded').waitFor();
  for (let times = 0; times < 5; times++) {
    await page.clock.runFor(6_000);
    // What it would do then comes just after.
    await page.evaluate(() => fetch('/'));
  }
  expect(asked).toHaveLength(1);
});

it('shows the beginning of a recording that is longer than a page can hold, and says what it leaves out', async () => {
  const happenings = Array.from({ length: 20_678 }, (_, nth): Happening => {
    const event = nth === 0 ? 'load done' : 'health.failed';
    const [from, to] = nth % 2 === 0 ? ['work.serving', 'work.failing'] : ['work.failing', 'work.serving'];
    const place = {
      actor: 'lifecycle',
      machine: 'lifecycle',
      kind: 'transition',
    } as const;
    return { seq: nth + 1, atMs: nth, nth, ...place, event, from: [from], to: [to], took: [] };
  });
  const header = headerOf({ version: '1', backend: 'openai', startedAtMs: 0 });
  const server = replayServer({ header, happenings, nows: [], end: null });
  const port = await listen(server, 0, '127.0.0.1');
  onTestFinished(() => close(server));
  const { page, trouble } = await look(`http://127.0.0.1:${port}`);
  expect(await page.locator('.following').innerText()).toMatch(
    /^a recording of .*; the recording was broken off, and says nothing of what came then$/,
  );
  expect(await page.locator('.left-out').innerText()).toBe(
    '20\u00a0000 of 20\u00a0678 events are shown: of what came often the last alone.',
  );
  await page.locator('.travel input').focus();
  await page.keyboard.press('Home');
  await expect.poll(() => page.locator('.moment').first().innerText()).toMatch(/load done .*\(1 of 20000\)$/);
  expect(await litIn(page)).toEqual(['work.failing']);
  expect(trouble).toEqual([]);
});

it('shows where a worker is that has been in very many states, and that the first of them are no longer kept', async () => {
  const happenings = Array.from({ length: 1_200 }, (_, nth): Happening => {
    const state = nth % 2 === 0 ? 'serving' : 'failing';
    const details = { level: 'info', message: state, event: 'state.entered', state, reason: 'so it is' };
    const place = { actor: 'worker', machine: '', kind: 'log', event: 'state.entered' } as const;
    return { seq: nth + 1, atMs: nth * 60_000, nth, ...place, details };
  });
  const header = headerOf({ version: '1', backend: 'openai', startedAtMs: 0 });
  const server = replayServer({ header, happenings, nows: [], end: null });
  const port = await listen(server, 0, '127.0.0.1');
  onTestFinished(() => close(server));
  const { page } = await pageOf(browser(), `http://127.0.0.1:${port}`);
  await page.goto(`http://127.0.0.1:${port}/`);
  const states = page.locator('section:has(#timeline-title)');
  expect(await states.locator('.note').innerText()).toBe('The first 200 are no longer kept.');
  const [bar, last] = [states.locator('.bar'), states.locator('.stay').last()];
  const [whole, present] = [await bar.boundingBox(), await last.boundingBox()];
  const right = (box: typeof whole) => Math.round((box?.x ?? 0) + (box?.width ?? 0));
  expect([right(present), present?.width]).toEqual([
    right(whole),
    expect.toSatisfy((width: number) => width > 1),
  ]);
});

it('is less than 250 KB, gzipped', () => {
  const files = [...(readPage()?.values() ?? [])];
  expect(files.length).toBeGreaterThan(2);
  const bytes = files.reduce((sum, file) => sum + gzipSync(file.bytes).length, 0);
  expect(bytes).toBeLessThan(250_000);
});

it.each(['reduce', 'no-preference'] as const)(
  'on a phone its words can be read, and it follows the state that is lit (motion: %s)',
  async (reducedMotion) => {
    const model = await startModel();
    const worker = await startWorker(model);
    const { page } = await look(worker.internalUrl, { viewport: PHONE, reducedMotion });
    await shows(page, worker, 'serving');
    expect(await page.locator('.chart svg').evaluate((svg) => (svg as SVGSVGElement).getScreenCTM()?.a)).toBe(
      1,
    );
    await expect.poll(() => isInSight(page, 'work.serving')).toBe(true);
    model.behave({ healthStatus: 503 });
    await shows(page, worker, 'failing');
    await expect.poll(() => isInSight(page, 'work.failing')).toBe(true);
  },
);

it('fitted to its width, a drawing is no larger than it is, and follows the state that is lit', async () => {
  const model = await startModel();
  const worker = await startWorker(model);
  const { page } = await look(worker.internalUrl, { viewport: { width: 1280, height: 480 } });
  await shows(page, worker, 'serving');
  const scale = () =>
    page.locator('.chart svg').evaluate((svg) => (svg as SVGSVGElement).getScreenCTM()?.a ?? Number.NaN);
  await expect.poll(() => isInSight(page, 'work.serving')).toBe(true);
  expect(await scale()).toBeLessThan(1);
  model.behave({ healthStatus: 503 });
  await shows(page, worker, 'failing');
  await expect.poll(() => isInSight(page, 'work.failing')).toBe(true);
  await page.getByRole('button', { name: /^reporter/ }).click();
  await expect.poll(() => page.locator('.chart').getAttribute('aria-label')).toBe('The reporter machine');
  expect(await scale()).toBe(1);
  await page.getByRole('button', { name: '50 %', exact: true }).click();
  await expect.poll(scale).toBe(0.5);
});

/** Whether the name of a state is in the part of the drawing that is seen. */
const isInSight = (page: Page, state: string) =>
  page.locator(`.chart [data-state="${state}"] .name`).evaluate((name) => {
    const seen = name.closest('.chart')?.getBoundingClientRect() ?? new DOMRect();
    const { left, right, top, bottom } = name.getBoundingClientRect();
    return left >= seen.left && right <= seen.right && top >= seen.top && bottom <= seen.bottom;
  });

it('asks for the token where there is one, and says that one is wrong', async () => {
  const worker = await startWorker(await startModel(), 0, { TSWORKER_INTERNAL_TOKEN: 'an-internal-token' });
  const { page } = await pageOf(browser(), worker.internalUrl);
  await page.goto(`${worker.internalUrl}/`);
  // What comes along when it is copied from a chat, which no header can carry.
  await page.locator('#token').fill('“an-internal-token”');
  await page.keyboard.press('Enter');
  await page.getByText('This is not the token.').waitFor();
  await page.reload();
  await page.locator('#token').fill('another');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  expect(await seriousIn(page)).toEqual([]);
  await page.locator('#token').fill('an-internal-token');
  await page.keyboard.press('Enter');
  await page.locator('.chart svg').waitFor();
});

it('under another name, where there is no token, it says why it shows nothing, and asks for none', async () => {
  const worker = await startWorker(await startModel());
  const { port } = new URL(worker.internalUrl);
  const named = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP gpu.example 127.0.0.1'],
  });
  onTestFinished(() => named.close());
  const { page } = await pageOf(named, `http://gpu.example:${port}`);
  await page.goto(`http://gpu.example:${port}/`);
  expect(await page.locator('main.lock').innerText()).toBe(
    'tsworker\n\nWithout a token this is shown at the address itself or at localhost, and under no other name: set TSWORKER_INTERNAL_TOKEN.',
  );
  expect(await page.locator('input').count()).toBe(0);
});

it.each<[string, BrowserContextOptions]>([
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['a phone', { colorScheme: 'light', viewport: PHONE }],
])(
  '%s: nothing serious is found by axe in any view, and nothing is wider than the page',
  async (_name, options) => {
    const model = await startModel();
    const worker = await startWorker(model);
    await worker.reaches('serving');
    await worker
      .call('/v1/completions', { model: 'm', prompt: 'p', max_tokens: 3 })
      .then((answer) => answer.text());
    const { page, trouble } = await look(worker.internalUrl, options);
    await shows(page, worker, 'serving');
    const expectNothingSerious = async () => expect(await seriousIn(page)).toEqual([]);
    await expectNothingSerious();
    await page.locator('.tabs button:nth-child(2)').click();
    await expectNothingSerious();
    await page.locator('.tabs button', { hasText: 'metrics' }).click();
    const served = page.getByRole('row', { name: 'served' });
    await expect.poll(() => served.locator('td').allInnerTexts()).toEqual(['3', '3', '0']);
    await expectNothingSerious();
    await page.locator('.tabs button').first().click();
    await page.locator('.travel input').focus();
    await page.keyboard.press('Home');
    await expectNothingSerious();
    await page.locator('.happening .row').first().click();
    await page.locator('.details').first().waitFor();
    await expectNothingSerious();
    await page.locator('.filter input').fill('nothing is called so');
    await expect.poll(() => page.locator('.happening').count()).toBe(0);
    await expectNothingSerious();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(
      0,
    );
    expect(trouble).toEqual([]);
  },
);
