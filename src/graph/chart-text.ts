import type { ChartTransition } from './chart.js';

/** The sizes of a drawing, in pixels. What measures and what draws go by the same. */
export const SIZES = {
  title: 14,
  label: 11,
  labelLine: 15,
  /** Of the strip of a state that holds its name. */
  header: 34,
  /** From the edge of a state to what it holds. */
  inset: 14,
  /** From the edge of a label to its text. */
  pill: { x: 6, y: 3 },
  /** Between the labels that share an arrow. */
  stackGap: 4,
  dot: 10,
} as const;

/** Where a long guard is broken. */
const LINE_LENGTH = 30;

export interface LabelLine {
  readonly text: string;
  readonly is: 'event' | 'guard';
}

/** What stands at the arrow of a transition: its event, below that its guard. */
export function labelLines({ event, guard, alsoTo }: ChartTransition): LabelLine[] {
  const guards = guard === undefined ? [] : broken(`[${guard}]`);
  const others = (alsoTo ?? []).map((id) => ({ text: `and to ${id}`, is: 'event' }) as const);
  return [
    { text: event === '' ? 'at once' : event, is: 'event' },
    ...guards.map((text) => ({ text, is: 'guard' }) as const),
    ...others,
  ];
}

/** What stands in a state of a transition that stays in it, in one line. */
export function innerLine({ event, guard }: ChartTransition): string {
  return [event === '' ? 'at once' : event, guard && `[${guard}]`].filter(Boolean).join(' ');
}

/** The size of a label with its lines. */
export function labelSize(lines: readonly LabelLine[]): { width: number; height: number } {
  const widths = lines.map(({ text }) => textWidth(text, SIZES.label));
  return {
    width: Math.ceil(Math.max(...widths)) + 2 * SIZES.pill.x,
    height: lines.length * SIZES.labelLine + 2 * SIZES.pill.y,
  };
}

/** Of a letter of a wide sans serif font, as a share of its size: fonts are not at hand where a drawing is made. */
const WIDTHS: readonly [RegExp, number][] = [
  [/[ijl.,:;'|!]/, 0.32],
  [/[frt()[\]\s/-]/, 0.42],
  [/[mwMW@%→]/, 0.98],
  [/[A-Z0-9]/, 0.7],
];

/** How wide a text may be at most. */
export function textWidth(text: string, size: number): number {
  const shares = [...text].map((letter) => WIDTHS.find(([some]) => some.test(letter))?.[1] ?? 0.63);
  return shares.reduce((sum, share) => sum + share, 0) * size;
}

function broken(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < LINE_LENGTH) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}
