import { expect, it } from 'vitest';
import { Gathering } from '../../src/gathering.js';

/** One turn of the event loop. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

it('hands over in one go what came within one turn of the event loop, in order', async () => {
  const bundles: (readonly number[])[] = [];
  const gathering = new Gathering<number>((items) => bundles.push(items));
  gathering.add(1);
  gathering.add(2);
  await Promise.resolve();
  gathering.add(3);
  expect(bundles).toEqual([]);
  await turn();
  expect(bundles).toEqual([[1, 2, 3]]);
  gathering.add(4);
  await turn();
  expect(bundles).toEqual([[1, 2, 3], [4]]);
});

it('hands over at once when it is flushed, each once, and nothing where there is nothing', async () => {
  const bundles: (readonly number[])[] = [];
  const gathering = new Gathering<number>((items) => bundles.push(items));
  gathering.flush();
  gathering.add(1);
  gathering.flush();
  expect(bundles).toEqual([[1]]);
  await turn();
  expect(bundles).toEqual([[1]]);
});
