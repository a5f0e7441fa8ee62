/**
 * The sentence of anything that an effect has failed with. Never empty: an empty one says that nothing is wrong.
 *
 * @param otherwise what stands for one that was not said
 */
export function reasonOf(error: unknown, otherwise = 'it did not say why'): string {
  const said = error instanceof Error ? error.message || error.name : error;
  return typeof said === 'string' && said.trim() !== '' ? said : otherwise;
}
