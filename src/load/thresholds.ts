import { parseDuration } from '../duration.js';
import type { Tally } from './tally.js';

/** What must not be: `p99>2s` is broken when the 99th percentile is over two seconds. */
export interface Threshold {
  /** As it was written. */
  readonly text: string;
  readonly metric: Metric;
  readonly operator: Operator;
  /** In ms, a share from 0 to 1, or a number, as the metric has it. */
  readonly limit: number;
}

export interface Verdict {
  readonly threshold: string;
  /** As a person reads it. */
  readonly found: string;
  readonly broken: boolean;
}

export interface Figures {
  readonly tally: Tally;
  /** Requests that succeeded, per second. */
  readonly ratePerSecond: number;
}

interface Metric {
  readonly takes: 'a duration' | 'a share' | 'a number';
  /** Null: there is nothing to tell it from. */
  readonly of: (figures: Figures) => number | null;
}

const OPERATORS = {
  '>=': (value: number, limit: number) => value >= limit,
  '<=': (value: number, limit: number) => value <= limit,
  '>': (value: number, limit: number) => value > limit,
  '<': (value: number, limit: number) => value < limit,
} as const;

type Operator = keyof typeof OPERATORS;

/** What {@link parseThresholds} takes, in words. */
export const THRESHOLDS_TAKE =
  "what must not be, with commas between, such as 'p99>2s,errors>1%': p50, p99.9, mean, max, the same as first-byte.p50, " +
  'errors (a number or a share), or rate (of successes, per second), then >, >=, < or <=, then the limit';

const WHAT_IT_TAKES = {
  'a duration': 'a duration such as 500ms or 2s',
  'a share': 'a number of requests such as 0, or a share of them such as 1%, of 100% at most',
  'a number': 'a number such as 4.5',
} as const;

/** @throws {RangeError} that says what is wrong, and with which of them */
export function parseThresholds(text: string): Threshold[] {
  return text.split(',').map((part) => parseThreshold(part.trim()));
}

function parseThreshold(text: string): Threshold {
  const [, name = '', operator = '', amount = ''] = /^([^<>=\s]+)\s*(>=|<=|>|<)\s*(\S+)$/.exec(text) ?? [];
  if (!isOperator(operator)) throw new RangeError(`"${text}" is no threshold; it takes ${THRESHOLDS_TAKE}`);
  if (name === 'errors') return { text, operator, ...errorsLimit(text, amount) };
  const metric = metricOf(name);
  if (metric === undefined) {
    throw new RangeError(
      `"${name}" in "${text}" is no figure; it takes p50, p99.9 or another percentile, mean, max, ` +
        'first-byte.p50, errors or rate',
    );
  }
  const limit = metric.takes === 'a duration' ? parseDuration(amount) : parseNumber(amount);
  if (limit === undefined) throw wrongLimit(text, amount, metric.takes);
  return { text, operator, metric, limit };
}

const NOTHING = 'there is nothing to tell it from';

/** What was found of each. One that there is nothing to tell from is broken: nobody knows that it holds. */
export function judge(thresholds: readonly Threshold[], figures: Figures): Verdict[] {
  return thresholds.map(({ text, metric, operator, limit }) => {
    const value = metric.of(figures);
    if (value === null) return { threshold: text, found: NOTHING, broken: true };
    return {
      threshold: text,
      found: inWords(value, metric.takes),
      broken: OPERATORS[operator](value, limit),
    };
  });
}

function metricOf(name: string): Metric | undefined {
  if (name === 'rate') return { takes: 'a number', of: ({ ratePerSecond }) => ratePerSecond };
  const [, first, which = ''] = /^(first-byte\.)?(p\d{1,3}(?:\.\d+)?|mean|max)$/.exec(name) ?? [];
  const percent = Number(which.slice(1));
  const isPercentile = which.startsWith('p') && percent > 0 && percent <= 100;
  if (!isPercentile && which !== 'mean' && which !== 'max') return undefined;
  const of = ({ tally }: Figures) => {
    const latencies = first === undefined ? tally.latency : tally.firstByte;
    return isPercentile ? latencies.percentile(percent) : latencies[which === 'mean' ? 'mean' : 'max'];
  };
  return { takes: 'a duration', of };
}

function errorsLimit(text: string, amount: string): Pick<Threshold, 'metric' | 'limit'> {
  const isShare = amount.endsWith('%');
  const number = parseNumber(isShare ? amount.slice(0, -1) : amount);
  if (number === undefined || (isShare && number > 100)) throw wrongLimit(text, amount, 'a share');
  return isShare
    ? { metric: { takes: 'a share', of: ({ tally }) => tally.errorShare }, limit: number / 100 }
    : { metric: { takes: 'a number', of: errors }, limit: number };
}

function errors({ tally }: Figures): number | null {
  return tally.errorShare === null ? null : tally.errors;
}

function wrongLimit(text: string, amount: string, takes: Metric['takes']): RangeError {
  return new RangeError(`"${amount}" in "${text}" is no limit; it takes ${WHAT_IT_TAKES[takes]}`);
}

function parseNumber(text: string): number | undefined {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function isOperator(text: string): text is Operator {
  return Object.hasOwn(OPERATORS, text);
}

function inWords(value: number, takes: Metric['takes']): string {
  if (takes === 'a duration') return `${Number(value.toPrecision(5))} ms`;
  if (takes === 'a share') return `${Number((value * 100).toPrecision(3))} %`;
  return String(Number(value.toPrecision(4)));
}
