const MS_PER_UNIT = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** The longest that a timer can wait, in ms. */
export const LONGEST_MS = 2 ** 31 - 1;

/** What {@link parseDuration} takes, in words. */
export const DURATION_TAKES = 'a duration such as 500ms, 10s or 2m, up to 24 days';

/** A duration written as text, in ms; undefined when it is none, or longer than a timer can wait. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Math.round(Number(amount) * MS_PER_UNIT[unit as keyof typeof MS_PER_UNIT]);
  return ms >= 1 && ms <= LONGEST_MS ? ms : undefined;
}
