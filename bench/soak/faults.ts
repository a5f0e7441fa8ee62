import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../../src/autoscaler/index.js';
import type { Stage } from './stage.js';

/** Far longer than it takes, for a machine that does much else. */
const BACK_MS = 180_000;
const OUTAGE_MS = 3_000;
/** Some of them take seconds. */
const MANY = 8;

/** The answers of the autoscaler: one in ten is a bad one. */
export function badAnswers(random: () => number): () => Fault | undefined {
  const faults: readonly Fault[] = [
    { kind: 'status', status: 500 },
    { kind: 'status', status: 429 },
    { kind: 'reset' },
    { kind: 'cut' },
    { kind: 'slow', delayMs: 300 },
    { kind: 'hang' },
  ];
  return () => (random() < 0.9 ? undefined : faults[Math.floor(random() * faults.length)]);
}

type Harm = (stage: Stage) => Promise<void>;

/** Each resolves when the worker has survived it. */
const HARMS: Readonly<Record<string, Harm>> = {
  'the model crashes': async (stage) => {
    await stage.harm('crash');
    await back(stage, 'model.died');
  },
  'the model hangs': async (stage) => {
    await stage.harm('hang');
    await back(stage, 'model.died');
  },
  'the autoscaler is away': async (stage) => {
    await stage.autoscaler.stop();
    await sleep(OUTAGE_MS);
    await stage.autoscaler.start();
  },
  'an update is asked for and withdrawn': async (stage) => {
    // Where nothing is under way at that moment the worker ends, as it should.
    await stage.until(({ requestsUnderWay }) => requestsUnderWay >= MANY, BACK_MS);
    const [asked, withdrawn] = [await stage.update('POST'), await stage.update('DELETE')];
    if (asked !== 200 || withdrawn !== 200) throw new Error(`the update was answered ${asked}, ${withdrawn}`);
    await stage.until(({ state }) => state === 'serving', BACK_MS);
  },
};

/** Does harm at random, again and again, until the signal is aborted. Counts what was survived. */
export async function doHarm(
  stage: Stage,
  random: () => number,
  survived: Record<string, number>,
  signal: AbortSignal,
): Promise<void> {
  const harms = Object.entries(HARMS);
  while (!signal.aborted) {
    await sleep(3_000 + random() * 6_000, undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    const [name, harm] = harms[Math.floor(random() * harms.length)] ?? ['', async () => {}];
    await harm(stage);
    survived[name] = (survived[name] ?? 0) + 1;
  }
}

/** The worker has seen it, and serves again. */
async function back(stage: Stage, event: string): Promise<void> {
  const before = stage.events[event] ?? 0;
  await stage.until(({ state }) => (stage.events[event] ?? 0) > before || state === 'failing', BACK_MS);
  await stage.until(({ state }) => state === 'serving', BACK_MS);
}
