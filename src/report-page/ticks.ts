/** Round numbers from 0 to the first that is not below the value, six at most, and no closer than asked. */
export function ticksUpTo(most: number, leastStep = 0): number[] {
  return every(Math.max(stepFor(most), leastStep), most);
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Steps of time that people count in, in ms. */
const TIME_STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 5, 10, 20, 50, 100].map((days) => days * DAY),
];

/** Times from 0 on, within this one, in ms: seven at most. */
export function timeTicks(untilMs: number): number[] {
  if (untilMs < SECOND) return [0, untilMs];
  const step = TIME_STEPS.find((each) => untilMs / each <= 6) ?? untilMs;
  return every(step, untilMs).filter((tick) => tick <= untilMs);
}

/** 1, 2 or 5 times a power of ten, of which no more than five reach the value. */
function stepFor(most: number): number {
  const rough = most / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((each) => each * power >= rough * (1 - 1e-9)) ?? 10;
  return step * power;
}

function every(step: number, most: number): number[] {
  const count = Math.ceil(most / step - 1e-9);
  // Sums of steps would not be round any more.
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}
