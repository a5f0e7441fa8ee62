/** A duration, in three digits: `0.42 ms`, `12.3 ms`, `1.24 s`, `2 min 5 s`, `24 h`. */
export function span(ms: number | null): string {
  if (ms === null) return '–';
  if (ms < 1_000) return `${Number(ms.toPrecision(3))} ms`;
  if (ms < 60_000) return `${Number((ms / 1_000).toPrecision(3))} s`;
  return ms < 3_600_000 ? inTwo(ms / 1_000, 'min', 's') : inTwo(ms / 60_000, 'h', 'min');
}

function inTwo(value: number, large: string, small: string): string {
  const [whole, rest] = [Math.floor(Math.round(value) / 60), Math.round(value) % 60];
  return rest === 0 ? `${whole} ${large}` : `${whole} ${large} ${rest} ${small}`;
}

/** A number that is not counted: `0.5`, `12.3`, `1 240`. */
export function figure(value: number): string {
  if (value >= 1_000) return count(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

/** A number that is: `12 345`. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ' ');
}

export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
