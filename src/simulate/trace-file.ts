import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { randomFrom } from '../../machines/random.js';
import { messageOf } from '../errors.js';
import {
  type Arrivals,
  ListedArrivals,
  type Paces,
  RandomArrivals,
  requestsUntil,
  type Sizes,
  sizeOf,
} from './arrivals.js';

/**
 * A load from a file of comma-separated values, with a heading. `at` is in seconds and never falls.
 *
 * - `at,rate`: requests per second from then on; the last row says when it ends.
 * - `at,units`, or `at` alone: a request a row, with the work that it is.
 */
export interface Trace {
  readonly durationMs: number;
  /** How many come until then, on average; of listed ones how many are listed. */
  requests(untilMs: number): number;
  arrivals(untilMs: number, sizes: Sizes, seed: number): Arrivals;
}

/** What is wrong with a file, in a sentence that names the line. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
}

/** @throws {TraceError} */
export async function readTrace(path: string): Promise<Trace> {
  const columns = new Columns();
  try {
    const lines = createInterface({
      input: createReadStream(path, 'utf8'),
      crlfDelay: Number.POSITIVE_INFINITY,
    });
    for await (const line of lines) columns.take(line);
  } catch (error) {
    if (error instanceof TraceError) throw error;
    throw new TraceError(`it can not be read: ${messageOf(error)}.`);
  }
  return columns.end();
}

type Second = 'rate' | 'units' | null;

/** The rows, as they are read. Of a file of millions of them only the figures are kept. */
class Columns {
  #times = new Float64Array(1_024);
  #values = new Float64Array(1_024);
  #rows = 0;
  #line = 0;
  #indexOfAt = -1;
  #indexOfValue = -1;
  #second: Second = null;

  take(text: string): void {
    this.#line += 1;
    const line = text.replace(/^\uFEFF/, '').trim();
    if (line === '') return;
    const cells = line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
    if (this.#indexOfAt < 0) this.#takeHeading(cells);
    else this.#takeRow(cells);
  }

  end(): Trace {
    if (this.#indexOfAt < 0)
      throw new TraceError('it is empty; it takes a heading such as "at,rate", and rows.');
    if (this.#rows === 0) throw new TraceError('it has a heading and no rows.');
    const times = this.#times.slice(0, this.#rows);
    const values = this.#values.slice(0, this.#rows);
    return this.#second === 'rate'
      ? ofRates(times, values)
      : ofRequests(times, this.#second === null ? null : values);
  }

  #takeHeading(cells: readonly string[]): void {
    const names = cells.map((cell) => cell.toLowerCase());
    this.#indexOfAt = names.indexOf('at');
    if (this.#indexOfAt < 0)
      throw this.#wrong(`the heading is "${cells.join(',')}"; it takes a column "at", in seconds`);
    const [rate, units] = [names.indexOf('rate'), names.indexOf('units')];
    if (rate >= 0 && units >= 0) {
      throw this.#wrong('it has both "rate" and "units": rows are either rates or requests');
    }
    this.#second = rate >= 0 ? 'rate' : units >= 0 ? 'units' : null;
    this.#indexOfValue = Math.max(rate, units);
  }

  #takeRow(cells: readonly string[]): void {
    const at = this.#number('at', cells[this.#indexOfAt], 0);
    const value = this.#second === null ? 0 : this.#number(this.#second, cells[this.#indexOfValue], 0);
    if (this.#second === 'units' && value === 0) throw this.#wrong('"units" is 0; a request is some work');
    const before = this.#times[this.#rows - 1] ?? 0;
    if (at * 1_000 < before) throw this.#wrong(`"at" is ${at}, before the row above it (${before / 1_000})`);
    if (this.#rows === this.#times.length) this.#grow();
    this.#times[this.#rows] = at * 1_000;
    this.#values[this.#rows] = value;
    this.#rows += 1;
  }

  #number(name: string, cell: string | undefined, least: number): number {
    const value = cell === undefined || cell === '' ? Number.NaN : Number(cell);
    if (value >= least && value <= 1e9) return value;
    throw this.#wrong(`"${name}" is "${cell ?? ''}"; it takes a number from ${least} to 1e9`);
  }

  #wrong(what: string): TraceError {
    return new TraceError(`line ${this.#line}: ${what}.`);
  }

  #grow(): void {
    this.#times = doubled(this.#times);
    this.#values = doubled(this.#values);
  }
}

function doubled(from: Float64Array): Float64Array<ArrayBuffer> {
  const room = new Float64Array(from.length * 2);
  room.set(from);
  return room;
}

function ofRates(times: Float64Array, rates: Float64Array): Trace {
  return {
    durationMs: times.at(-1) ?? 0,
    requests: (untilMs) => requestsUntil(pacesOf(times, rates), untilMs),
    arrivals: (untilMs, sizes, seed) => new RandomArrivals(pacesOf(times, rates), sizes, untilMs, seed),
  };
}

/** From each row to the next; before the first nothing comes. */
function pacesOf(times: Float64Array, rates: Float64Array): Paces {
  let row = -1;
  const nextMs = () => times[row + 1] ?? Number.POSITIVE_INFINITY;
  return (fromMs) => {
    while (nextMs() <= fromMs) row += 1;
    return { perSecond: rates[row] ?? 0, untilMs: nextMs() };
  };
}

function ofRequests(times: Float64Array, units: Float64Array | null): Trace {
  return {
    // The last request comes before the end.
    durationMs: Math.floor((times.at(-1) ?? 0) / 1_000) * 1_000 + 1_000,
    requests: () => times.length,
    arrivals: (untilMs, sizes, seed) =>
      new ListedArrivals(times, units ?? sizesOf(times.length, sizes, seed), untilMs),
  };
}

function sizesOf(count: number, sizes: Sizes, seed: number): Float64Array {
  const random = randomFrom(seed);
  return new Float64Array(count).map(() => sizeOf(sizes, random));
}
