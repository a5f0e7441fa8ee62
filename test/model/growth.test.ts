import { appendFile, mkdir, mkdtemp, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { bytesIn, watchGrowth } from '../../src/model/growth.js';

const MIB = 2 ** 20;

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tsworker-growth-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

/** Watches a folder until the test ends. `grown` resolves when it has grown since the last time it was asked. */
function watch(path: string) {
  const life = new AbortController();
  const waiting: (() => void)[] = [];
  let seen = 0;
  const onGrowth = () => {
    seen += 1;
    for (const resolve of waiting.splice(0)) resolve();
  };
  const ended = watchGrowth({ folder: path, pauseMs: 10, signal: life.signal, onGrowth });
  const end = async () => {
    life.abort(new Error('enough'));
    await expect(ended).rejects.toThrow();
  };
  return {
    end,
    get seen() {
      return seen;
    },
    grown: () => new Promise<void>((resolve) => waiting.push(resolve)),
  };
}

/** The first look may be later than what is written first, so it is written to until that is seen. */
async function writeUntilSeen(file: string, grown: Promise<void>): Promise<void> {
  let isSeen = false;
  const seen = grown.then(() => {
    isSeen = true;
  });
  while (!isSeen) await appendFile(file, Buffer.alloc(64 * 1_024, 1));
  await seen;
}

it('a folder that is not there yet holds nothing, and grows when it comes with something in it', async () => {
  const path = join(await folder(), 'hub');
  expect(await bytesIn(path)).toBe(0);
  const watching = watch(path);
  await mkdir(join(path, 'models--tiny', 'blobs'), { recursive: true });
  await writeUntilSeen(join(path, 'models--tiny', 'blobs', 'a.incomplete'), watching.grown());
  await watching.end();
});

it('a file that grows is seen each time, and one that is renamed or shrinks is not', async () => {
  const path = await folder();
  const file = join(path, 'weights.incomplete');
  await writeFile(file, Buffer.alloc(MIB, 1));
  const watching = watch(path);
  for (let part = 0; part < 3; part++) await writeUntilSeen(file, watching.grown());
  await watching.end();
  const before = await bytesIn(path);
  await rename(file, join(path, 'weights'));
  expect(await bytesIn(path)).toBe(before);
  await truncate(join(path, 'weights'), MIB);
  expect(await bytesIn(path)).toBeLessThan(before);
});

it('what a file holds is counted, not how long it is; and nothing beyond a link', async () => {
  const [path, elsewhere] = [await folder(), await folder()];
  await writeFile(join(elsewhere, 'large'), Buffer.alloc(MIB, 1));
  await symlink(elsewhere, join(path, 'link'));
  await writeFile(join(path, 'sparse'), '');
  await truncate(join(path, 'sparse'), 64 * MIB);
  expect(await bytesIn(path)).toBe(0);
});
