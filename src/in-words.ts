/** A figure as people read it: four digits of it. */
export function inWords(figure: number): string {
  return String(Number(figure.toPrecision(4)));
}
