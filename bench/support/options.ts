/** Reads what the programs of the benchmark take on their command line. */

/** @throws when it is no number of at least `least` */
export function numberOf(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text === '' || !Number.isFinite(value) || value < least) {
    throw new Error(`--${name} is "${text}"; it takes a number of at least ${least}.`);
  }
  return value;
}

/** @throws when it is no whole number of at least `least` */
export function countOf(name: string, text: string, least = 1): number {
  const value = numberOf(name, text, least);
  if (!Number.isInteger(value)) throw new Error(`--${name} is "${text}"; it takes a whole number.`);
  return value;
}

/** Shows how far it is, on a line of its own that is written over where there is a terminal. */
export function tellProgress(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what}`);
  else process.stderr.write(`${what}\n`);
}
