/** A figure as people read it: four digits of it. */
export function inWords(figure: number): string {
  return String(Number(figure.toPrecision(4)));
}

/** Why a model is not measured yet; for the operator, who is told its address too, where it has one. */
export function doesNotTakeRequests(reason: string, at: string): string {
  return `the model${at === '' ? '' : ` at ${at}`} does not take requests yet: ${reason}`;
}
