/** The value at a share of the way through sorted values: 0.5 is the median. NaN where there are none. */
export function at(sorted: readonly number[], share: number): number {
  return sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
}

/** Where values lie. */
export interface Spread {
  readonly min: number;
  readonly lowerQuartile: number;
  readonly median: number;
  readonly upperQuartile: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    min: at(sorted, 0),
    lowerQuartile: at(sorted, 0.25),
    median: middleOf(sorted),
    upperQuartile: at(sorted, 0.75),
    max: at(sorted, 1),
  };
}

export function medianOf(values: readonly number[]): number {
  return middleOf(values.toSorted((a, b) => a - b));
}

/** Between the two in the middle, where there are two. */
function middleOf(sorted: readonly number[]): number {
  const half = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(half)] ?? Number.NaN) + (sorted[Math.ceil(half)] ?? Number.NaN)) / 2;
}

/**
 * Within what a figure of some values lies in 95 of 100 cases, as far as the values themselves tell: it is taken anew
 * of as many of them, drawn by chance, each as often as chance has it.
 */
export function intervalOf<T>(
  values: readonly T[],
  figure: (drawn: readonly T[]) => number,
  random: () => number,
): { readonly from: number; readonly to: number } {
  const draw = () => values.map((value) => values[Math.floor(random() * values.length)] ?? value);
  const figures = Array.from({ length: 2_000 }, () => figure(draw())).toSorted((a, b) => a - b);
  return { from: at(figures, 0.025), to: at(figures, 0.975) };
}

/** The same values in an order of chance. */
export function shuffled<T>(values: readonly T[], random: () => number): T[] {
  return values
    .map((value) => ({ value, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ value }) => value);
}

/** Values by what the function says of each, in the order in which that was first said. */
export function groupsOf<T>(values: readonly T[], nameOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(nameOf(value));
    if (group) group.push(value);
    else groups.set(nameOf(value), [value]);
  }
  return groups;
}
