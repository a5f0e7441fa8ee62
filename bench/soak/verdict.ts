import { medianOf } from '../support/stats.js';
import type { Books } from './books.js';
import type { Sample } from './stage.js';

export interface Check {
  readonly name: string;
  readonly isMet: boolean;
  readonly found: string;
}

/** How much the median of the last third may lie above that of the first, once it has warmed up. */
const MAY_GROW = { rssMib: 25, heapMib: 5, fds: 15, timers: 30, sockets: 15 } as const;

/** Compiled code and pools have their size by then. */
const WARM_SHARE = 0.25;

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

export function nothingGrows(samples: readonly Sample[]): Check[] {
  const warm = samples.slice(Math.floor(samples.length * WARM_SHARE));
  const third = Math.max(1, Math.floor(warm.length / 3));
  return (Object.keys(MAY_GROW) as (keyof typeof MAY_GROW)[]).map((what) => {
    const [first, last] = [warm.slice(0, third), warm.slice(-third)].map((part) =>
      medianOf(part.map((sample) => sample[what])),
    );
    const grown = (last ?? 0) - (first ?? 0);
    const found = `${first?.toFixed(1)} → ${last?.toFixed(1)} (may grow by ${MAY_GROW[what]})`;
    return check(`${what} does not grow`, grown <= MAY_GROW[what], found);
  });
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
