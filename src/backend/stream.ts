/** Whether a handler's result comes piece by piece. Bytes are a whole, although they can be iterated over. */
export function isStream(result: unknown): result is AsyncIterable<unknown> {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result;
}
