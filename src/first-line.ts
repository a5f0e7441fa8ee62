/** The sentence of a failure, without what a model server said last, which is for the autoscaler and the operator. */
export function firstLineOf(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
