import { medianOf } from '../support/stats.js';
import type { Books } from './books.js';
import { GROWING, type Growing, type Sample } from './sample.js';

export interface Check {
  readonly name: string;
  readonly isMet: boolean;
  readonly found: string;
}

/** How much more may be there in the last rests than in the first: memory goes up and down. */
const MAY_GROW: Readonly<Record<Growing, number>> = {
  rssMib: 25,
  heapMib: 6,
  descriptors: 3,
  sockets: 3,
  timers: 3,
  // A socket has a dozen.
  listeners: 40,
  emitters: 20,
};

/** Whether the books are even: what the autoscaler was told is what the clients did. */
export function booksAreEven(books: Books, exitCode: unknown): Check[] {
  const [told, expected] = [books.told, books.expected()];
  return [
    check('every finished request is told', books.untold === 0, `${books.untold} untold`),
    check('each once, and as it was', books.problems.length === 0, books.problems.join('; ') || 'no problem'),
    even('work received', told.newLoad, expected.newLoad, books.unsure),
    even('work served', told.served, expected.served, books.unsure),
    even('work refused', told.rejected, expected.rejected),
    even('requests received', told.received, expected.received),
    check('the worker ends clean', exitCode === 0, `exit ${exitCode}`),
  ];
}

/**
 * Whether nothing is left behind. In rests alone: what is under way comes and goes, and more of it waits while there
 * is no model server.
 * @param quiet one sample a rest, the first of which is after some work, so that code is compiled and pools have a size
 */
export function nothingGrows(quiet: readonly Sample[]): Check[] {
  const third = Math.max(1, Math.floor(quiet.length / 3));
  return (Object.entries(GROWING) as [Growing, string][]).map(([what, name]) => {
    const [first, last] = [quiet.slice(0, third), quiet.slice(-third)].map((part) =>
      medianOf(part.map((sample) => sample[what])),
    );
    // NaN, where nothing could be read, is no good end.
    const isMet = (last ?? Number.NaN) - (first ?? Number.NaN) <= MAY_GROW[what];
    const found = `${first?.toFixed(1)} → ${last?.toFixed(1)} (may grow by ${MAY_GROW[what]})`;
    return check(`no growth from rest to rest: ${name}`, isMet, found);
  });
}

/** Beside a place for each request: for health, the reports, the key, and connections that are being replaced. */
const OTHER_PLACES = 20;

/** Whether pools keep no more places than there were ever connections at once, however often the model server is started again. */
export function poolsAreBounded(quiet: readonly Sample[], clientCount: number): Check {
  const most = Math.max(...quiet.map(({ pooled }) => pooled));
  const limit = clientCount + OTHER_PLACES;
  return check('pools keep no more places than there were clients', most <= limit, `${most} of ${limit}`);
}

/** @param unsure how much more may have been told than is known */
function even(name: string, told: number, expected: number, unsure = 0): Check {
  const isEven = told >= expected && told <= expected + unsure;
  const found = unsure === 0 ? `${told} of ${expected}` : `${told} of ${expected} to ${expected + unsure}`;
  return check(`${name}: acknowledged is what clients saw`, isEven, found);
}

function check(name: string, isMet: boolean, found: string): Check {
  return { name, isMet, found };
}
